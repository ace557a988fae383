import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CallMessage, Moved, Reply } from "../../object/message.ts";
import { stillPending } from "../calls/call-replies.ts";
import type { Gated, Owned } from "../storage/ownership.ts";
import type { Deadlines } from "../turns/deadlines.ts";

type Waiting = Pick<CallMessage, "deadline" | "reliable">;

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
  /** Ends the wait of each by sending it again. */
  readonly #waiting = new Set<() => void>();
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
      const sendAgain = () => settle(again);
      this.#waiting.add(sendAgain);
      const cancel = deadlines.add(message.deadline, () => settle(() => late(gated.shard, message)));
      const leave = gated.wait((moved: Moved | undefined) => settle(() => moved ?? again()));
    });
  }

  /** Sends everyone again: this core has ended, and the next one knows nothing of them. */
  stop(): void {
    this.#stopped = true;
    // Not within the end of this core: the first of them starts the next.
    for (const sendAgain of this.#waiting) queueMicrotask(sendAgain);
  }
}

function late(shard: number, { reliable }: Waiting): Reply {
  if (reliable !== undefined) return stillPending(reliable.callId, false);
  const error = new EdgeverseError(
    "DEADLINE_EXCEEDED",
    `The deadline passed while shard ${shard} moved to another partition; the call changed nothing`,
  );
  return { kind: "error", error: error.toWire() };
}
