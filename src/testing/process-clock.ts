import type { Cancel, Clock } from "../platform/ports.ts";

/** The clock of one process: when the process ends its timers do. */
export class ProcessClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Cancel>();
  #ended = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get ended(): boolean {
    return this.#ended;
  }

  now(): number {
    return this.#clock.now();
  }

  after(delay: number, action: () => void): Cancel {
    if (this.#ended) return () => undefined;
    const cancel = this.#clock.after(delay, () => {
      this.#timers.delete(cancel);
      action();
    });
    this.#timers.add(cancel);
    return () => {
      this.#timers.delete(cancel);
      cancel();
    };
  }

  soon(action: () => void): void {
    this.#clock.soon(() => {
      if (!this.#ended) action();
    });
  }

  end(): void {
    this.#ended = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }
}
