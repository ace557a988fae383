import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { Deadlines } from "./deadlines.ts";
import { isExclusive } from "./exclusive.ts";
import type { Turn, TurnActivation } from "./turn.ts";

interface Parts {
  readonly deadlines: Deadlines;
  readonly limits: { readonly mailbox: number; readonly partitionMailbox: number };
}

/** The turns of a partition that wait for their objects, counted and each until its deadline ([TURN6], [TURN8]). */
export class WaitingTurns {
  readonly #parts: Parts;
  #count = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Turns that wait in the whole partition. */
  get count(): number {
    return this.#count;
  }

  /** @throws EdgeverseError `OVERLOADED` when one more turn may not wait for `activation` */
  checkRoom(activation: TurnActivation): void {
    const { mailbox, partitionMailbox } = this.#parts.limits;
    const full =
      activation.mailbox.waiting + activation.pendingCalls >= mailbox
        ? `${mailbox} turns wait for ${activation.key}`
        : this.#count >= partitionMailbox
          ? `${partitionMailbox} turns wait in this partition`
          : undefined;
    if (full !== undefined) throw new EdgeverseError("OVERLOADED", `Cannot take the call: ${full}`, { retryAfter: 1 });
  }

  /** Lets a turn wait; `late` hears that its deadline came first, when it waits no more. */
  add(turn: Turn, late: () => void): void {
    const waiting = turn.activation.mailbox.wait(turn);
    this.#count++;
    turn.beginWait();
    turn.cancelDeadline = this.#parts.deadlines.add(turn.deadline, () => {
      if (!turn.activation.mailbox.withdraw(waiting)) return;
      this.#count--;
      late();
    });
  }

  /** Takes the next turn that may start now. */
  next(activation: TurnActivation): Turn | undefined {
    const turn = activation.mailbox.next(isExclusive);
    if (turn !== undefined) this.#count--;
    return turn;
  }

  /** Ends the waiting turns that there is a reason for. */
  takeOut({ mailbox }: TurnActivation, reason: (turn: Turn) => EdgeverseError | undefined): void {
    for (const turn of mailbox.take((waiting) => reason(waiting) !== undefined)) {
      this.#count--;
      turn.dismiss(reason(turn) as EdgeverseError);
    }
  }

  /** Takes every turn that waits for the object. */
  drain({ mailbox }: TurnActivation): Turn[] {
    const turns = mailbox.drain();
    this.#count -= turns.length;
    return turns;
  }
}
