import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Job, JobReply, JobResult } from "./job.ts";

/** The load generator, seen from the bench: one job at a time. */
export class Generator {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(join(import.meta.dirname, "main.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  }

  /** @throws Error when any answer was not 2xx */
  run(job: Job): Promise<JobResult> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error("The load generator ended"));
      this.#child.once("exit", ended);
      this.#child.once("message", (reply: JobReply) => {
        this.#child.off("exit", ended);
        if (reply.ok) resolve(reply.result);
        else reject(new Error(`A request failed: ${reply.error}`));
      });
      this.#child.send(job);
    });
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}
