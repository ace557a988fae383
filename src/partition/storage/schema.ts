import { checkSchemaVersion } from "../../config/schema-version.ts";
import type { SqlStorage } from "../../platform/ports.ts";

/**
 * The partition's database. Rows of an object are clustered by `position`, in hash order (see identity/hash-order.ts), so a shard is one range of
 * every table. `calls` holds the call marks, and until they are shipped the log's backlog (`open`); `seq` is their order of
 * acceptance, a hybrid logical clock, so that it goes on growing when a call has moved here from another partition. `shards`
 * is what this partition knows of shards (see placement/shard-state.ts); `changes` is what was written to leaving shards.
 */
const MIGRATIONS: readonly string[][] = [
  [
    `CREATE TABLE objects (
       ring INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
       version INTEGER NOT NULL, state TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
       PRIMARY KEY (ring, type, id)) WITHOUT ROWID`,
    `CREATE TABLE rows (
       ring INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
       PRIMARY KEY (ring, type, id, key)) WITHOUT ROWID`,
    `CREATE TABLE calls (
       seq INTEGER PRIMARY KEY, ring INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, call_id TEXT NOT NULL,
       shard INTEGER NOT NULL, method TEXT NOT NULL, request TEXT, request_hash TEXT NOT NULL, status TEXT NOT NULL,
       response TEXT, error TEXT, caller TEXT, trace_id TEXT, attempts INTEGER NOT NULL, epoch INTEGER NOT NULL,
       accepted INTEGER NOT NULL, finished INTEGER, expires INTEGER, log TEXT NOT NULL,
       crashes INTEGER NOT NULL DEFAULT 0, shipped INTEGER NOT NULL DEFAULT 0, open INTEGER NOT NULL DEFAULT 1)`,
    "CREATE UNIQUE INDEX calls_by_id ON calls (ring, type, id, call_id)",
    "CREATE INDEX calls_open ON calls (seq) WHERE open = 1",
    "CREATE TABLE shards (shard INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, claimed INTEGER NOT NULL)",
  ],
  [
    `CREATE TABLE moving_calls (
       ring INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, call_id TEXT NOT NULL, seq INTEGER NOT NULL,
       method TEXT NOT NULL, request TEXT, request_hash TEXT NOT NULL, status TEXT NOT NULL,
       response TEXT, error TEXT, caller TEXT, trace_id TEXT, attempts INTEGER NOT NULL, epoch INTEGER NOT NULL,
       accepted INTEGER NOT NULL, finished INTEGER, expires INTEGER, log TEXT NOT NULL,
       crashes INTEGER NOT NULL DEFAULT 0, shipped INTEGER NOT NULL DEFAULT 0, open INTEGER NOT NULL DEFAULT 1,
       PRIMARY KEY (ring, type, id, call_id)) WITHOUT ROWID`,
    `INSERT INTO moving_calls SELECT ring, type, id, call_id, seq, method, request, request_hash, status, response,
       error, caller, trace_id, attempts, epoch, accepted, finished, expires, log, crashes, shipped, open FROM calls`,
    "DROP TABLE calls",
    "ALTER TABLE moving_calls RENAME TO calls",
    "CREATE INDEX calls_open ON calls (seq) WHERE open = 1",
    "ALTER TABLE shards ADD COLUMN state TEXT NOT NULL DEFAULT 'owned'",
    "ALTER TABLE shards ADD COLUMN move INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE shards ADD COLUMN seen INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE shards ADD COLUMN peer TEXT",
    "ALTER TABLE shards ADD COLUMN dirty INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE shards ADD COLUMN map_version INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE shards ADD COLUMN copy TEXT",
    "CREATE INDEX shards_dirty ON shards (shard) WHERE dirty = 1",
    `CREATE TABLE changes (
       ring INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, kind INTEGER NOT NULL, key TEXT NOT NULL,
       n INTEGER NOT NULL, wipe INTEGER NOT NULL, PRIMARY KEY (ring, type, id, kind, key)) WITHOUT ROWID`,
  ],
  ["CREATE INDEX changes_n ON changes (n)"],
  [
    ...["objects", "rows", "calls", "changes"].map((table) => `ALTER TABLE ${table} RENAME COLUMN ring TO position`),
    // A copy under way names its rows as JSON.
    `UPDATE shards SET copy = replace(copy, '"ring":', '"position":') WHERE copy IS NOT NULL`,
    // The policies' former names; in rows that are closed nobody reads them.
    "UPDATE calls SET log = CASE log WHEN 'before' THEN 'write-ahead' ELSE 'write-behind' END WHERE open = 1",
  ],
];

/** Brings the database to the present shape. Each step runs once, in one transaction with its mark. */
export function migrate(storage: SqlStorage): void {
  storage.query("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
  const done = Number(readMeta(storage, "schema") ?? 0);
  checkSchemaVersion(done, MIGRATIONS.length);
  for (let step = done; step < MIGRATIONS.length; step++) {
    storage.transaction(() => {
      for (const statement of MIGRATIONS[step] as string[]) storage.query(statement);
      writeMeta(storage, "schema", String(step + 1));
    });
  }
}

export function readMeta(storage: SqlStorage, key: string): string | undefined {
  return storage.query<{ value: string }>("SELECT value FROM meta WHERE key = ?", key)[0]?.value;
}

export function writeMeta(storage: SqlStorage, key: string, value: string): void {
  storage.query("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value);
}
