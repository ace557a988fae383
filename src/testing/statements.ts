import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { SqlRow, SqlValue } from "../platform/ports.ts";
import { SqliteError } from "./platform-limits.ts";

/** Prepared statements of a database, each prepared once. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, { readonly statement: StatementSync; readonly numbered: boolean }>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Runs a statement and gives its rows. @throws SqliteError when SQLite refuses it */
  all<Row extends SqlRow>(sql: string, params: readonly SqlValue[]): Row[] {
    try {
      return this.#all(sql, params);
    } catch (error) {
      throw SqliteError.from(error);
    }
  }

  #all<Row extends SqlRow>(sql: string, params: readonly SqlValue[]): Row[] {
    let prepared = this.#prepared.get(sql);
    if (prepared === undefined) {
      prepared = { statement: this.#database.prepare(sql), numbered: sql.includes("?1") };
      this.#prepared.set(sql, prepared);
    }
    const { statement, numbered } = prepared;
    // Node before 22.20 and 24.8 takes `?1` for a name and does not bind it by its place.
    const rows = numbered
      ? statement.all(Object.fromEntries(params.map((value, index) => [`?${index + 1}`, value])))
      : statement.all(...params);
    return rows as Row[];
  }

  /** Bytes of the database. Pages that are free count for nothing: the next rows go there. */
  size(): number {
    const [row] = this.all<{ bytes: number }>(
      `SELECT (page_count - freelist_count) * page_size AS bytes
       FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()`,
      [],
    );
    return row?.bytes ?? 0;
  }

  clear(): void {
    this.#prepared.clear();
  }
}
