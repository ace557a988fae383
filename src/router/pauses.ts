import { pause } from "../platform/pause.ts";
import type { Clock } from "../platform/ports.ts";

const FIRST = 5;
/** Ms that pauses double up to. */
const SOON = 250;
/** Later ones are this part of the time that has passed: 10 minutes are some 60 pauses, and so are the messages between them. */
const PART = 1 / 8;

/** Pauses between attempts, each longer than the one before. */
export class Pauses {
  readonly #clock: Clock;
  readonly #start: number;
  #next = FIRST;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#start = clock.now();
  }

  /** When the next pause would end. */
  get end(): number {
    return this.#clock.now() + this.#next;
  }

  async wait(): Promise<void> {
    await pause(this.#clock, this.#next);
    this.#next = Math.max(Math.min(SOON, this.#next * 2), Math.floor((this.#clock.now() - this.#start) * PART));
  }
}
