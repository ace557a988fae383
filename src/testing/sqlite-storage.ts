import type { DatabaseSync } from "node:sqlite";
import type { SqlRow, SqlStorage, SqlValue } from "../platform/ports.ts";
import { limitedDatabase, PLATFORM, SqliteError } from "./platform-limits.ts";
import { Statements } from "./statements.ts";

/** A database of `node:sqlite` with the platform's limits: in memory, or in a file with a sync per transaction. */
export class SqliteStorage implements SqlStorage {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  /** A transaction that makes the database larger than this fails with `SQLITE_FULL`; deletes go on. */
  maxSize: number = PLATFORM.databaseBytes;
  /** Makes every commit fail with this error, as long as it is set. */
  failing: Error | undefined;
  /** Makes the next barrier fail with this error, once: the platform lost what it had taken. */
  loseNext: Error | undefined;
  /** Called with each statement. @internal */
  onQuery: ((sql: string) => void) | undefined;
  /** When its process wants to be woken. @internal */
  wake: number | null = null;

  constructor(path = ":memory:") {
    this.#database = limitedDatabase(path);
    this.#statements = new Statements(this.#database);
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  }

  /** Runs one statement and gives its rows. */
  query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    this.onQuery?.(sql);
    return this.#statements.all(sql, params);
  }

  transaction<R>(action: () => R): R {
    this.#database.exec("BEGIN");
    try {
      const before = this.#statements.size();
      const result = action();
      const size = this.#statements.size();
      if (size > this.maxSize && size > before) throw new SqliteError("database or disk is full", "SQLITE_FULL");
      if (this.failing !== undefined) throw this.failing;
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  barrier(): Promise<void> {
    const lost = this.loseNext;
    this.loseNext = undefined;
    return lost === undefined ? Promise.resolve() : Promise.reject(lost);
  }

  wakeAt(time: number | null): void {
    this.wake = time;
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}
