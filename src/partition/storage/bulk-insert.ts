import type { SqlStorage, SqlValue } from "../../platform/ports.ts";
import { JsonBatch } from "./json-batch.ts";

/** Characters of a row beyond which it is stored alone. */
const LARGE = 32 * 1024;

/** Inserts rows, many in one statement: half the cost of one each. Large ones go alone, so that no parameter is too large. */
export class BulkInsert {
  readonly #one: string;
  readonly #many: string;

  /** @param onConflict what follows the rows: what becomes of those that are there */
  constructor(table: string, columns: readonly string[], onConflict = "") {
    const into = `INSERT INTO ${table} (${columns.join(", ")})`;
    const fields = columns.map((_, index) => `list->>${index}`).join(", ");
    this.#one = `${into} VALUES (${columns.map(() => "?").join(", ")}) ${onConflict}`;
    // Each row is read once, not for each column. Without a condition, SQLite would take the conflict clause for one of a join.
    this.#many = `${into} WITH rows (list) AS MATERIALIZED (SELECT jsonb(value) FROM json_each(?))
      SELECT ${fields} FROM rows WHERE true ${onConflict}`;
  }

  /** @param rows values in the order of the columns */
  store(storage: SqlStorage, rows: Iterable<readonly SqlValue[]>): void {
    const bulk = new JsonBatch((list) => storage.query(this.#many, list));
    for (const row of rows) {
      if (charactersOf(row) > LARGE) storage.query(this.#one, ...row);
      else bulk.add(row);
    }
    bulk.flush();
  }
}

function charactersOf(row: readonly SqlValue[]): number {
  let characters = 0;
  for (const value of row) if (typeof value === "string") characters += value.length;
  return characters;
}
