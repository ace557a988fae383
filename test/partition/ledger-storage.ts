import { MemoryCallLog, SqliteStorage } from "edgeverse/testing";
import type { SqlRow, SqlValue } from "../../src/platform/ports.ts";
import type { CallRecord } from "../../src/reliable/call-record.ts";
import { sleep } from "./ledger.ts";

/** One process's view of a partition's database. When the process dies, nothing of it gets in or out any more. */
export class Fence extends SqliteStorage {
  readonly #inner: SqliteStorage;
  dead = false;
  /** Transactions until the process dies, right after one. */
  fuse = Number.POSITIVE_INFINITY;
  constructor(inner: SqliteStorage) {
    super();
    this.#inner = inner;
  }
  override query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    return this.dead ? [] : this.#inner.query<Row>(sql, ...params);
  }
  override transaction<R>(action: () => R): R {
    if (this.dead) return undefined as R;
    const result = this.#inner.transaction(action);
    this.dead = --this.fuse <= 0;
    return result;
  }
  override barrier(): Promise<void> {
    return this.dead
      ? new Promise(() => undefined)
      : Promise.resolve().then(() => (this.dead ? new Promise<void>(() => undefined) : undefined));
  }
  override wakeAt(): void {}
}

/** A log that takes its time, so that calls finish while their rows are on the way. */
export class SlowLog extends MemoryCallLog {
  override async write(records: readonly CallRecord[]): Promise<void> {
    await sleep(40);
    await super.write(records);
  }
}
