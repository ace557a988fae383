import { parentPort, workerData } from "node:worker_threads";
import { loadWorkload } from "./load-workload.ts";
import { simulate } from "./simulate.ts";

/** What a thread is to do: every `step`-th seed. */
export interface SeedsOfThread {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  /** URL of the workload's module. */
  readonly workload: string | undefined;
}

const { from, to, step, workload: url } = workerData as SeedsOfThread;
const workload = url === undefined ? undefined : await loadWorkload(url);
for (let seed = from; seed < to; seed += step) parentPort?.postMessage(await simulate({ seed, workload }));
