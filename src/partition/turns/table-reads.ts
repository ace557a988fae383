import { type Deadlines, WAKE_AFTER } from "./deadlines.ts";

interface Parts {
  readonly deadlines: Deadlines;
  readonly now: () => number;
  /** Asks to be woken at `time`, should this process have ended. */
  readonly wakeBy: (time: number) => void;
}

/** Ms until what could not be read, or written, is tried again. */
const AGAIN = 1_000;
/** Ms that something may wait for a timer. For what comes later the process need not stay. */
const TIMER = 10_000;

/**
 * How a part of a partition reads its table again: what waits there to be done by time, and what could not be read. Nothing
 * happens any more once it is stopped.
 */
export class TableReads {
  readonly #parts: Parts;
  readonly #look: () => void;
  #stopped = false;
  #timer: number | undefined;

  /** @param look does what is due, and says when it wants to look again */
  constructor(parts: Parts, look: () => void) {
    this.#parts = parts;
    this.#look = look;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Ms since the epoch at which a process is woken that ends now, with work left. */
  get soon(): number {
    return this.#parts.now() + WAKE_AFTER;
  }

  /** Does what reads the table; again later if it can't be read now. */
  surely(action: () => void): void {
    if (this.#stopped) return;
    try {
      action();
    } catch {
      this.later(action);
    }
  }

  /** Does it later: what was asked for failed. */
  later(action: () => void): void {
    const { deadlines, now } = this.#parts;
    deadlines.add(now() + AGAIN, () => this.surely(action));
  }

  /** Asks to be woken, should this process have ended, for what the next commit stores. */
  wakeFor(time: number): void {
    try {
      this.#parts.wakeBy(time);
    } catch {
      // A storage that can't take the alarm can't take the rows either: then those who wait are told why.
    }
  }

  /** Sees to it that it looks at `time`: by a timer if that is soon, else by the partition's alarm. */
  lookAt(time: number | undefined): void {
    if (time === undefined) return;
    const { deadlines, now, wakeBy } = this.#parts;
    wakeBy(time);
    if (time - now() > TIMER || time >= (this.#timer ?? Number.POSITIVE_INFINITY)) return;
    this.#timer = time;
    deadlines.add(time, () => {
      if (this.#timer === time) this.#timer = undefined;
      this.surely(this.#look);
    });
  }

  stop(): void {
    this.#stopped = true;
  }
}
