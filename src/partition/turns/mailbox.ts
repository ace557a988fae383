/** A turn that waits for its object. */
export interface Waiting<Turn> {
  readonly turn: Turn;
  /** False once it was withdrawn; it is skipped when it surfaces. */
  live: boolean;
}

/**
 * The turns of one object: at most one exclusive turn, or any number of readonly ones, run; the others wait in order of
 * arrival ([TURN1]). A readonly turn never overtakes a waiting exclusive one, so writers don't starve.
 */
export class Mailbox<Turn> {
  /** The turn that runs alone: the usual case, and cheaper than a set. */
  #sole: Turn | undefined;
  /** Readonly turns that run beside one another. */
  #company: Set<Turn> | undefined;
  #queue: Waiting<Turn>[] = [];
  #head = 0;
  #live = 0;

  /** Turns running. */
  get running(): Iterable<Turn> {
    return this.#sole === undefined ? (this.#company ?? []) : [this.#sole];
  }

  /** Whether the turn is one of them. */
  runs(turn: Turn): boolean {
    return this.#sole === turn || this.#company?.has(turn) === true;
  }

  /** Turns waiting. */
  get waiting(): number {
    return this.#live;
  }

  /** The turns waiting, in order. */
  *waitingTurns(): Generator<Turn> {
    for (let index = this.#head; index < this.#queue.length; index++) {
      const { live, turn } = this.#queue[index] as Waiting<Turn>;
      if (live) yield turn;
    }
  }

  get idle(): boolean {
    return this.#sole === undefined && this.#company === undefined && this.#live === 0;
  }

  /** Whether a turn that arrives now may start at once. */
  admits(exclusive: boolean): boolean {
    return this.#live === 0 && this.#free(exclusive);
  }

  /** True while the running turns are readonly ones that may have company. */
  get shared(): boolean {
    return this.#company !== undefined;
  }

  enter(turn: Turn, exclusive: boolean): void {
    if (exclusive) this.#sole = turn;
    else {
      this.#company ??= new Set();
      this.#company.add(turn);
    }
  }

  /** Lets others that only read run beside the turn that runs alone now. */
  share(): void {
    if (this.#sole === undefined) return;
    this.#company = new Set([this.#sole]);
    this.#sole = undefined;
  }

  leave(turn: Turn): void {
    if (this.#sole === turn) this.#sole = undefined;
    else if (this.#company?.delete(turn) === true && this.#company.size === 0) this.#company = undefined;
  }

  wait(turn: Turn): Waiting<Turn> {
    const waiting: Waiting<Turn> = { turn, live: true };
    this.#queue.push(waiting);
    this.#live++;
    return waiting;
  }

  withdraw(waiting: Waiting<Turn>): boolean {
    if (!waiting.live) return false;
    waiting.live = false;
    this.#live--;
    if (this.#live === 0) this.#clear();
    else if (this.#queue.length - this.#head > 64 && this.#live * 2 < this.#queue.length - this.#head) {
      this.#queue = this.#queue.filter((entry, index) => index >= this.#head && entry.live);
      this.#head = 0;
    }
    return true;
  }

  /** Takes the next turn that may start now; `exclusive` says how a turn wants to run. */
  next(exclusive: (turn: Turn) => boolean): Turn | undefined {
    for (let first = this.#queue[this.#head]; first !== undefined; first = this.#queue[this.#head]) {
      if (first.live && !this.#free(exclusive(first.turn))) return undefined;
      this.#head++;
      if (this.#head === this.#queue.length) this.#clear();
      else if (this.#head > 1_024 && this.#head * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
      if (!first.live) continue;
      first.live = false;
      this.#live--;
      return first.turn;
    }
    return undefined;
  }

  /** Takes the waiting turns that `which` picks. */
  take(which: (turn: Turn) => boolean): Turn[] {
    const taken = this.#queue.slice(this.#head).filter((entry) => entry.live && which(entry.turn));
    for (const entry of taken) this.withdraw(entry);
    return taken.map((entry) => entry.turn);
  }

  /** Takes every waiting turn. */
  drain(): Turn[] {
    const turns = this.#queue.slice(this.#head).filter((entry) => entry.live);
    for (const entry of turns) entry.live = false;
    this.#clear();
    this.#live = 0;
    return turns.map((entry) => entry.turn);
  }

  #free(exclusive: boolean): boolean {
    return this.#sole === undefined && (!exclusive || this.#company === undefined);
  }

  #clear(): void {
    this.#queue = [];
    this.#head = 0;
  }
}
