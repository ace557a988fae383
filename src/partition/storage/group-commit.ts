import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { Clock, SqlStorage } from "../../platform/ports.ts";
import type { ChangeTracker } from "./change-tracker.ts";
import type { UnsavedObject } from "./unsaved-object.ts";

/** Told whether the commit it waited for is durable: undefined, or why not. */
export type OnDurable = (error: EdgeverseError | undefined) => void;

/** Characters of states in one bulk statement: six times that, as JSON in JSON, stays under the platform's 2 MB a value. */
const BULK_TEXT = 128 * 1024;

const COLUMNS = "(position, type, id, version, state, created, updated)";
const UPSERT = `ON CONFLICT (position, type, id) DO UPDATE SET
  version = excluded.version, state = excluded.state, updated = excluded.updated`;

type Row = readonly [position: number, type: string, id: string, version: number, state: string, now: number];

export interface CommitStats {
  commits: number;
  /** Turns and other writes that shared those commits. */
  joined: number;
  failures: number;
}

/**
 * Group commit ([TURN4]): what finishes close together is written in one transaction and hears of it together.
 *
 * A turn that succeeded has already published its state to its object; the commit writes whatever the dirty objects hold. So
 * turns on one object cost one row however many they were, and their order needs no log. Everything that waits - also a
 * readonly turn or a refusal, which may show uncommitted state - is answered in the event of the storage access ([TURN10]).
 */
export class GroupCommit {
  readonly stats: CommitStats = { commits: 0, joined: 0, failures: 0 };
  readonly #storage: SqlStorage;
  readonly #clock: Clock;
  readonly #changes: ChangeTracker;
  readonly #fence: (position: number) => void;
  readonly #onFailure: (error: EdgeverseError) => void;
  #unsaved: UnsavedObject[] = [];
  #writes: (() => void)[] = [];
  #waiting: OnDurable[] = [];
  #scheduled: object | undefined;
  /** Why nothing is committed any more; undefined while it runs. */
  #ended: EdgeverseError | undefined;

  /**
   * @param fence throws when nothing may be written at a position in hash order
   * @param onFailure called once for a failed commit, before those who waited for it are told
   */
  constructor(
    storage: SqlStorage,
    clock: Clock,
    changes: ChangeTracker,
    fence: (position: number) => void,
    onFailure: (error: EdgeverseError) => void,
  ) {
    this.#storage = storage;
    this.#clock = clock;
    this.#changes = changes;
    this.#fence = fence;
    this.#onFailure = onFailure;
  }

  /** The next commit writes what `object` holds. */
  changed(object: UnsavedObject): void {
    if (object.dirty || this.#ended !== undefined) return;
    object.dirty = true;
    this.#unsaved.push(object);
    this.#schedule();
  }

  /** Runs `write` inside the next commit, after the objects. */
  write(write: () => void): void {
    if (this.#ended !== undefined) return;
    this.#writes.push(write);
    this.#schedule();
  }

  /** Calls back when all that was published so far is durable, or lost. */
  settled(callback: OnDurable): void {
    if (this.#ended !== undefined) {
      callback(this.#ended);
      return;
    }
    this.#waiting.push(callback);
    this.#schedule();
  }

  /** Resolves when all that was published so far is durable. */
  durable(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settled((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /**
   * Commits now instead of at the end of the window.
   * @throws EdgeverseError `UNAVAILABLE` when the storage refuses
   */
  flush(): void {
    if (this.#scheduled !== undefined) this.#commit();
    if (this.#ended !== undefined) throw this.#ended;
  }

  /** Ends it for good and forgets what was to be written: the partition starts over from the database. */
  discard(error: EdgeverseError): void {
    this.#ended = error;
    this.#scheduled = undefined;
    const waiting = this.#waiting;
    this.#reset();
    tell(waiting, error);
  }

  #schedule(): void {
    if (this.#scheduled !== undefined) return;
    // The token tells whether this commit was made early, and another one is due.
    const scheduled = {};
    this.#scheduled = scheduled;
    this.#clock.soon(() => {
      if (this.#scheduled === scheduled) this.#commit();
    });
  }

  #commit(): void {
    this.#scheduled = undefined;
    const objects = this.#unsaved;
    const writes = this.#writes;
    const waiting = this.#waiting;
    this.#reset();
    this.stats.commits++;
    this.stats.joined += waiting.length;
    try {
      if (objects.length === 0 && writes.length === 0) this.#storage.query("SELECT 1 FROM meta LIMIT 1");
      else this.#storage.transaction(() => this.#apply(objects, writes));
    } catch (cause) {
      this.#fail(waiting, cause);
      return;
    }
    for (const object of objects) written(object);
    this.#storage.barrier().then(
      () => tell(waiting, undefined),
      (cause: unknown) => this.#fail(waiting, cause),
    );
  }

  #fail(waiting: OnDurable[], cause: unknown): void {
    this.stats.failures++;
    const error = new EdgeverseError("UNAVAILABLE", "Cannot commit: the storage refused the write", { cause });
    try {
      this.#onFailure(error);
    } finally {
      tell(waiting, error);
    }
  }

  #apply(objects: readonly UnsavedObject[], writes: readonly (() => void)[]): void {
    const now = this.#clock.now();
    let bulk: Row[] = [];
    let characters = 0;
    for (const object of objects) {
      this.#fence(object.position);
      if (this.#changes.covers(object.position)) {
        this.#changes.object(object, () => this.#storeAlone(object, now));
        continue;
      }
      if (!object.exists || object.text.length > BULK_TEXT) {
        this.#storeAlone(object, now);
        continue;
      }
      const key = this.#storeRows(object);
      const row = [...key, object.version, object.text, now] as const;
      bulk.push(row);
      characters += object.text.length;
      if (characters < BULK_TEXT) continue;
      this.#storeBulk(bulk);
      bulk = [];
      characters = 0;
    }
    if (bulk.length > 0) this.#storeBulk(bulk);
    for (const write of writes) write();
    this.#changes.save();
  }

  #storeAlone(object: UnsavedObject, now: number): void {
    const key = this.#storeRows(object);
    if (object.exists) {
      const row = [...key, object.version, object.text, now] as const;
      this.#storage.query(`INSERT INTO objects ${COLUMNS} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ${UPSERT}`, ...row);
    } else this.#storage.query("DELETE FROM objects WHERE position = ? AND type = ? AND id = ?", ...key);
  }

  #storeRows(object: UnsavedObject): readonly [position: number, type: string, id: string] {
    const key = [object.position, object.definition.type, object.id] as const;
    if (object.wiped) this.#storage.query("DELETE FROM rows WHERE position = ? AND type = ? AND id = ?", ...key);
    for (const [row, value] of object.rows ?? []) this.#storeRow(key, row, value);
    return key;
  }

  /** One statement for any number of objects: half the cost of one each. */
  #storeBulk(rows: readonly Row[]): void {
    this.#storage.query(
      `INSERT INTO objects ${COLUMNS}
       SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>5 FROM json_each(?) WHERE true
       ${UPSERT}`,
      JSON.stringify(rows),
    );
  }

  #storeRow(key: readonly [number, string, string], row: string, value: string | null): void {
    if (value === null) {
      this.#storage.query("DELETE FROM rows WHERE position = ? AND type = ? AND id = ? AND key = ?", ...key, row);
      return;
    }
    this.#storage.query(
      "INSERT INTO rows VALUES (?, ?, ?, ?, ?) ON CONFLICT (position, type, id, key) DO UPDATE SET value = excluded.value",
      ...key,
      row,
      value,
    );
  }

  #reset(): void {
    this.#unsaved = [];
    this.#writes = [];
    this.#waiting = [];
  }
}

/** Tells everyone, also when one of them throws. */
function tell(waiting: readonly OnDurable[], error: EdgeverseError | undefined): void {
  for (const callback of waiting) {
    try {
      callback(error);
    } catch (bug) {
      queueMicrotask(() => {
        throw bug;
      });
    }
  }
}

function written(object: UnsavedObject): void {
  object.dirty = false;
  object.wiped = false;
  object.rows = undefined;
}
