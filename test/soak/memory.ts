import { readFileSync } from "node:fs";

interface Sample {
  readonly at: number;
  readonly mebibytes: number;
}

/** What a process has resident, over its life. */
export class Memory {
  readonly #samples: Sample[] = [];
  #pid: number | undefined;
  most = 0;

  /** Looks at the process; one that is new begins anew. */
  look(pid: number | undefined): void {
    const mebibytes = pid === undefined ? undefined : residentMebibytes(pid);
    if (mebibytes === undefined) return;
    if (pid !== this.#pid) this.#samples.length = 0;
    this.#pid = pid;
    this.#samples.push({ at: performance.now(), mebibytes });
    this.most = Math.max(this.most, mebibytes);
  }

  get now(): number {
    return this.#samples.at(-1)?.mebibytes ?? 0;
  }

  /**
   * MiB by which the present process grew between the first and the last quarter of its life after `warmUp` ms; undefined when
   * it did not live for `least` ms after that.
   */
  growth(warmUp: number, least: number): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const from = first.at + warmUp;
    if (last.at - from < least) return undefined;
    const quarter = (last.at - from) / 4;
    const inQuarter = (start: number) =>
      this.#samples.filter(({ at }) => at >= start && at <= start + quarter).map(({ mebibytes }) => mebibytes);
    return Math.round(median(inQuarter(last.at - quarter)) - median(inQuarter(from)));
  }
}

function residentMebibytes(pid: number): number | undefined {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) / 1_024;
  } catch {
    return undefined; // It has just ended.
  }
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
