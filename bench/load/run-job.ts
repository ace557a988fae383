import { fanOut } from "./fan-out.ts";
import type { Job, JobResult } from "./job.ts";
import { requests } from "./requests.ts";
import { socketCalls } from "./socket-calls.ts";

/** Runs one load. @throws Error for any answer that is a failure, with its text: a rate of failures says nothing */
export function runJob(job: Job): Promise<JobResult> {
  const { plan } = job;
  if (!("kind" in plan)) return requests(job, plan);
  return plan.kind === "fan-out" ? fanOut(job, plan) : socketCalls(job, plan);
}
