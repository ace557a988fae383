import { migrateBy } from "../config/migrate.ts";
import { readMeta, writeMeta } from "../platform/meta.ts";
import type { SqlStorage } from "../platform/ports.ts";

/**
 * A gate's database. `messages` is its log, each message once, whoever it is for: `n` grows and is never given out again,
 * `call_id` tells a message that comes twice, `sent` is when its object sent it, `data` is null for one that came too late.
 * `sessions` has the clients; `ends` is null while one is connected, and `topics` is JSON: pairs of a topic or pattern and the
 * `n` after which it counts. `farewells` are sessions that have ended and of which an object has yet to be told.
 * `watches` is what connected clients watch, under their own numbers.
 *
 * Of presence, `present` has this gate's clients that take part in topics, since `at`; `ends` is null while one is connected.
 * `reports` is what gates say of topics that this one keeps, `members` as JSON, and `peers` when those gates were heard of.
 * `presence_due` are topics of which some gate has yet to be told.
 */
const MIGRATIONS: readonly string[][] = [
  [
    `CREATE TABLE messages (
       n INTEGER PRIMARY KEY, call_id TEXT NOT NULL, at INTEGER NOT NULL, sent INTEGER NOT NULL,
       target TEXT NOT NULL, bytes INTEGER NOT NULL, data TEXT)`,
    "CREATE UNIQUE INDEX messages_by_id ON messages (call_id)",
    `CREATE TABLE sessions (
       client TEXT PRIMARY KEY, hash TEXT NOT NULL, started INTEGER NOT NULL, position INTEGER NOT NULL,
       ends INTEGER, identity TEXT, topics TEXT NOT NULL) WITHOUT ROWID`,
    "CREATE INDEX sessions_ends ON sessions (ends) WHERE ends IS NOT NULL",
  ],
  ["CREATE TABLE farewells (client TEXT PRIMARY KEY, identity TEXT) WITHOUT ROWID"],
  [
    `CREATE TABLE watches (
       client TEXT NOT NULL, id INTEGER NOT NULL, type TEXT NOT NULL, object TEXT NOT NULL,
       PRIMARY KEY (client, id)) WITHOUT ROWID`,
  ],
  [
    `CREATE TABLE present (
       client TEXT NOT NULL, topic TEXT NOT NULL, id TEXT, at INTEGER NOT NULL, ends INTEGER,
       PRIMARY KEY (client, topic)) WITHOUT ROWID`,
    "CREATE INDEX present_topics ON present (topic, at)",
    "CREATE INDEX present_ends ON present (ends) WHERE ends IS NOT NULL",
    `CREATE TABLE reports (
       topic TEXT NOT NULL, gate TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL,
       members TEXT NOT NULL, PRIMARY KEY (topic, gate))`,
    "CREATE TABLE peers (gate TEXT PRIMARY KEY, heard INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE presence_due (topic TEXT PRIMARY KEY) WITHOUT ROWID",
  ],
];

/**
 * Brings the database to the present shape. Each step runs once, in one transaction with its mark.
 * @returns the gate's name: it is stored, since the platform does not say it to an alarm
 */
export function migrateGate(storage: SqlStorage, name: string | undefined): string {
  migrateBy(MIGRATIONS, storage);
  const stored = readMeta(storage, "name");
  if (stored !== undefined) return stored;
  if (name === undefined) throw new Error("a new gate has no name");
  writeMeta(storage, "name", name);
  return name;
}
