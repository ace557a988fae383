import type { Socket } from "node:net";
import { openConnection } from "./connection.ts";
import { Count } from "./count.ts";
import type { Job, JobResult, RequestPlan } from "./job.ts";
import { RequestSource } from "./request-source.ts";

/** HTTP requests, one at a time on each connection. @throws Error for any answer that isn't 2xx */
export async function requests(job: Job, plan: RequestPlan): Promise<JobResult> {
  const source = new RequestSource(plan, job.port);
  const counted = job.requests;
  const count = new Count(job);
  const more = counted === undefined ? () => !count.isOver : () => source.taken < counted;
  await allConnections(
    job,
    () => (more() ? source.take() : undefined),
    (milliseconds) => count.answered(milliseconds),
  );
  return count.result();
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
