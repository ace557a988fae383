import type { Clock, SqlStorage, SqlValue } from "../../platform/ports.ts";
import { BulkInsert } from "./bulk-insert.ts";
import type { ChangeTracker } from "./change-tracker.ts";
import { type IndexedRow, replaceEntries } from "./index-entries.ts";
import type { UnsavedObject } from "./unsaved-object.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly changes: ChangeTracker;
  /** Throws when nothing may be written at a position in hash order. */
  readonly fence: (position: number) => void;
}

const COLUMNS = ["position", "type", "id", "version", "state", "created", "updated"];
/** `updated` is the version of a state that is watched ([PUSH11]): it grows, whatever the clock does. */
const UPDATE = `ON CONFLICT (position, type, id) DO UPDATE SET
     version = excluded.version, state = excluded.state, updated = max(excluded.updated, objects.updated + 1)`;
/** Leaves `entries` alone: what a type without indexes may have there is removed when indexes are built ([IDX4]). */
const OBJECTS = new BulkInsert("objects", COLUMNS, UPDATE);
const INDEXED = new BulkInsert("objects", [...COLUMNS, "entries"], `${UPDATE}, entries = excluded.entries`);

type Key = readonly [position: number, type: string, id: string];

/** Writes objects and their rows, inside a commit's transaction. */
export class ObjectWriter {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  store(objects: readonly UnsavedObject[]): void {
    const { clock, changes, fence } = this.#parts;
    const now = clock.now();
    const rest: UnsavedObject[] = [];
    for (const object of objects) {
      fence(object.position);
      if (changes.covers(object.position)) changes.object(object, () => this.#store([object], now));
      else rest.push(object);
    }
    this.#store(rest, now);
  }

  #store(objects: readonly UnsavedObject[], now: number): void {
    const { storage } = this.#parts;
    const rows: SqlValue[][] = [];
    const indexed: SqlValue[][] = [];
    const entries: IndexedRow[] = [];
    for (const object of objects) {
      const key = this.#storeRows(object);
      const row = [...key, object.version, object.text, now, now];
      if (object.exists && object.entries === undefined) rows.push(row);
      else if (object.exists && object.entries !== undefined) {
        indexed.push([...row, object.entries]);
        entries.push([...key, object.entries]);
      } else storage.query("DELETE FROM objects WHERE position = ? AND type = ? AND id = ?", ...key);
    }
    OBJECTS.store(storage, rows);
    if (entries.length === 0) return;
    replaceEntries(storage, entries);
    INDEXED.store(storage, indexed);
  }

  #storeRows(object: UnsavedObject): Key {
    const key = [object.position, object.definition.type, object.id] as const;
    const { storage } = this.#parts;
    if (object.wiped) storage.query("DELETE FROM rows WHERE position = ? AND type = ? AND id = ?", ...key);
    for (const [row, value] of object.rows ?? []) this.#storeRow(key, row, value);
    return key;
  }

  #storeRow(key: Key, row: string, value: string | null): void {
    const { storage } = this.#parts;
    if (value === null) {
      storage.query("DELETE FROM rows WHERE position = ? AND type = ? AND id = ? AND key = ?", ...key, row);
      return;
    }
    storage.query(
      "INSERT INTO rows VALUES (?, ?, ?, ?, ?) ON CONFLICT (position, type, id, key) DO UPDATE SET value = excluded.value",
      ...key,
      row,
      value,
    );
  }
}
