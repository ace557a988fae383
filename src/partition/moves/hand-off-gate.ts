import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CallMessage, LifecycleMessage, Moved, Reply } from "../../object/message.ts";
import { stillPending } from "../calls/call-replies.ts";
import type { Gated, Owned } from "../storage/ownership.ts";
import type { Deadlines } from "../turns/deadlines.ts";

type Waiting = CallMessage | LifecycleMessage;

interface Parts {
  readonly deadlines: Deadlines;
  /** `partitionMailbox`: calls that may wait here. */
  readonly config: { readonly partitionMailbox: number };
  /** Whether one of these objects is on a shard that is being handed off. */
  readonly inside: (keys: Iterable<string>) => boolean;
}

/**
 * Where calls wait while their shard is between two owners ([MIG1]): bounded, each until its own deadline. They have changed
 * nothing yet, so whatever ends their wait they can be sent again.
 */
export class HandOffGate {
  readonly #parts: Parts;
  /** Each with what ends its wait, by sending it again or with a reply. */
  readonly #waiting = new Map<(reply?: Reply) => void, Waiting>();
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Calls that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Lets a call in when a turn on a shard that is handed off waits for it: the hand-off waits for that turn. */
  admit(gated: Gated, { chain }: CallMessage): Owned | Gated {
    if (gated.owned === undefined || chain === undefined) return gated;
    return this.#parts.inside(chain.map((link) => link.key)) ? gated.owned : gated;
  }

  /** Waits until the shard has an owner, then calls again. Never rejects. */
  wait(gated: Gated, message: Waiting, again: () => Promise<Reply>): Promise<Reply> {
    const { deadlines, config } = this.#parts;
    const most = config.partitionMailbox;
    if (this.#stopped) return again();
    if (this.#waiting.size >= most) {
      const error = new EdgeverseError("OVERLOADED", `${most} calls wait for shards that move`, { retryAfter: 1 });
      return Promise.resolve({ kind: "error", error: error.toWire() });
    }
    return new Promise((resolve) => {
      const settle = (reply: () => Reply | Promise<Reply>) => {
        if (!this.#waiting.delete(sendAgain)) return;
        cancel();
        leave();
        resolve(reply());
      };
      const sendAgain = (reply?: Reply) => settle(reply === undefined ? again : () => reply);
      this.#waiting.set(sendAgain, message);
      const cancel = deadlines.add(message.deadline, () => settle(() => late(gated.shard, message)));
      const leave = gated.wait((moved: Moved | undefined) => settle(() => moved ?? again()));
    });
  }

  /** Answers those that wait and that `which` picks. */
  drop(which: (message: Waiting) => boolean, reply: Reply): void {
    for (const [settle, message] of this.#waiting) if (which(message)) settle(reply);
  }

  /** Sends everyone again: this core has ended, and the next one knows nothing of them. */
  stop(): void {
    this.#stopped = true;
    // Not within the end of this core: the first of them starts the next.
    for (const sendAgain of this.#waiting.keys()) queueMicrotask(() => sendAgain());
  }
}

function late(shard: number, message: Waiting): Reply {
  if ("reliable" in message && message.reliable !== undefined) return stillPending(message.reliable.callId, false);
  const error = new EdgeverseError(
    "DEADLINE_EXCEEDED",
    `The deadline passed while shard ${shard} moved to another partition; the call changed nothing`,
  );
  return { kind: "error", error: error.toWire() };
}
