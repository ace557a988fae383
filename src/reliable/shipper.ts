import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Cancel, Clock } from "../platform/ports.ts";
import type { CallRecord } from "./call-record.ts";
import type { CallLog } from "./ports.ts";

/** Records that go to the log together. */
export interface Batch {
  readonly records: readonly CallRecord[];
}

/** Where the shipper takes records from: the owner's durable tables. */
export interface Backlog<Records extends Batch = Batch> {
  /** The next records that the log has not seen, oldest first; all durable. Undefined: there are none for now. */
  next(): Promise<Records | undefined>;
  /** The log has these. */
  shipped(batch: Records): void;
  /** Whether there will be more, after the interval, though nobody may say so. */
  readonly waits: boolean;
}

export interface ShipperStatus {
  readonly state: "idle" | "waiting" | "shipping" | "backing off";
  readonly failures: number;
  readonly shipped: number;
  readonly lastError: string | undefined;
}

const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;

/**
 * Carries the backlog to the log ([CALL5], [CALL6]): gathers for an interval, writes batches of many rows until nothing is
 * left, and backs off while the log is away. It keeps nothing itself: what the log hasn't confirmed stays in the backlog,
 * and writing a record twice changes nothing.
 */
export class Shipper<Records extends Batch = Batch> {
  readonly #backlog: Backlog<Records>;
  readonly #log: CallLog;
  readonly #clock: Clock;
  readonly #config: { readonly logInterval: number };
  readonly #onRefused: (error: EdgeverseError) => void;
  #state: ShipperStatus["state"] = "idle";
  #timer: Cancel | undefined;
  #again = false;
  #stopped = false;
  #failures = 0;
  #shipped = 0;
  #lastError: string | undefined;

  /** @param parts.onRefused hears of records that the log will never take; `details.refused` names them */
  constructor(parts: {
    backlog: Backlog<Records>;
    log: CallLog;
    clock: Clock;
    config: { readonly logInterval: number };
    onRefused: (error: EdgeverseError) => void;
  }) {
    this.#backlog = parts.backlog;
    this.#log = parts.log;
    this.#clock = parts.clock;
    this.#config = parts.config;
    this.#onRefused = parts.onRefused;
  }

  get status(): ShipperStatus {
    return { state: this.#state, failures: this.#failures, shipped: this.#shipped, lastError: this.#lastError };
  }

  /** There is something new to ship. */
  poke(): void {
    if (this.#state === "idle") this.#later(this.#config.logInterval, "waiting");
    // Read only while it ships.
    else this.#again = true;
  }

  /** Ships what there is now, also during a back-off. Resolves when nothing is left or the log failed. */
  async ship(): Promise<void> {
    if (this.#state === "shipping") {
      this.#again = true;
      return;
    }
    this.#timer?.();
    this.#state = "shipping";
    try {
      do {
        this.#again = false;
        await this.#drain();
      } while (this.#again);
      this.#failures = 0;
      this.#lastError = undefined;
      this.#state = "idle";
      if (this.#backlog.waits) this.poke();
    } catch (error) {
      this.#failures++;
      this.#lastError = error instanceof Error ? error.message : String(error);
      this.#later(Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.min(this.#failures - 1, 10)), "backing off");
    }
  }

  /** Ends it for good; what is on its way to the log stays in the backlog. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.();
    this.#timer = undefined;
    if (this.#state !== "shipping") this.#state = "idle";
  }

  async #drain(): Promise<void> {
    for (;;) {
      const batch = this.#stopped ? undefined : await this.#backlog.next();
      if (batch === undefined) return;
      await this.#write(batch.records);
      if (this.#stopped) return;
      this.#backlog.shipped(batch);
      this.#shipped += batch.records.length;
    }
  }

  /** A record that Postgres refuses for what it holds would be refused for ever: it is reported and let go. */
  async #write(records: readonly CallRecord[]): Promise<void> {
    try {
      await this.#log.write(records);
    } catch (error) {
      if (!(error instanceof EdgeverseError) || error.code !== "INVALID_ARGUMENT") throw error;
      this.#onRefused(error);
    }
  }

  #later(delay: number, state: "waiting" | "backing off"): void {
    if (this.#stopped) return;
    this.#state = state;
    this.#timer = this.#clock.after(delay, () => {
      this.#timer = undefined;
      this.#state = "idle";
      void this.ship();
    });
  }
}
