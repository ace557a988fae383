import { cpuTime } from "../cpu-time.ts";
import type { Job, JobResult } from "./job.ts";

interface Sample {
  readonly at: number;
  /** µs of processor time. */
  readonly own: number;
  readonly server: number;
}

/** Counts what is answered while a job runs, but for a short ramp. It begins when it is made. */
export class Count {
  readonly #job: Job;
  readonly #begin: number;
  readonly #end: number;
  readonly #latencies: number[] = [];
  #from: Sample;
  #to: Sample | undefined;

  constructor(job: Job) {
    this.#job = job;
    const timed = job.requests === undefined;
    // Not counted: connections open, and the first answers of slow requests are on their way.
    const ramp = timed ? Math.min(200, job.seconds * 500) : 0;
    this.#begin = performance.now() + ramp;
    this.#end = timed ? this.#begin + job.seconds * 1_000 : Number.POSITIVE_INFINITY;
    this.#from = this.#sample();
    if (!timed) return;
    setTimeout(() => {
      this.#from = this.#sample();
    }, ramp);
    setTimeout(() => {
      this.#to = this.#sample();
    }, this.#end - performance.now());
  }

  /** Whether its time is over. */
  get isOver(): boolean {
    return performance.now() >= this.#end;
  }

  /** A request was answered now, after so many milliseconds. */
  answered(milliseconds: number): void {
    const now = performance.now();
    if (now >= this.#begin && now < this.#end) this.#latencies.push(milliseconds);
  }

  result(): JobResult {
    const to = this.#to ?? this.#sample();
    const elapsed = to.at - this.#from.at;
    return {
      requests: this.#latencies.length,
      seconds: this.#job.requests === undefined ? this.#job.seconds : elapsed / 1_000,
      ...percentiles(this.#latencies),
      generatorCpu: (to.own - this.#from.own) / 1_000 / elapsed,
      serverCpu: to.server - this.#from.server,
    };
  }

  #sample(): Sample {
    const { user, system } = process.cpuUsage();
    const { serverPid } = this.#job;
    const server = serverPid === undefined ? Number.NaN : cpuTime(serverPid);
    return { at: performance.now(), own: user + system, server };
  }
}

function percentiles(latencies: readonly number[]): { p50: number; p99: number } {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
