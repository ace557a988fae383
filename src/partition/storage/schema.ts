import { migrateBy } from "../../config/migrate.ts";
import type { SqlStorage } from "../../platform/ports.ts";
import { INDEX_ENTRIES } from "./index-entries.ts";

/**
 * The partition's database. Rows of an object are clustered by `position`, in hash order (see identity/hash-order.ts), so a shard is one range of
 * every table.
 *
 * A reliable call that was accepted is a row of `pending` until it ends; what is read of all of them at once comes before the
 * request, which may be large. A call that has ended is a row of `marks`, written once; where the log is local, with what was
 * asked and by whom. `seq` is the order of acceptance, a
 * hybrid logical clock, so that it goes on growing when a call has moved here from another partition. `calls` is both as one,
 * with the columns a call moves with. `backlog` is what the log has yet to see of outcomes: lists of records in order; `n` is
 * the number of the first record of a row, and `at` how many bytes came before it, so that the first and the last row tell
 * how much there is.
 *
 * `outbox` is what objects have to send ([CALL7]): `n` is the order of sending, a hybrid logical clock as text; `due` is 0 for
 * what leaves at once.
 *
 * `reminders` is what objects want to be called for later ([TIME1]); `wake` is when a row is to be looked at: its due time, or
 * later when it was refused then. Triggers keep their number and bytes in `reminder_size`.
 * `index_entries` is what objects of types with indexes are found by, see index-entries.ts.
 *
 * `events` is what sinks have yet to get ([EVT1]), a row for each sink: `n` is the order of emitting, as in `outbox`, and the sink.
 *
 * `shards` is what this partition knows of shards (see placement/shard-state.ts); `changes` is what was written to leaving
 * shards.
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
  [
    `CREATE TABLE pending (
       position INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, call_id TEXT NOT NULL, seq INTEGER NOT NULL,
       status TEXT NOT NULL, method TEXT NOT NULL, request_hash TEXT NOT NULL, error TEXT, caller TEXT, trace_id TEXT,
       attempts INTEGER NOT NULL, epoch INTEGER NOT NULL, accepted INTEGER NOT NULL, expires INTEGER, log TEXT NOT NULL,
       crashes INTEGER NOT NULL, bytes INTEGER NOT NULL, request TEXT,
       PRIMARY KEY (position, type, id, call_id)) WITHOUT ROWID`,
    `CREATE TABLE marks (
       position INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, call_id TEXT NOT NULL, seq INTEGER NOT NULL,
       accepted INTEGER NOT NULL, finished INTEGER NOT NULL, status TEXT NOT NULL, logged INTEGER NOT NULL,
       method TEXT NOT NULL, request_hash TEXT NOT NULL, attempts INTEGER NOT NULL, epoch INTEGER NOT NULL,
       error TEXT, response TEXT,
       PRIMARY KEY (position, type, id, call_id)) WITHOUT ROWID`,
    `CREATE TABLE backlog (
       n INTEGER PRIMARY KEY, records INTEGER NOT NULL, at INTEGER NOT NULL, bytes INTEGER NOT NULL,
       list TEXT NOT NULL, request TEXT, response TEXT)`,
    `INSERT INTO pending SELECT position, type, id, call_id, seq, status, method, request_hash, error, caller, trace_id,
       attempts, epoch, accepted, expires, log, crashes, coalesce(length(request), 0), request
     FROM calls WHERE status = 'pending'`,
    `INSERT INTO marks SELECT position, type, id, call_id, seq, accepted, coalesce(finished, accepted), status,
       NOT (open = 1 AND log = 'write-ahead'), method, request_hash, attempts, epoch, error, response
     FROM calls WHERE status <> 'pending'`,
    // Each record in a row of its own: it may be large.
    `INSERT INTO backlog
       SELECT row_number() OVER line, 1, sum(bytes) OVER line - bytes, bytes,
         json_array(json_object('position', position, 'ahead', json(iif(log = 'write-ahead', 'true', 'false')),
           'type', type, 'id', id, 'callId', call_id, 'method', method, 'requestHash', request_hash, 'status', status,
           'error', json(error), 'caller', caller, 'traceId', trace_id, 'attempts', attempts, 'epoch', epoch,
           'acceptedAt', accepted, 'finishedAt', finished, 'expiresAt', expires)), request, response
       FROM (SELECT *, 400 + coalesce(length(request), 0) + coalesce(length(response), 0) AS bytes FROM calls)
       WHERE open = 1 AND status <> 'pending'
       WINDOW line AS (ORDER BY seq, position, call_id ROWS UNBOUNDED PRECEDING)`,
    "DROP TABLE calls",
    // Both halves must have columns of the same type: else SQLite can't merge them in order, and would sort them all.
    `CREATE VIEW calls AS
       SELECT position, type, id, call_id, seq, method, request, request_hash, status, CAST(NULL AS TEXT) AS response, error,
         caller, trace_id, attempts, epoch, accepted, CAST(NULL AS INTEGER) AS finished, expires, log, crashes,
         CAST(0 AS INTEGER) AS shipped, 1 AS open FROM pending
       UNION ALL
       SELECT position, type, id, call_id, seq, method, CAST(NULL AS TEXT), request_hash, status, response, error,
         CAST(NULL AS TEXT), CAST(NULL AS TEXT), attempts, epoch, accepted, finished, CAST(NULL AS INTEGER),
         CAST('write-behind' AS TEXT), CAST(0 AS INTEGER), logged, 0 FROM marks`,
  ],
  // Costs nothing until a call is parked.
  ["CREATE INDEX pending_parked ON pending (position, type, id, call_id) WHERE status = 'parked'"],
  [
    ...["caller TEXT", "trace_id TEXT", "expires INTEGER", "request TEXT"].map(
      (column) => `ALTER TABLE marks ADD COLUMN ${column}`,
    ),
    // Costs nothing for a call that succeeds.
    "CREATE INDEX marks_unsuccessful ON marks (seq) WHERE status <> 'success'",
    "DROP VIEW calls",
    `CREATE VIEW calls AS
       SELECT position, type, id, call_id, seq, method, request, request_hash, status, CAST(NULL AS TEXT) AS response, error,
         caller, trace_id, attempts, epoch, accepted, CAST(NULL AS INTEGER) AS finished, expires, log, crashes,
         CAST(0 AS INTEGER) AS shipped, 1 AS open FROM pending
       UNION ALL
       SELECT position, type, id, call_id, seq, method, request, request_hash, status, response, error, caller, trace_id,
         attempts, epoch, accepted, finished, expires, CAST('write-behind' AS TEXT), CAST(0 AS INTEGER), logged, 0 FROM marks`,
  ],
  [
    `CREATE TABLE outbox (
       position INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, n TEXT NOT NULL,
       due INTEGER NOT NULL, status TEXT NOT NULL, call_id TEXT NOT NULL, to_type TEXT NOT NULL, to_id TEXT NOT NULL,
       method TEXT NOT NULL, outcome_method TEXT, caller TEXT NOT NULL, request_id TEXT NOT NULL, traceparent TEXT,
       expires INTEGER, log TEXT, error TEXT, bytes INTEGER NOT NULL, request TEXT,
       PRIMARY KEY (position, type, id, n)) WITHOUT ROWID`,
    // Both cost nothing for a message that leaves at once.
    "CREATE INDEX outbox_due ON outbox (due) WHERE due > 0",
    "CREATE INDEX outbox_parked ON outbox (position, type, id, n) WHERE status = 'parked'",
  ],
  [
    `CREATE TABLE reminders (
       position INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
       setting TEXT NOT NULL, due INTEGER NOT NULL, wake INTEGER NOT NULL, last INTEGER, attempts INTEGER NOT NULL,
       rule TEXT NOT NULL, method TEXT NOT NULL, caller TEXT NOT NULL, request_id TEXT NOT NULL, traceparent TEXT,
       error TEXT, bytes INTEGER NOT NULL, request TEXT,
       PRIMARY KEY (position, type, id, name)) WITHOUT ROWID`,
    // It has the columns of the key after its own, so what is due can be read from a place on.
    "CREATE INDEX reminders_wake ON reminders (wake)",
    "CREATE TABLE reminder_size (rows INTEGER NOT NULL, bytes INTEGER NOT NULL)",
    "INSERT INTO reminder_size VALUES (0, 0)",
    `CREATE TRIGGER reminder_added AFTER INSERT ON reminders BEGIN
       UPDATE reminder_size SET rows = rows + 1, bytes = bytes + new.bytes; END`,
    `CREATE TRIGGER reminder_removed AFTER DELETE ON reminders BEGIN
       UPDATE reminder_size SET rows = rows - 1, bytes = bytes - old.bytes; END`,
    `CREATE TRIGGER reminder_resized AFTER UPDATE OF bytes ON reminders BEGIN
       UPDATE reminder_size SET bytes = bytes + new.bytes - old.bytes; END`,
  ],
  INDEX_ENTRIES,
  [
    "CREATE INDEX reminders_calls ON reminders (position) WHERE name < '!'",
    "CREATE INDEX reminders_refused ON reminders (position) WHERE error IS NOT NULL",
  ],
  [
    `CREATE TABLE events (
       position INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, n TEXT NOT NULL,
       sink TEXT NOT NULL, status TEXT NOT NULL, event_id TEXT NOT NULL, topic TEXT NOT NULL, epoch INTEGER NOT NULL,
       time INTEGER NOT NULL, traceparent TEXT, error TEXT, bytes INTEGER NOT NULL, data TEXT NOT NULL,
       PRIMARY KEY (position, type, id, n)) WITHOUT ROWID`,
  ],
  [
    "ALTER TABLE pending ADD COLUMN history TEXT",
    "ALTER TABLE marks ADD COLUMN history TEXT",
    "DROP VIEW calls",
    `CREATE VIEW calls AS
       SELECT position, type, id, call_id, seq, method, request, request_hash, status, CAST(NULL AS TEXT) AS response, error,
         caller, trace_id, attempts, epoch, accepted, CAST(NULL AS INTEGER) AS finished, expires, log, crashes,
         CAST(0 AS INTEGER) AS shipped, 1 AS open, history FROM pending
       UNION ALL
       SELECT position, type, id, call_id, seq, method, request, request_hash, status, response, error, caller, trace_id,
         attempts, epoch, accepted, finished, expires, CAST('write-behind' AS TEXT), CAST(0 AS INTEGER), logged, 0, history
       FROM marks`,
  ],
];

/** Brings the database to the present shape. Each step runs once, in one transaction with its mark. */
export function migrate(storage: SqlStorage): void {
  migrateBy(MIGRATIONS, storage);
}
