import type { Clock } from "../platform/ports.ts";

/** Ms without an answer after which a partition is silent. */
const SILENT_AFTER = 5_000;
/** Ms after the last order without an answer: when nobody asks it any more, it gets another chance. */
const FORGOTTEN_AFTER = 60_000;

/** Orders that got no answer: when the first was sent, when the last failed, and whether the silence was told. */
interface Unanswered {
  readonly since: number;
  last: number;
  told: boolean;
}

/**
 * Which partitions do not answer the coordinator's orders. Known in memory only: a new process learns it again from the
 * moves that wait for them.
 */
export class Silence {
  readonly #clock: Clock;
  readonly #unanswered = new Map<string, Unanswered>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An order sent at `sentAt` got no answer. Says whether that makes the partition silent: true once. */
  failed(partition: string, sentAt: number): boolean {
    const unanswered = this.#of(partition) ?? { since: sentAt, last: 0, told: false };
    unanswered.last = this.#clock.now();
    this.#unanswered.set(partition, unanswered);
    if (unanswered.told || !this.has(partition)) return false;
    unanswered.told = true;
    return true;
  }

  /** Says whether the partition was silent until now. */
  answered(partition: string): boolean {
    const told = this.#unanswered.get(partition)?.told === true;
    this.#unanswered.delete(partition);
    return told;
  }

  has(partition: string): boolean {
    const unanswered = this.#of(partition);
    return unanswered !== undefined && this.#clock.now() - unanswered.since >= SILENT_AFTER;
  }

  #of(partition: string): Unanswered | undefined {
    const unanswered = this.#unanswered.get(partition);
    if (unanswered === undefined || this.#clock.now() - unanswered.last < FORGOTTEN_AFTER) return unanswered;
    this.#unanswered.delete(partition);
    return undefined;
  }
}
