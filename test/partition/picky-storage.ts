import { SqliteStorage } from "edgeverse/testing";
import type { SqlRow, SqlValue } from "../../src/platform/ports.ts";
import { SqliteError } from "../../src/testing/platform-limits.ts";

/** A database that takes no value with the word POISON, and on demand nothing more. */
export class PickyStorage extends SqliteStorage {
  /** It has no room for what transactions write. */
  full = false;
  /** An id whose row can't be read. */
  damaged: string | undefined;
  #inTransaction = false;

  override query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    if (/^\s*(INSERT|UPDATE)/.test(sql)) {
      if (params.some((param) => String(param).includes("POISON")))
        throw new SqliteError("constraint failed", "SQLITE_CONSTRAINT");
      if (this.full && this.#inTransaction) throw new SqliteError("database or disk is full", "SQLITE_FULL");
    } else if (this.damaged !== undefined && sql.startsWith("SELECT") && params.includes(this.damaged)) {
      throw new SqliteError("database disk image is malformed", "SQLITE_CORRUPT");
    }
    return super.query<Row>(sql, ...params);
  }

  override transaction<R>(action: () => R): R {
    return super.transaction(() => {
      this.#inTransaction = true;
      try {
        return action();
      } finally {
        this.#inTransaction = false;
      }
    });
  }
}
