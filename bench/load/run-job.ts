import type { Socket } from "node:net";
import { openConnection } from "./connection.ts";
import type { Job, JobResult } from "./job.ts";
import { RequestSource } from "./request-source.ts";

/** Not counted: connections open, and the first answers of slow requests are on their way. */
const rampMs = (job: Job) => (job.requests === undefined ? Math.min(200, job.seconds * 500) : 0);

/** Runs one load. @throws Error for any answer that isn't 2xx, with its text: a rate of failures says nothing */
export async function runJob(job: Job): Promise<JobResult> {
  const source = new RequestSource(job.plan, job.port);
  const latencies: number[] = [];
  const counted = job.requests;
  const begin = performance.now() + rampMs(job);
  const end = counted === undefined ? begin + job.seconds * 1_000 : Number.POSITIVE_INFINITY;
  let cpu = process.cpuUsage();
  let cpuFrom = performance.now();
  const ramp = setTimeout(() => {
    cpu = process.cpuUsage();
    cpuFrom = performance.now();
  }, rampMs(job));

  const more = counted === undefined ? () => performance.now() < end : () => source.taken < counted;
  await allConnections(
    job,
    () => (more() ? source.take() : undefined),
    (milliseconds) => {
      const now = performance.now();
      if (now >= begin && now < end) latencies.push(milliseconds);
    },
  );
  clearTimeout(ramp);
  const used = process.cpuUsage(cpu);
  const elapsed = performance.now() - cpuFrom;
  return {
    answered: source.taken,
    requests: latencies.length,
    seconds: counted === undefined ? job.seconds : (performance.now() - begin) / 1_000,
    ...percentiles(latencies),
    generatorCpu: (used.user + used.system) / 1_000 / elapsed,
  };
}

function allConnections(job: Job, next: () => Buffer | undefined, answered: (ms: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const sockets: Socket[] = [];
    let open = job.connections;
    let failure: string | undefined;
    const failed = (why: string) => {
      failure ??= why;
      for (const socket of sockets) socket.destroy();
    };
    const closed = () => {
      if (--open > 0) return;
      if (failure === undefined) resolve();
      else reject(new Error(failure));
    };
    for (let index = 0; index < job.connections; index++) {
      sockets.push(openConnection(job.port, { next, answered, failed, closed }));
    }
  });
}

function percentiles(latencies: readonly number[]): { p50: number; p99: number } {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
