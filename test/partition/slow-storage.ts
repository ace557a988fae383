import { SqliteStorage } from "edgeverse/testing";
import type { SqlRow, SqlValue } from "../../src/platform/ports.ts";

/** A storage that is durable only when the test says so. */
export class SlowStorage extends SqliteStorage {
  hold = false;
  held: (() => void)[] = [];
  broken = false;
  #from: SqliteStorage | undefined;
  #dead = false;
  /** Serves what `from` holds, which gets nothing more in or out: the process that used it has ended. */
  take(from: SlowStorage): void {
    this.#from = from;
    from.#dead = true;
  }
  maxBytes = Number.POSITIVE_INFINITY;
  override query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    if (this.broken) throw new Error("storage is gone");
    for (const param of params) {
      // The platform's "maximum string, BLOB or table row size".
      if (typeof param === "string" && Buffer.byteLength(param) > this.maxBytes) throw new Error("SQLITE_TOOBIG");
    }
    if (this.#from !== undefined) return SqliteStorage.prototype.query.call(this.#from, sql, ...params) as Row[];
    return this.#dead ? [] : super.query<Row>(sql, ...params);
  }
  override transaction<R>(action: () => R): R {
    if (this.broken) throw new Error("storage is gone");
    if (this.#from !== undefined) return SqliteStorage.prototype.transaction.call(this.#from, action) as R;
    return this.#dead ? (undefined as R) : super.transaction(action);
  }
  override barrier(): Promise<void> {
    if (this.#dead) return new Promise(() => undefined);
    if (!this.hold) return super.barrier();
    return new Promise((resolve) => this.held.push(resolve));
  }
}
