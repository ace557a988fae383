import { parentPort, workerData } from "node:worker_threads";
import { simulate } from "./simulate.ts";

/** Lives through every `step`-th seed and tells of each. */
const { from, to, step } = workerData as { from: number; to: number; step: number };
for (let seed = from; seed < to; seed += step) parentPort?.postMessage(await simulate({ seed }));
