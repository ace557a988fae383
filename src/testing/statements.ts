import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { SqlRow, SqlValue } from "../platform/ports.ts";

/** Prepared statements of a database, each prepared once. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, { readonly statement: StatementSync; readonly numbered: boolean }>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Runs a statement and gives its rows. */
  all<Row extends SqlRow>(sql: string, params: readonly SqlValue[]): Row[] {
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

  clear(): void {
    this.#prepared.clear();
  }
}
