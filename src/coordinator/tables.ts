import { migrateBy } from "../config/migrate.ts";
import { writeMeta } from "../platform/meta.ts";
import type { SqlStorage } from "../platform/ports.ts";

/**
 * The coordinator's database. `map` holds the genesis; the other tables hold how the cluster differs from it by now: `members`,
 * `shards` (one row for each that is not where the base map puts it, is pinned or has moved), `moves` (the journal, and the
 * newest that ended), what partitions reported, what was decided and who ordered it, the versions of the settings document and
 * who has heard of which. `api_keys` has the hashes of keys ([ACC5]), `revocations` which gates are to hear that one counts no more.
 */
const MIGRATIONS: readonly string[][] = [
  [
    `CREATE TABLE members (name TEXT PRIMARY KEY, weight REAL NOT NULL, labels TEXT NOT NULL, state TEXT NOT NULL,
       location TEXT, since INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE shards (shard INTEGER PRIMARY KEY, partition TEXT NOT NULL, epoch INTEGER, why TEXT,
       pinned INTEGER NOT NULL DEFAULT 0, pinned_to TEXT, moved_at INTEGER, retry_at INTEGER NOT NULL DEFAULT 0)`,
    `CREATE TABLE moves (id INTEGER PRIMARY KEY, shard INTEGER NOT NULL, shards INTEGER NOT NULL, source TEXT NOT NULL,
       target TEXT NOT NULL, map_version INTEGER NOT NULL, phase TEXT NOT NULL, epoch INTEGER, undo_reason TEXT,
       reason TEXT NOT NULL, detail TEXT NOT NULL, trouble TEXT, attempts INTEGER NOT NULL, copied INTEGER NOT NULL,
       bytes INTEGER NOT NULL, started INTEGER NOT NULL, updated INTEGER NOT NULL, progressed INTEGER NOT NULL,
       ended INTEGER)`,
    "CREATE INDEX moves_open ON moves (id) WHERE ended IS NULL",
    `CREATE TABLE loads (shard INTEGER PRIMARY KEY, calls REAL NOT NULL, busy REAL NOT NULL, objects INTEGER NOT NULL,
       bytes INTEGER NOT NULL, types TEXT NOT NULL, at INTEGER NOT NULL)`,
    `CREATE TABLE decisions (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, cause TEXT NOT NULL,
       moves INTEGER NOT NULL, skipped TEXT NOT NULL)`,
    `CREATE TABLE audit (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL,
       request_id TEXT NOT NULL, command TEXT NOT NULL, details TEXT NOT NULL, outcome TEXT NOT NULL)`,
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
  ],
  ["ALTER TABLE moves ADD COLUMN paused INTEGER"],
  ["DROP TABLE loads", "CREATE TABLE reports (partition TEXT PRIMARY KEY, shards TEXT NOT NULL) WITHOUT ROWID"],
  [
    `CREATE TABLE api_keys (seq INTEGER PRIMARY KEY AUTOINCREMENT, prefix TEXT NOT NULL UNIQUE, hash TEXT NOT NULL,
       identity TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER, revoked INTEGER,
       used INTEGER)`,
  ],
  [
    `CREATE TABLE settings (version INTEGER PRIMARY KEY, document TEXT NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL,
       request_id TEXT NOT NULL, source INTEGER)`,
    `CREATE TABLE settings_receipts (kind TEXT NOT NULL, name TEXT NOT NULL, seen INTEGER NOT NULL, version INTEGER NOT NULL,
       fault TEXT, PRIMARY KEY (kind, name)) WITHOUT ROWID`,
  ],
  [
    `CREATE TABLE revocations (gate TEXT NOT NULL, credential TEXT NOT NULL, since INTEGER NOT NULL, due INTEGER NOT NULL,
       PRIMARY KEY (gate, credential)) WITHOUT ROWID`,
  ],
];

/** Brings the database to the present shape. */
export function migrateCoordinator(storage: SqlStorage): void {
  storage.query(
    "CREATE TABLE IF NOT EXISTS map (version INTEGER PRIMARY KEY, document TEXT NOT NULL, at INTEGER NOT NULL)",
  );
  migrateBy(MIGRATIONS, storage);
}

export function setMeta(storage: SqlStorage, key: string, value: string | null): void {
  if (value === null) storage.query("DELETE FROM meta WHERE key = ?", key);
  else writeMeta(storage, key, value);
}

/** Adds to a counter that survives everything. */
export function count(storage: SqlStorage, name: string, by = 1): void {
  storage.query(
    "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
    name,
    by,
  );
}

export function counters(storage: SqlStorage, prefix: string): Record<string, number> {
  const rows = storage.query<{ name: string; value: number }>("SELECT name, value FROM counters ORDER BY name");
  const mine = rows.filter(({ name }) => name.startsWith(prefix));
  return Object.fromEntries(mine.map(({ name, value }) => [name.slice(prefix.length), value]));
}
