import type { SqlStorage } from "../platform/ports.ts";

interface Parts {
  readonly storage: SqlStorage;
  /** When each part of the partition wants to be woken, should its process have ended; undefined for never. */
  readonly times: () => readonly (number | undefined)[];
}

/** The partition's one wake-up: at the earliest time that any part of it asks for. */
export class WakeUps {
  readonly #parts: Parts;
  #time: number | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Asks to be woken at `time`, unless it is to be sooner anyway. */
  by(time: number): void {
    if (this.#time !== undefined && this.#time <= time) return;
    this.#parts.storage.wakeAt(time);
    this.#time = time;
  }

  /** Asks every part anew: what has been done needs no wake-up. */
  rearm(): void {
    const times = this.#parts.times().filter((time) => time !== undefined);
    this.#time = times.length === 0 ? undefined : Math.min(...times);
    this.#parts.storage.wakeAt(this.#time ?? null);
  }
}
