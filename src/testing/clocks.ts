import type { Cancel, Clock } from "../platform/ports.ts";

/** The computer's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, action) {
    const timer = setTimeout(action, delay);
    return () => clearTimeout(timer);
  },
  soon(action) {
    setImmediate(action);
  },
};

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

/**
 * A clock that stands still until it is told to move. Between two timers it lets everything that was resolved run, so a
 * test reads like a story: do this, let 50 ms pass, look.
 */
export class ManualClock implements Clock {
  #now: number;
  #timers: Timer[] = [];
  #order = 0;

  constructor(now = 1_800_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  get timers(): number {
    return this.#timers.length;
  }

  after(delay: number, action: () => void): Cancel {
    const timer: Timer = { at: this.#now + Math.max(0, delay), order: this.#order++, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  soon(action: () => void): void {
    this.after(0, action);
  }

  /** Lets `ms` pass: runs what falls due, in order, and what follows from it. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    for (let next = this.#due(until); next !== undefined; next = this.#due(until)) {
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
      await settle();
    }
    this.#now = until;
  }

  #due(until: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > until) continue;
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    }
    return first;
  }
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise<void>((resolve) => setImmediate(resolve));
}
