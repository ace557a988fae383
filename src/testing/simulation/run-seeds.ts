import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { urlOf } from "./load-workload.ts";
import type { SimulationResult } from "./simulate.ts";
import type { SeedsOfThread } from "./worker.ts";

// Beside this file, and of its kind: TypeScript here, JavaScript in the package.
const WORKER = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url).href);

export interface RunSeedsOptions {
  readonly from: number;
  readonly seeds: number;
  /** Path or URL of the module of an author's workload. */
  readonly workload?: string | undefined;
  /** Threads; default: one for each core. */
  readonly threads?: number;
  readonly onResult?: (result: SimulationResult, done: number) => void;
}

export interface SeedsReport {
  readonly seeds: number;
  readonly failed: readonly SimulationResult[];
  readonly events: number;
  readonly moves: number;
  readonly calls: number;
  /** Hours of simulated time. */
  readonly hours: number;
  /** Seconds it took. */
  readonly seconds: number;
}

/** Lives through many seeds on every core. Failures are in order of their seeds, whichever thread found them. */
export async function runSeeds({ from, seeds, workload, threads, onResult }: RunSeedsOptions): Promise<SeedsReport> {
  const begun = performance.now();
  const failed: SimulationResult[] = [];
  const sums = { events: 0, moves: 0, calls: 0, time: 0 };
  let done = 0;
  const url = workload === undefined ? undefined : urlOf(workload);
  const step = Math.min(seeds, threads ?? availableParallelism());
  const live = (first: number) =>
    new Promise<void>((resolve, reject) => {
      const workerData: SeedsOfThread = { from: first, to: from + seeds, step, workload: url };
      const worker = new Worker(WORKER, { workerData });
      worker.on("message", (result: SimulationResult) => {
        done++;
        if (!result.ok) failed.push(result);
        for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += result.stats[key];
        onResult?.(result, done);
      });
      worker.on("error", reject);
      worker.on("exit", () => resolve());
    });
  await Promise.all(Array.from({ length: step }, (_, index) => live(from + index)));
  if (done < seeds) throw new Error(`only ${done} of ${seeds} seeds were lived through`);
  const { time, ...rest } = sums;
  const seconds = (performance.now() - begun) / 1_000;
  return { seeds, failed: failed.sort((a, b) => a.seed - b.seed), ...rest, hours: time / 3_600_000, seconds };
}
