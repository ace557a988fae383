import { Count } from "./count.ts";
import { leave, openClient } from "./gate-client.ts";
import type { Job, JobResult, SocketCallPlan } from "./job.ts";
import { type ClientSocket, openSockets } from "./socket.ts";

interface ResultFrame {
  readonly kind: string;
  readonly id: number;
  readonly error?: unknown;
}

/** Calls over WebSockets, many open on each. @throws Error for any result that is an error */
export async function socketCalls(job: Job, plan: SocketCallPlan): Promise<JobResult> {
  const { promise: failure, reject } = Promise.withResolvers<never>();
  const failed = (why: string) => reject(new Error(why));
  failure.catch(() => {});
  const callers = new Map<ClientSocket, Caller>();
  const received = (text: string, socket: ClientSocket) => callers.get(socket)?.received(text);
  const opened = openSockets(job.connections, () => openClient(job.port, undefined, received, failed));
  const sockets = await Promise.race([opened, failure]);
  const count = new Count(job);
  let taken = 0;
  const next = () => plan.calls[taken++ % plan.calls.length] as string;
  const done = sockets.map((socket) => {
    const caller = new Caller({ socket, plan, count, next, failed });
    callers.set(socket, caller);
    return caller.run();
  });
  await Promise.race([Promise.all(done), failure]);
  for (const socket of sockets) leave(socket);
  for (const socket of sockets) socket.end();
  return count.result();
}

interface Parts {
  readonly socket: ClientSocket;
  readonly plan: SocketCallPlan;
  readonly count: Count;
  readonly next: () => string;
  readonly failed: (why: string) => void;
}

/** One client. The number of a call is that of its place among the open ones. */
class Caller {
  readonly #parts: Parts;
  readonly #sentAt: number[] = [];
  readonly #done = Promise.withResolvers<void>();
  #open = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Resolves when the time is over and no call is open. */
  run(): Promise<void> {
    this.#send(Array.from({ length: this.#parts.plan.inFlight }, (_, id) => id));
    return this.#done.promise;
  }

  received(text: string): void {
    const { socket, count, failed } = this.#parts;
    const value = JSON.parse(text) as ResultFrame | readonly ResultFrame[];
    const now = performance.now();
    const answered: number[] = [];
    for (const frame of Array.isArray(value) ? (value as readonly ResultFrame[]) : [value as ResultFrame]) {
      if (frame.kind === "check") socket.send(JSON.stringify(frame));
      else if (frame.kind !== "result" || frame.error !== undefined) failed(JSON.stringify(frame));
      else {
        count.answered(now - (this.#sentAt[frame.id] as number));
        answered.push(frame.id);
      }
    }
    this.#open -= answered.length;
    if (!count.isOver) this.#send(answered);
    else if (this.#open === 0) this.#done.resolve();
  }

  #send(ids: readonly number[]): void {
    if (ids.length === 0) return;
    const now = performance.now();
    const frames = ids.map((id) => {
      this.#sentAt[id] = now;
      return `{"kind":"call","id":${id},${this.#parts.next()}}`;
    });
    this.#open += ids.length;
    this.#parts.socket.send(frames.length === 1 ? (frames[0] as string) : `[${frames.join()}]`);
  }
}
