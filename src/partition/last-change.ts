/** What a partition's table says of when shards came and went. */
interface Stored {
  /** When the last one did, by the clock of then; null if none has. */
  readonly changed: number | null;
  /** Grows with each of them. */
  readonly epochs: number;
}

/**
 * How long ago a partition's shards changed hands, also when its clock was put back since: a time that is still to come says
 * nothing. It never says more than what has passed, unless the clock was put forward.
 */
export class LastChange {
  #known: Stored | undefined;
  #at = 0;
  /** Ms that have passed since the process began, as far as its clock went forward. */
  #passed = 0;
  #now = Number.POSITIVE_INFINITY;

  /** @returns ms since the last change; null when there was none */
  age({ changed, epochs }: Stored, now: number): number | null {
    this.#passed += Math.max(0, now - this.#now);
    this.#now = now;
    if (changed === null) return null;
    if (this.#known?.epochs !== epochs || this.#known.changed !== changed) {
      this.#known = { changed, epochs };
      this.#at = this.#passed - Math.max(0, now - changed);
    }
    return this.#passed - this.#at;
  }
}
