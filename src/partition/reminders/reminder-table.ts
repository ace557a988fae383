import type { RowKey } from "../../placement/move.ts";
import type { SqlRow, SqlStorage } from "../../platform/ports.ts";
import type { ChangeTracker } from "../storage/change-tracker.ts";
import type { BulkWrite } from "../storage/commit-batch.ts";
import { writeNoted } from "../storage/noted-writes.ts";
import {
  REMINDER_HEADER,
  REMINDER_KEY,
  type ReminderPlace,
  type ReminderRow,
  reminderFromRow,
  type StoredReminder,
  storeReminder,
} from "../storage/reminder-rows.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly changes: ChangeTracker;
  /** Throws when nothing may be written at a position in hash order. */
  readonly fence: (position: number) => void;
}

/** The object that has reminders. */
export type ReminderOwner = readonly [position: number, type: string, id: string];

/** One change of the table. Those of a reminder that is due have no effect once it was set anew or forgotten. */
export type ReminderChange =
  | { readonly kind: "set"; readonly reminder: StoredReminder; readonly request: string | null }
  | { readonly kind: "forget"; readonly place: ReminderPlace }
  /** The object was deleted. */
  | { readonly kind: "clear"; readonly owner: ReminderOwner }
  /** Its call is accepted: on to the next due time, if there is one. */
  | { readonly kind: "advance"; readonly reminder: StoredReminder; readonly next: number | undefined }
  /** It could not be taken up, as its `attempts` and `error` say, and is to be at its `wake`. */
  | { readonly kind: "delay"; readonly reminder: StoredReminder };

/** Where a look at what is due stands. */
export type Cursor = readonly [wake: number, ...place: ReminderPlace];

export const START: Cursor = [Number.MIN_SAFE_INTEGER, 0, "", "", ""];

const BY_KEY = REMINDER_KEY.map((column) => `${column} = ?`).join(" AND ");
const STILL = `${BY_KEY} AND setting = ? AND due = ?`;
/** The author's reminders of an object, without the calls of clients: those begin with a space. */
const OF_OWNER = "position = ? AND type = ? AND id = ? AND name >= '!'";

/** The reminders of a partition's objects ([TIME1]). */
export class ReminderTable {
  /** Makes changes in their order, inside the transaction of a commit. */
  readonly write: BulkWrite<ReminderChange>;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.write = {
      store: (changes) => {
        for (const change of changes) this.#write(change);
      },
    };
  }

  /** How many there are, and roughly how many bytes they take. Triggers keep count: nobody reads a million rows for it. */
  get size(): { readonly rows: number; readonly bytes: number } {
    const sql = "SELECT rows, bytes + 500 * rows AS bytes FROM reminder_size";
    return this.#parts.storage.query<{ rows: number; bytes: number }>(sql)[0] ?? { rows: 0, bytes: 0 };
  }

  /** Names and due times of an object's reminders. */
  of(owner: ReminderOwner): { name: string; due: number }[] {
    const sql = `SELECT name, due FROM reminders WHERE ${OF_OWNER}`;
    return this.#parts.storage.query<{ name: string; due: number }>(sql, ...owner);
  }

  /** Reminders to be taken up by `now`, earliest first. */
  due(now: number, [wake, ...place]: Cursor, limit: number): StoredReminder[] {
    const key = REMINDER_KEY.join(", ");
    const rows = this.#parts.storage.query<ReminderRow & SqlRow>(
      `SELECT ${REMINDER_HEADER} FROM reminders WHERE wake <= ? AND (wake, ${key}) > (?, ?, ?, ?, ?)
       ORDER BY wake, ${key} LIMIT ?`,
      now,
      wake,
      ...place,
      limit,
    );
    return rows.map(reminderFromRow);
  }

  /** When the first reminder after `now` is to be taken up; undefined when none is to come. */
  nextWake(now: number): number | undefined {
    const sql = "SELECT wake FROM reminders WHERE wake > ? ORDER BY wake LIMIT 1";
    return this.#parts.storage.query<{ wake: number }>(sql, now)[0]?.wake;
  }

  /** The reminder in a place. */
  find(place: ReminderPlace): StoredReminder | undefined {
    const sql = `SELECT ${REMINDER_HEADER} FROM reminders WHERE ${BY_KEY}`;
    return this.#parts.storage.query<ReminderRow & SqlRow>(sql, ...place).map(reminderFromRow)[0];
  }

  /** Whether it is there as it was read: neither set anew nor moved on. */
  isAt({ place, setting, due }: StoredReminder): boolean {
    const sql = `SELECT 1 AS there FROM reminders WHERE ${STILL}`;
    return this.#parts.storage.query(sql, ...place, setting, due).length > 0;
  }

  /** Whether clients have calls here that wait for their time. */
  hasCalls(): boolean {
    return this.#parts.storage.query("SELECT 1 AS there FROM reminders WHERE name < '!' LIMIT 1").length > 0;
  }

  /** How many of them wait at an object. */
  countCalls(owner: ReminderOwner): number {
    const sql = "SELECT count(*) AS n FROM reminders WHERE position = ? AND type = ? AND id = ? AND name < '!'";
    return this.#parts.storage.query<{ n: number }>(sql, ...owner)[0]?.n ?? 0;
  }

  /** Reminders whose last call was refused, the first of them. */
  refused(limit: number): StoredReminder[] {
    const sql = `SELECT ${REMINDER_HEADER} FROM reminders WHERE error IS NOT NULL LIMIT ?`;
    return this.#parts.storage.query<ReminderRow & SqlRow>(sql, limit).map(reminderFromRow);
  }

  countRefused(most: number): number {
    const sql = "SELECT count(*) AS n FROM (SELECT 1 FROM reminders WHERE error IS NOT NULL LIMIT ?)";
    return this.#parts.storage.query<{ n: number }>(sql, most)[0]?.n ?? 0;
  }

  request({ place }: StoredReminder): string | null {
    const sql = `SELECT request FROM reminders WHERE ${BY_KEY}`;
    return this.#parts.storage.query<{ request: string | null }>(sql, ...place)[0]?.request ?? null;
  }

  #write(change: ReminderChange): void {
    const { storage } = this.#parts;
    switch (change.kind) {
      case "set":
        this.#row(change.reminder.place, () => storeReminder(storage, change.reminder, change.request));
        break;
      case "forget":
        this.#row(change.place, () => storage.query(`DELETE FROM reminders WHERE ${BY_KEY}`, ...change.place));
        break;
      case "clear":
        this.#clear(change.owner);
        break;
      case "advance":
        this.#row(change.reminder.place, () => this.#advance(change.reminder, change.next));
        break;
      case "delay":
        this.#row(change.reminder.place, () => this.#delay(change.reminder));
        break;
    }
  }

  #advance({ place, setting, due }: StoredReminder, next: number | undefined): void {
    const { storage } = this.#parts;
    if (next === undefined) storage.query(`DELETE FROM reminders WHERE ${STILL}`, ...place, setting, due);
    else {
      storage.query(
        `UPDATE reminders SET due = ?, wake = ?, last = ?, attempts = 0, error = NULL WHERE ${STILL}`,
        next,
        next,
        due,
        ...place,
        setting,
        due,
      );
    }
  }

  #delay({ place, setting, due, wake, attempts, error }: StoredReminder): void {
    const sql = `UPDATE reminders SET wake = ?, attempts = ?, error = ? WHERE ${STILL}`;
    this.#parts.storage.query(sql, wake, attempts, error, ...place, setting, due);
  }

  #clear(owner: ReminderOwner): void {
    const { storage, changes, fence } = this.#parts;
    const [position, type, id] = owner;
    fence(position);
    if (changes.covers(position)) {
      for (const { name } of this.of(owner)) this.#write({ kind: "forget", place: [position, type, id, name] });
    } else storage.query(`DELETE FROM reminders WHERE ${OF_OWNER}`, ...owner);
  }

  /** Runs the write of one row, with its note if its shard is leaving. */
  #row(place: ReminderPlace, write: () => void): void {
    writeNoted(this.#parts, [place], rowKeyOf, write);
  }
}

function rowKeyOf([position, type, id, name]: ReminderPlace): RowKey {
  return { kind: 4, position, type, id, key: name };
}
