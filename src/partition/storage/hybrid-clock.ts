/** Steps of a millisecond. */
export const TICKS = 1_024;

/**
 * Numbers that grow, and go on growing when rows come from another partition: a hybrid logical clock (Kulkarni, Demirbas,
 * Madappa, Avva, Leone 2014) of 1,024 ticks a millisecond.
 */
export class HybridClock {
  readonly #now: () => number;
  /** The newest number that was given out or seen. */
  last = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  next(): number {
    this.last = Math.max(this.last + 1, this.#now() * TICKS);
    return this.last;
  }

  /** The next numbers are above this one. */
  saw(number: number): void {
    this.last = Math.max(this.last, number);
  }
}
