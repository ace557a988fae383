import type { SqlStorage } from "../platform/ports.ts";

/**
 * The partition's database. Rows of an object are clustered by `ring` (see identity/ring.ts), so a shard is one range of
 * every table. `calls` is in order of acceptance: the call marks, and until they are shipped the log's backlog (`open`).
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
];

/** Brings the database to the present shape. Each step runs once, in one transaction with its mark. */
export function migrate(storage: SqlStorage): void {
  storage.query("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
  const done = Number(readMeta(storage, "schema") ?? 0);
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
