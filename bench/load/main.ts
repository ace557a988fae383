import type { Job, JobReply } from "./job.ts";
import { runJob } from "./run-job.ts";

// The generator as a process of its own: what the bench does beside it must not disturb its clock. It ends with its parent.
process.on("message", (job: Job) => {
  runJob(job).then(
    (result) => reply({ ok: true, result }),
    (error: unknown) => reply({ ok: false, error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on("disconnect", () => process.exit());
process.on("SIGINT", () => {}); // Ctrl-C reaches the whole group; the parent decides.

function reply(message: JobReply): void {
  process.send?.(message);
}
