import type { Clock, SqlStorage } from "../platform/ports.ts";

/** Ms between two looks for clients that are gone. */
const LOOK_EVERY = 120_000;

/** When a gate is woken: the storage has one alarm for everything. */
export class GateAlarm {
  readonly #storage: SqlStorage;
  readonly #clock: Clock;
  /** As far as this process knows. */
  #at: number | undefined;

  constructor(storage: SqlStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** It has rung. */
  rung(): void {
    this.#at = undefined;
  }

  by(time: number | undefined): void {
    if (time === undefined || (this.#at !== undefined && this.#at <= time)) return;
    this.#at = time;
    this.#storage.wakeAt(time);
  }

  /** For the next look at connections: at the same moments, however often the process begins anew. */
  byNextLook(): void {
    this.by((Math.floor(this.#clock.now() / LOOK_EVERY) + 1) * LOOK_EVERY);
  }
}
