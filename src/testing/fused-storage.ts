import type { SqlRow, SqlValue } from "../platform/ports.ts";
import { SqliteStorage } from "./sqlite-storage.ts";

/**
 * A database whose process can be made to die at a certain write: right after it, or before it reached anybody. What a dead
 * process still does reaches nothing; `reopen` is the next process's view of the same database.
 */
export class FusedStorage extends SqliteStorage {
  readonly #database: SqliteStorage;
  #left = Number.POSITIVE_INFINITY;
  #onDeath: (() => void) | undefined;
  #dead = false;
  #within = false;

  constructor(database: SqliteStorage = new SqliteStorage()) {
    super();
    this.#database = database;
  }

  /** The process dies right after the `writes`-th write from now. */
  arm(writes: number, onDeath: () => void): void {
    this.#left = writes;
    this.#onDeath = onDeath;
  }

  /** The process dies now. */
  kill(): void {
    this.#dead = true;
  }

  reopen(): FusedStorage {
    this.#dead = true;
    return new FusedStorage(this.#database);
  }

  override query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    this.#alive();
    const rows = this.#database.query<Row>(sql, ...params);
    if (!this.#within && !/^\s*SELECT/i.test(sql)) this.#wrote();
    return rows;
  }

  override transaction<R>(action: () => R): R {
    this.#alive();
    this.#database.failNext = this.failNext;
    this.failNext = undefined;
    this.#within = true;
    let result: R;
    try {
      result = this.#database.transaction(action);
    } finally {
      this.#within = false;
      this.#database.failNext = undefined;
    }
    this.#wrote();
    return result;
  }

  override async barrier(): Promise<void> {
    await Promise.resolve();
    if (this.#dead) await new Promise<void>(() => undefined);
  }

  override wakeAt(time: number | null): void {
    if (!this.#dead) this.#database.wakeAt(time);
  }

  #alive(): void {
    if (this.#dead) throw new Error("this process has ended");
  }

  #wrote(): void {
    if (--this.#left >= 0 || this.#onDeath === undefined) return;
    this.#dead = true;
    const onDeath = this.#onDeath;
    this.#onDeath = undefined;
    queueMicrotask(onDeath);
  }
}
