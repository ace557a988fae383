import type { Deadlines } from "../turns/deadlines.ts";
import type { Entry } from "./call-entry.ts";

/** Ends of the process in a row that make a call a suspect. */
const SUSPECTED = 2;
/** Ms for which a suspect is alone. It may wait for another one, which is then to run too. */
const ALONE = 1_000;

/**
 * Calls that ran, or might have, each time when the process ended: they start one after the other, so that the next end
 * counts against one of them, and those beside it are not parked for it.
 */
export class Suspects {
  readonly #deadlines: Deadlines;
  readonly #now: () => number;
  readonly #drive: (entry: Entry) => void;
  readonly #waiting = new Set<Entry>();
  #first: { readonly entry: Entry; readonly cancel: () => void } | undefined;

  /** @param drive starts a call whose turn has come */
  constructor(deadlines: Deadlines, now: () => number, drive: (entry: Entry) => void) {
    this.#deadlines = deadlines;
    this.#now = now;
    this.#drive = drive;
  }

  /** Whether the call may start now; else it is driven later. */
  admits(entry: Entry): boolean {
    if (entry.crashes < SUSPECTED || this.#first?.entry === entry) return true;
    if (this.#first !== undefined) {
      this.#waiting.add(entry);
      return false;
    }
    this.#waiting.delete(entry);
    this.#first = { entry, cancel: this.#deadlines.add(this.#now() + ALONE, () => this.leave(entry)) };
    return true;
  }

  /** The call does not run any more, or has run for long enough. */
  leave(entry: Entry): void {
    this.#waiting.delete(entry);
    if (this.#first?.entry !== entry) return;
    this.#first.cancel();
    this.#first = undefined;
    // One whose shard is about to move does not start.
    for (const next of [...this.#waiting]) {
      this.#drive(next);
      if (this.#first !== undefined) return;
    }
  }
}
