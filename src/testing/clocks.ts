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

// Taken before a test can replace them by fakes, which would stop the cluster for good.
const { setImmediate: nextEvent, setTimeout: later } = globalThis;

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

  /** @internal */
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
    // Another advance under way may have gone further.
    this.#now = Math.max(this.#now, until);
  }

  /**
   * Lets time pass from timer to timer until `work` has settled, `most` ms at most; then waits for it. Before each step what
   * runs beside the clock, such as a digest or a fetch, gets a moment to end.
   */
  async until<T>(work: Promise<T>, most = Number.POSITIVE_INFINITY): Promise<T> {
    const limit = this.#now + most;
    let over = false;
    const done = () => {
      over = true;
    };
    work.then(done, done);
    for (await settle(); !over; await settle()) {
      await new Promise<void>((resolve) => later(resolve, 1).unref());
      const next = over ? undefined : this.#due(limit);
      if (next !== undefined) await this.advance(Math.max(0, next.at - this.#now));
    }
    return work;
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
  for (let round = 0; round < 3; round++) await new Promise<void>((resolve) => nextEvent(resolve));
}
