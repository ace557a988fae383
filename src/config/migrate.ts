import { readMeta, writeMeta } from "../platform/meta.ts";
import type { SqlStorage } from "../platform/ports.ts";
import { checkSchemaVersion } from "./schema-version.ts";

/** Brings a database to the present shape. Each step runs once, in one transaction with its mark. */
export function migrateBy(steps: readonly (readonly string[])[], storage: SqlStorage): void {
  storage.query("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
  const done = Number(readMeta(storage, "schema") ?? 0);
  checkSchemaVersion(done, steps.length);
  for (const [step, statements] of steps.entries()) {
    if (step < done) continue;
    storage.transaction(() => {
      for (const statement of statements) storage.query(statement);
      writeMeta(storage, "schema", String(step + 1));
    });
  }
}
