import type { Cancel, Clock } from "../../platform/ports.ts";

interface Entry {
  readonly at: number;
  action: (() => void) | undefined;
}

/**
 * Ms that the timer outlives the last deadline. One that stayed until that would fire keeps a Durable Object awake, and
 * billed, for half a minute after each call; one that was armed anew for each call would cost more than the call's turn.
 */
const LINGER = 50;
/** Ms until a process that ended with work left is woken to go on. */
export const WAKE_AFTER = 5_000;

/**
 * Many deadlines on one platform timer. Turns that end in the event that started them never come here, so the usual call
 * costs no timer; the others cost a push on a binary heap. Cancelled entries stay until they surface or outnumber the rest.
 */
export class Deadlines {
  readonly #clock: Clock;
  #heap: Entry[] = [];
  #cancelled = 0;
  #firing = false;
  #armed: { at: number; cancel: Cancel } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** Runs `action` once at `at` (ms since the epoch) or soon after, unless cancelled. */
  add(at: number, action: () => void): Cancel {
    if (at === Number.POSITIVE_INFINITY) return () => undefined;
    const entry: Entry = { at, action };
    this.#push(entry);
    if (!this.#firing && (this.#armed === undefined || at < this.#armed.at)) this.#arm(at);
    return () => {
      if (entry.action === undefined) return;
      entry.action = undefined;
      this.#cancelled++;
      if (this.size === 0) this.#rest();
      else if (this.#cancelled > 64 && this.#cancelled * 2 > this.#heap.length) this.#compact();
    };
  }

  #arm(at: number): void {
    this.#armed?.cancel();
    this.#armed = { at, cancel: this.#clock.after(Math.max(0, at - this.#clock.now()), () => this.#fire()) };
  }

  #fire(): void {
    this.#armed = undefined;
    this.#firing = true;
    try {
      this.#runDue(this.#clock.now());
    } finally {
      // What an action throws is the timer's to report; the deadlines after it get a timer all the same.
      this.#firing = false;
      const next = this.#heap[0];
      if (next !== undefined) this.#arm(next.at);
    }
  }

  #runDue(now: number): void {
    for (
      let top = this.#heap[0];
      top !== undefined && (top.at <= now || top.action === undefined);
      top = this.#heap[0]
    ) {
      this.#pop();
      const action = top.action;
      if (action === undefined) {
        this.#cancelled--;
        continue;
      }
      top.action = undefined;
      action();
    }
  }

  #compact(): void {
    const live = this.#heap.filter((entry) => entry.action !== undefined);
    this.#heap = [];
    this.#cancelled = 0;
    for (const entry of live) this.#push(entry);
  }

  /** Nothing is left to wait for. */
  #rest(): void {
    this.#heap = [];
    this.#cancelled = 0;
    const soon = this.#clock.now() + LINGER;
    if (this.#armed !== undefined && this.#armed.at > soon) this.#arm(soon);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if ((heap[parent] as Entry).at <= entry.at) break;
      heap[index] = heap[parent] as Entry;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && right.at < (heap[child] as Entry).at) child++;
      if ((heap[child] as Entry).at >= last.at) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
  }
}
