import type { Clock, SqlStorage } from "../../platform/ports.ts";
import type { Ownership } from "../storage/ownership.ts";
import { clearRows } from "../storage/shard-rows.ts";

/** Rows removed in one step (about 1 ms of work), and ms until the next step, so that calls run in between. */
const BATCH = 200;
const YIELD = 1;

/**
 * Removes the rows of shards that have left, a few at a time, so that calls get in between. What is left over is marked
 * in the table (`dirty`) and goes on after a crash.
 */
export class ShardCleaner {
  readonly #storage: SqlStorage;
  readonly #clock: Clock;
  readonly #ownership: Ownership;
  readonly #onStart: () => void;
  readonly #onEnd: () => void;
  readonly #onError: (error: unknown) => void;
  #running = false;
  #stopped = false;

  constructor(parts: {
    storage: SqlStorage;
    clock: Clock;
    ownership: Ownership;
    /** Told true when it has rows to remove, and false when none is left. */
    onStart: () => void;
    onEnd: () => void;
    onError: (error: unknown) => void;
  }) {
    this.#storage = parts.storage;
    this.#clock = parts.clock;
    this.#ownership = parts.ownership;
    this.#onStart = parts.onStart;
    this.#onEnd = parts.onEnd;
    this.#onError = parts.onError;
  }

  /** Whether rows of the shard are left over from when it was here. */
  dirty(shard: number): boolean {
    return this.#storage.query("SELECT 1 AS there FROM shards WHERE shard = ? AND dirty = 1", shard).length > 0;
  }

  /** Whether any shard's are. */
  get busy(): boolean {
    return this.#next() !== undefined;
  }

  /** Goes to work if there is any. */
  start(): void {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    this.#onStart();
    this.#clock.after(YIELD, () => this.#step());
  }

  stop(): void {
    this.#stopped = true;
  }

  #step(): void {
    this.#running = false;
    if (this.#stopped) return;
    try {
      const shard = this.#next();
      if (shard === undefined) {
        this.#onEnd();
        return;
      }
      this.#storage.transaction(() => {
        if (clearRows(this.#storage, this.#ownership.range(shard), BATCH)) return;
        this.#storage.query("UPDATE shards SET dirty = 0 WHERE shard = ?", shard);
      });
      this.start();
    } catch (error) {
      this.#onError(error);
    }
  }

  #next(): number | undefined {
    return this.#storage.query<{ shard: number }>("SELECT shard FROM shards WHERE dirty = 1 LIMIT 1")[0]?.shard;
  }
}
