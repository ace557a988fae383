import type { Cancel, Clock } from "../../platform/ports.ts";
import { Violation } from "./violation.ts";

interface Event {
  readonly at: number;
  readonly order: number;
  action: (() => void) | undefined;
}

/** Midnight of the simulation, ms since the epoch. */
export const BEGINNING = 1_800_000_000_000;

/** Events of one moment after which they are taken for an endless loop. */
const MOST_AT_ONCE = 2_000;
/** Events of one seed after which it has no end. */
const MOST = 100_000;

/** The one queue of everything that is to happen. Time passes only from one event to the next. */
export class SimTime {
  #now = 0;
  #order = 0;
  readonly #heap: Event[] = [];
  /** Events of this very moment. */
  #still = 0;
  events = 0;

  /** Ms since the beginning, with a fraction. */
  get now(): number {
    return this.#now;
  }

  at(time: number, action: () => void): Cancel {
    const event: Event = { at: Math.max(time, this.#now), order: this.#order++, action };
    push(this.#heap, event);
    return () => {
      event.action = undefined;
    };
  }

  after(delay: number, action: () => void): Cancel {
    return this.at(this.#now + Math.max(0, delay), action);
  }

  /**
   * Runs events up to `until`, each with everything that follows from it by promises alone.
   * @param afterEach returns false to stop
   */
  async run(until: number, afterEach: () => boolean): Promise<void> {
    await drained();
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      pop(this.#heap);
      const { action } = next;
      if (action === undefined) continue;
      if (next.at > this.#now) this.#still = 0;
      else if (++this.#still > MOST_AT_ONCE) throw new Violation("time stands still: something repeats itself at once");
      this.#now = next.at;
      if (++this.events > MOST) throw new Violation("there is no end to it: something repeats itself again and again");
      next.action = undefined;
      action();
      await drained();
      if (!afterEach()) return;
    }
    this.#now = Math.max(this.#now, until);
  }
}

/** A process as its clock sees it. */
export interface Runner {
  /** Runs `action` now, later if the process is frozen, or never if it has ended. */
  run(action: () => void): void;
}

/** One process's view of time: its timers end with it, stand still while it does, and its wall clock may be off. */
export class ProcessClock implements Clock {
  readonly #time: SimTime;
  readonly #runner: Runner;
  readonly #skew: number;
  readonly #lateness: () => number;

  /** @param lateness ms that the next timer rings late */
  constructor(time: SimTime, runner: Runner, skew: number, lateness: () => number) {
    this.#time = time;
    this.#runner = runner;
    this.#skew = skew;
    this.#lateness = lateness;
  }

  now(): number {
    return BEGINNING + Math.floor(this.#time.now + this.#skew);
  }

  after(delay: number, action: () => void): Cancel {
    let cancelled = false;
    const cancel = this.#time.after(delay + this.#lateness(), () => {
      this.#runner.run(() => {
        if (!cancelled) action();
      });
    });
    return () => {
      cancelled = true;
      cancel();
    };
  }

  soon(action: () => void): void {
    this.#time.after(0, () => this.#runner.run(action));
  }
}

/** Every promise that can settle has done so, and told those who wait for it. */
function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function before(left: Event, right: Event): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}

function push(heap: Event[], event: Event): void {
  let index = heap.length;
  heap.push(event);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (before(heap[parent] as Event, event)) break;
    heap[index] = heap[parent] as Event;
    index = parent;
  }
  heap[index] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop() as Event;
  if (heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++;
    if (before(last, heap[child] as Event)) break;
    heap[index] = heap[child] as Event;
    index = child;
  }
  heap[index] = last;
}
