import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { SqlRow, SqlStorage, SqlValue } from "../platform/ports.ts";

/**
 * `SqlStorage` over `node:sqlite`: in memory, or in a file with a sync per transaction. Faults can be planted to see what
 * the code above makes of them.
 */
export class SqliteStorage implements SqlStorage {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Makes the next transaction fail with this error, once. */
  failNext: Error | undefined;
  /** Called with each statement. */
  onQuery: ((sql: string) => void) | undefined;
  /** When the storage last asked to be woken. */
  wake: number | null = null;
  onWake: ((time: number | null) => void) | undefined;

  constructor(path = ":memory:") {
    this.#database = new DatabaseSync(path);
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  }

  query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    this.onQuery?.(sql);
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement.all(...params) as Row[];
  }

  transaction<R>(action: () => R): R {
    this.#database.exec("BEGIN");
    try {
      const result = action();
      const failure = this.failNext;
      this.failNext = undefined;
      if (failure !== undefined) throw failure;
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  barrier(): Promise<void> {
    return Promise.resolve();
  }

  wakeAt(time: number | null): void {
    this.wake = time;
    this.onWake?.(time);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}
