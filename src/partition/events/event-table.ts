import type { RowKey } from "../../placement/move.ts";
import { readMeta } from "../../platform/meta.ts";
import type { SqlRow, SqlStorage } from "../../platform/ports.ts";
import type { ChangeTracker } from "../storage/change-tracker.ts";
import type { BulkWrite } from "../storage/commit-batch.ts";
import {
  EVENT,
  EVENT_HEAD,
  EVENT_KEY,
  type EventHead,
  type EventPlace,
  type EventRow,
  eventHead,
  insertEvents,
  type StoredEvent,
  storedEvent,
} from "../storage/event-rows.ts";
import { HybridClock } from "../storage/hybrid-clock.ts";
import { JsonBatch } from "../storage/json-batch.ts";
import { writeNoted } from "../storage/noted-writes.ts";
import type { HashRange } from "../storage/shard-rows.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly now: () => number;
  readonly changes: ChangeTracker;
  /** Throws when nothing may be written at a position in hash order. */
  readonly fence: (position: number) => void;
}

/** What becomes of an event that was set aside. */
export interface EventChange {
  readonly place: EventPlace;
  /** Why it is set aside; null when it is to be sent again. */
  readonly error: string | null;
}

/** The object of an event. */
export type EventOwner = readonly [position: number, type: string, id: string];

/** Digits of the clock in `n`. */
const DIGITS = 16;
/** How far ahead of the clock a process may be after a crash: 10 s. */
const AHEAD = 10_000 * 1_024;
const META = "events";

const AMONG = `(${EVENT_KEY.join(", ")}) IN (SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?))`;
const BY_KEY = EVENT_KEY.map((column) => `${column} = ?`).join(" AND ");
const HEAD = EVENT_HEAD.join(", ");
const ALL = [...EVENT_KEY, ...EVENT].join(", ");

/** The events of a partition's objects that were committed and that a sink has yet to get ([EVT1]). */
export class EventTable {
  /** Stores events; inside the transaction of a commit, like the next two. */
  readonly insert: BulkWrite<StoredEvent>;
  /** Removes those that their sinks have. */
  readonly remove: BulkWrite<EventHead>;
  /** Sets events aside, or takes them up again. */
  readonly change: BulkWrite<EventChange>;
  readonly #parts: Parts;
  readonly #clock: HybridClock;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { storage } = parts;
    this.#clock = new HybridClock(parts.now);
    this.#clock.saw(Number(readMeta(storage, META) ?? 0));
    this.insert = {
      store: (events) => {
        this.#write(events, (some) => insertEvents(storage, some));
        this.#reserve(events);
      },
    };
    this.remove = {
      store: (events) =>
        this.#write(events, (some) => {
          const bulk = new JsonBatch((list) => storage.query(`DELETE FROM events WHERE ${AMONG}`, list));
          for (const { place } of some) bulk.add(place);
          bulk.flush();
        }),
    };
    this.change = {
      store: (changes) => {
        for (const change of changes) this.#write([change], () => this.#change(change));
      },
    };
  }

  /** The next number, above all that were given out here, as text that sorts. */
  nextNumber(): string {
    return String(this.#clock.next()).padStart(DIGITS, "0");
  }

  /** The next numbers are above those of events that are here, also of those that came with their shard. */
  saw(range: HashRange = { first: 0, last: Number.MAX_SAFE_INTEGER }): void {
    const [row] = this.#parts.storage.query<{ last: string | null }>(
      "SELECT max(n) AS last FROM events WHERE position BETWEEN ? AND ?",
      range.first,
      range.last,
    );
    this.#clock.saw(Number((row?.last ?? "0").slice(0, DIGITS)));
  }

  /** Events and their bytes, without what a row takes beside its data, by sink. */
  sizes(): { readonly sink: string; readonly rows: number; readonly bytes: number; readonly dead: number }[] {
    return this.#parts.storage.query<{ sink: string; rows: number; bytes: number; dead: number }>(
      "SELECT sink, count(*) AS rows, sum(bytes) AS bytes, sum(status = 'dead') AS dead FROM events GROUP BY sink",
    );
  }

  /** Events that a sink has yet to get, in order; of one object at most `each`. Of a range in hash order, or all. */
  waiting(sink: string, limit: number, each: number, range?: HashRange): EventHead[] {
    const among = range === undefined ? "" : "AND position BETWEEN ? AND ?";
    const rows = this.#parts.storage.query<EventRow & SqlRow>(
      `SELECT ${HEAD} FROM (
         SELECT ${HEAD}, row_number() OVER (PARTITION BY position, type, id ORDER BY n) AS place
         FROM events WHERE sink = ? AND status = 'waiting' ${among})
       WHERE place <= ? ORDER BY n LIMIT ?`,
      sink,
      ...(range === undefined ? [] : [range.first, range.last]),
      each,
      limit,
    );
    return rows.map(eventHead);
  }

  /** The same of one object. */
  waitingOf(sink: string, owner: EventOwner, limit: number): EventHead[] {
    const rows = this.#parts.storage.query<EventRow & SqlRow>(
      `SELECT ${HEAD} FROM events WHERE position = ? AND type = ? AND id = ? AND sink = ? AND status = 'waiting'
       ORDER BY n LIMIT ?`,
      ...owner,
      sink,
      limit,
    );
    return rows.map(eventHead);
  }

  /** These events, as far as they are still there, in their order. */
  read(heads: readonly EventHead[]): StoredEvent[] {
    const found = new Map<string, StoredEvent>();
    const bulk = new JsonBatch((list) => {
      for (const row of this.#parts.storage.query<EventRow & SqlRow>(
        `SELECT ${ALL} FROM events WHERE ${AMONG}`,
        list,
      )) {
        const event = storedEvent(row);
        found.set(event.place.join("\n"), event);
      }
    });
    for (const { place } of heads) bulk.add(place);
    bulk.flush();
    return heads.flatMap(({ place }) => found.get(place.join("\n")) ?? []);
  }

  /** Events that were set aside, or whose sink is none of these, in order of their keys; without their data. */
  aside(sinks: readonly string[], after: EventPlace | undefined, limit: number): Omit<StoredEvent, "data">[] {
    const rows = this.#parts.storage.query<EventRow & SqlRow>(
      `SELECT ${ALL.replace(", data", ", '' AS data")} FROM events
       WHERE (${EVENT_KEY.join(", ")}) > (?, ?, ?, ?)
         AND (status = 'dead' OR sink NOT IN (SELECT value FROM json_each(?)))
       ORDER BY ${EVENT_KEY.join(", ")} LIMIT ?`,
      ...(after ?? [-1, "", "", ""]),
      JSON.stringify(sinks),
      limit,
    );
    return rows.map(storedEvent);
  }

  /** One event of an object for one sink. */
  find(
    [position, type, id]: EventOwner,
    eventId: string,
    sink: string,
  ): (StoredEvent & { status: string }) | undefined {
    const [row] = this.#parts.storage.query<EventRow & SqlRow>(
      `SELECT ${ALL} FROM events WHERE position = ? AND type = ? AND id = ? AND event_id = ? AND sink = ?`,
      position,
      type,
      id,
      eventId,
      sink,
    );
    return row === undefined ? undefined : { ...storedEvent(row), status: row.status as string };
  }

  #change({ place, error }: EventChange): void {
    const sql = `UPDATE events SET status = ?, error = ? WHERE ${BY_KEY}`;
    this.#parts.storage.query(sql, error === null ? "waiting" : "dead", error, ...place);
  }

  /** Sees to it that the next process gives out greater numbers, whatever its clock says: one row written in ten seconds. */
  #reserve(events: readonly StoredEvent[]): void {
    const last = Math.max(...events.map(({ place }) => Number(place[3].slice(0, DIGITS))));
    this.#parts.storage.query(
      `INSERT INTO meta VALUES ('${META}', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value
       WHERE CAST(value AS INTEGER) < ?`,
      String(last + AHEAD),
      last,
    );
  }

  #write<Row extends { readonly place: EventPlace }>(
    rows: readonly Row[],
    write: (some: readonly Row[]) => void,
  ): void {
    writeNoted(this.#parts, rows, rowKeyOf, write);
  }
}

function rowKeyOf({ place: [position, type, id, n] }: { readonly place: EventPlace }): RowKey {
  return { kind: 5, position, type, id, key: n };
}
