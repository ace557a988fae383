import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CallMessage, Reply } from "../../object/message.ts";
import type { Entry } from "./call-entry.ts";
import { stillPending } from "./call-replies.ts";
import type { ReliableCallParts } from "./reliable-call-parts.ts";

/** Callers that wait for reliable calls: bounded, each until its own deadline. */
export class CallWaiters {
  readonly #parts: ReliableCallParts;
  #count = 0;

  constructor(parts: ReliableCallParts) {
    this.#parts = parts;
  }

  /** @throws EdgeverseError `OVERLOADED` */
  checkRoom(): void {
    if (this.#count < this.#parts.config.partitionMailbox) return;
    throw new EdgeverseError("OVERLOADED", `${this.#count} callers wait for outcomes in this partition`, {
      retryAfter: 1,
    });
  }

  /**
   * Waits for the entry's outcome, or its acceptance if the message asks for no more.
   * @param again asks anew, when the entry leaves this partition before that
   */
  add(entry: Entry, message: CallMessage, replayed: boolean, again: () => Promise<Reply>): Promise<Reply> {
    this.checkRoom();
    const wantsOutcome = message.reliable?.answer === "outcome";
    this.#count++;
    return new Promise((resolve) => {
      const settle = (reply: Reply | undefined) => {
        if (reply?.kind === "accepted" && wantsOutcome) return;
        if (!entry.waiters.delete(settle)) return;
        this.#count--;
        cancel();
        this.#parts.requests.callerLeft(entry);
        if (reply === undefined) {
          resolve(again());
          return;
        }
        // A call that was never accepted, or has yet to end, has no outcome that could be told again.
        const ended = entry.stored.record.status !== "pending" && (reply.kind === "response" || reply.kind === "error");
        resolve(replayed && ended ? { ...reply, replayed: true } : reply);
      };
      entry.waiters.add(settle);
      const cancel = this.#parts.deadlines.add(message.deadline, () => {
        settle(stillPending(entry.stored.record.callId, entry.accepted));
      });
    });
  }

  /** Sends those who wait back to where they came from: they ask again. */
  release(entry: Entry): void {
    this.answer(entry, undefined);
  }

  accepted(entry: Entry): void {
    this.answer(entry, { kind: "accepted", callId: entry.stored.record.callId });
  }

  answer(entry: Entry, reply: Reply | undefined): void {
    for (const waiter of [...entry.waiters]) waiter(reply);
  }
}
