import type { SqlStorage, SqlValue } from "../../platform/ports.ts";
import { JsonBatch } from "./json-batch.ts";

/** An object's row as far as its indexes go: where it is, and the text of `TypeIndexes.entries`, or null. */
export type IndexedRow = readonly [position: number, type: string, id: string, entries: string | null];

type Entry = readonly [type: string, name: string, rank: number, value: number | string, id: string, position: number];

const KEY = "type, name, rank, value, id, position";
/** SQLite reads some whole numbers exactly that JavaScript has only nearly: as it has them, they are equal. */
const VALUE = "iif(value->>2 = 2, CAST(value->>3 AS REAL), value->>3)";
const LIST = `SELECT value->>0, value->>1, value->>2, ${VALUE}, value->>4, value->>5 FROM json_each(?)`;

/**
 * `index_entries` has what the column `entries` of `objects` has, in the order of the values: in every transaction. Whoever
 * writes that column calls one of the two functions below in the same transaction. When a row is deleted, a trigger does it.
 */
export const INDEX_ENTRIES = [
  "ALTER TABLE objects ADD COLUMN entries TEXT",
  `CREATE TABLE index_entries (
     type TEXT NOT NULL, name TEXT NOT NULL, rank INTEGER NOT NULL, value NOT NULL, id TEXT NOT NULL,
     position INTEGER NOT NULL, PRIMARY KEY (${KEY})) WITHOUT ROWID`,
  `CREATE TRIGGER objects_deleted AFTER DELETE ON objects WHEN old.entries IS NOT NULL BEGIN
     DELETE FROM index_entries WHERE (${KEY}) IN (
       SELECT old.type, value->>0, value->>1, iif(value->>1 = 2, CAST(value->>2 AS REAL), value->>2), old.id, old.position
       FROM json_each(old.entries) AS entry WHERE entry.type = 'array');
   END`,
];

/** In place of `index_entries`: what it has of the object of a position, type and id. */
export const ENTRIES_OF_ONE = `(
  SELECT object.type, entry.value->>0 AS name, entry.value->>1 AS rank,
    iif(entry.value->>1 = 2, CAST(entry.value->>2 AS REAL), entry.value->>2) AS value, object.id, object.position
  FROM objects AS object, json_each(object.entries) AS entry
  WHERE object.position = ? AND object.type = ? AND object.id = ? AND entry.type = 'array')`;

/** Notes what new rows of `objects` have. */
export function insertEntries(storage: SqlStorage, rows: Iterable<IndexedRow>): void {
  const added = insertion(storage);
  for (const row of rows) for (const entry of entriesOf(row)) added.add(entry);
  added.flush();
}

/** Notes what rows of `objects` are about to have: the difference to what they have. */
export function replaceEntries(storage: SqlStorage, rows: readonly IndexedRow[]): void {
  const stored = storedEntries(storage, rows);
  const added = insertion(storage);
  const removed = new JsonBatch((list) => storage.query(`DELETE FROM index_entries WHERE (${KEY}) IN (${LIST})`, list));
  for (const row of rows) {
    const [position, type, id, text] = row;
    const old = stored.get(keyOf(position, type, id)) ?? null;
    if (old === text) continue;
    const [before, after] = [entriesOf([position, type, id, old]), entriesOf(row)];
    const [had, has] = [new Set(before.map(textOf)), new Set(after.map(textOf))];
    for (const entry of before) if (!has.has(textOf(entry))) removed.add(entry);
    for (const entry of after) if (!had.has(textOf(entry))) added.add(entry);
  }
  removed.flush();
  added.flush();
}

function insertion(storage: SqlStorage): JsonBatch {
  const sql = `INSERT INTO index_entries (${KEY}) ${LIST} WHERE true ON CONFLICT DO NOTHING`;
  return new JsonBatch((list) => storage.query(sql, list));
}

/** Tells the entries of one object apart. */
function textOf([, name, rank, value]: Entry): string {
  return `${name} ${rank} ${value}`;
}

function storedEntries(storage: SqlStorage, rows: readonly IndexedRow[]): Map<string, string | null> {
  const found = new Map<string, string | null>();
  const keys = new JsonBatch((list) => {
    const stored = storage.query<{ position: number; type: string; id: string; entries: string | null }>(
      `SELECT position, type, id, entries FROM objects
       WHERE (position, type, id) IN (SELECT value->>0, value->>1, value->>2 FROM json_each(?))`,
      list,
    );
    for (const { position, type, id, entries } of stored) found.set(keyOf(position, type, id), entries);
  });
  for (const [position, type, id] of rows) keys.add([position, type, id]);
  keys.flush();
  return found;
}

function entriesOf([position, type, id, text]: IndexedRow): Entry[] {
  if (text === null) return [];
  const [, ...entries] = JSON.parse(text) as [string, ...[name: string, rank: number, value: number | string][]];
  return entries.map(([name, rank, value]) => [type, name, rank, value, id, position]);
}

/** The version of the indexes that wrote a row's entries; undefined for none. */
export function versionOf(entries: SqlValue | undefined): string | undefined {
  return typeof entries === "string" ? (JSON.parse(entries) as [string])[0] : undefined;
}

function keyOf(position: number, type: string, id: string): string {
  return `${position} ${type}/${id}`;
}
