import type { Cancel, Clock } from "../../../platform/ports.ts";

/** Timers from here on don't keep a process in memory here: seeds are not so long. They do on the platform. */
const LONG = 10_000;

/** A clock that knows whether its process waits for anything: as long as it does, it is not put to sleep. */
export class BusyClock implements Clock {
  readonly #clock: Clock;
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get rests(): boolean {
    return this.#waiting === 0;
  }

  now(): number {
    return this.#clock.now();
  }

  after(delay: number, action: () => void): Cancel {
    if (delay >= LONG) return this.#clock.after(delay, action);
    this.#waiting++;
    let over = false;
    const end = () => {
      if (!over) this.#waiting--;
      over = true;
    };
    const cancel = this.#clock.after(delay, () => {
      end();
      action();
    });
    return () => {
      end();
      cancel();
    };
  }

  soon(action: () => void): void {
    this.#waiting++;
    this.#clock.soon(() => {
      this.#waiting--;
      action();
    });
  }

  /** Keeps the process awake until the work is done. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#waiting++;
    try {
      return await work;
    } finally {
      this.#waiting--;
    }
  }
}
