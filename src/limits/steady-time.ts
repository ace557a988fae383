/**
 * A time that never goes back, in ms from when it was made: small numbers have no rounding that would add up, and a clock that
 * is set back locks nobody out.
 */
export class SteadyTime {
  readonly #clock: () => number;
  #last: number;
  #passed = 0;

  constructor(now: () => number) {
    this.#clock = now;
    this.#last = now();
  }

  now(): number {
    const time = this.#clock();
    if (time > this.#last) this.#passed += time - this.#last;
    this.#last = time;
    return this.#passed;
  }
}
