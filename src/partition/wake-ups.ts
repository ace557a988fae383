import type { SqlStorage } from "../platform/ports.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly now: () => number;
  /** When each part of the partition wants to be woken, should its process have ended; undefined for never. */
  readonly times: () => readonly (number | undefined)[];
}

/** The partition's one wake-up: at the earliest time that any part of it asks for. */
export class WakeUps {
  readonly #parts: Parts;
  #time: number | undefined;
  /** Whether the parts were asked: an earlier process may have set a wake-up, and for another part. */
  #asked = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Asks to be woken at `time`, unless it is to be sooner anyway. */
  by(time: number): void {
    const sooner = this.#asked ? time : Math.min(time, ...this.#times());
    // One that has passed may have been lost: the platform gives an alarm up that failed too often.
    if (this.#time !== undefined && this.#time <= sooner && this.#time > this.#parts.now()) return;
    this.#wakeAt(sooner);
  }

  /** Asks every part anew: what has been done needs no wake-up. */
  rearm(): void {
    const times = this.#times();
    this.#wakeAt(times.length === 0 ? undefined : Math.min(...times));
  }

  #times(): number[] {
    this.#asked = true;
    return this.#parts.times().filter((time) => time !== undefined);
  }

  #wakeAt(time: number | undefined): void {
    this.#time = undefined;
    this.#parts.storage.wakeAt(time ?? null);
    this.#time = time;
  }
}
