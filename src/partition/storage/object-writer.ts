import type { Clock, SqlStorage } from "../../platform/ports.ts";
import type { ChangeTracker } from "./change-tracker.ts";
import { JsonBatch } from "./json-batch.ts";
import type { UnsavedObject } from "./unsaved-object.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly clock: Clock;
  readonly changes: ChangeTracker;
  /** Throws when nothing may be written at a position in hash order. */
  readonly fence: (position: number) => void;
}

/** Bytes of one bulk statement's parameter: well below the platform's 2 MB a value. */
const BULK = 1024 * 1024;
/** Characters of a state beyond which it is stored alone. */
const LARGE = 32 * 1024;

const COLUMNS = "(position, type, id, version, state, created, updated)";
const UPSERT = `ON CONFLICT (position, type, id) DO UPDATE SET
  version = excluded.version, state = excluded.state, updated = excluded.updated`;
const STORE_MANY = `INSERT INTO objects ${COLUMNS}
  SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>5 FROM json_each(?) WHERE true ${UPSERT}`;
const STORE_ONE = `INSERT INTO objects ${COLUMNS} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ${UPSERT}`;

type Key = readonly [position: number, type: string, id: string];

/** Writes objects and their rows, inside a commit's transaction. */
export class ObjectWriter {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Small states go many to a statement: that is half the cost of one statement each. */
  store(objects: readonly UnsavedObject[]): void {
    const { storage, clock, changes, fence } = this.#parts;
    const now = clock.now();
    const bulk = new JsonBatch(BULK, (rows) => storage.query(STORE_MANY, rows));
    for (const object of objects) {
      fence(object.position);
      if (changes.covers(object.position)) changes.object(object, () => this.#storeAlone(object, now));
      else if (!object.exists || object.text.length > LARGE) this.#storeAlone(object, now);
      else bulk.add([...this.#storeRows(object), object.version, object.text, now]);
    }
    bulk.flush();
  }

  #storeAlone(object: UnsavedObject, now: number): void {
    const key = this.#storeRows(object);
    if (object.exists) this.#parts.storage.query(STORE_ONE, ...key, object.version, object.text, now);
    else this.#parts.storage.query("DELETE FROM objects WHERE position = ? AND type = ? AND id = ?", ...key);
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
