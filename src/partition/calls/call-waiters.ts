import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CallMessage, Reply } from "../../object/message.ts";
import type { Deadlines } from "../turns/deadlines.ts";
import type { Entry } from "./call-entry.ts";
import { stillPending } from "./call-replies.ts";

/** Callers that wait for reliable calls: bounded, each until its own deadline. */
export class CallWaiters {
  readonly #deadlines: Deadlines;
  readonly #most: number;
  #count = 0;

  constructor(deadlines: Deadlines, most: number) {
    this.#deadlines = deadlines;
    this.#most = most;
  }

  /** @throws EdgeverseError `OVERLOADED` */
  checkRoom(): void {
    if (this.#count < this.#most) return;
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
        if (reply === undefined) {
          resolve(again());
          return;
        }
        resolve(
          replayed && (reply.kind === "response" || reply.kind === "error") ? { ...reply, replayed: true } : reply,
        );
      };
      entry.waiters.add(settle);
      const cancel = this.#deadlines.add(message.deadline, () => {
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
