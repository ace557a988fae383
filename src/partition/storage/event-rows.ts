import type { SqlStorage, SqlValue } from "../../platform/ports.ts";
import { BulkInsert } from "./bulk-insert.ts";

/** Columns of an event's key in `events`: one row for each sink that is to have it. */
export const EVENT_KEY = ["position", "type", "id", "n"] as const;

/** Its other columns: what may be large is last. */
export const EVENT = [
  "sink",
  "status",
  "event_id",
  "topic",
  "epoch",
  "time",
  "traceparent",
  "error",
  "bytes",
  "data",
] as const;

/** The key of a row: `n` is the order of emitting, a hybrid logical clock as text, and the sink. */
export type EventPlace = readonly [position: number, type: string, id: string, n: string];

/** What there is to know of an event that a sink has yet to get, to bring it there. */
export interface EventHead {
  readonly place: EventPlace;
  /** Ms since the epoch. */
  readonly time: number;
  /** Bytes of its data. */
  readonly bytes: number;
}

/** All of it. */
export interface StoredEvent extends EventHead {
  readonly sink: string;
  readonly eventId: string;
  readonly topic: string;
  /** Epoch of its object's place when it was emitted. */
  readonly epoch: number;
  readonly traceparent: string | null;
  /** Why it was set aside. */
  readonly error: string | null;
  /** JSON text. */
  readonly data: string;
}

/** What an event takes beside its data, roughly. */
const ROW = 500;

/** Bytes that an event takes for one sink, roughly. */
export function eventBytes({ bytes }: Pick<EventHead, "bytes">): number {
  return ROW + bytes;
}

const INTO_EVENTS = new BulkInsert("events", [...EVENT_KEY, ...EVENT]);

export function insertEvents(storage: SqlStorage, events: readonly StoredEvent[]): void {
  INTO_EVENTS.store(
    storage,
    events.map((event) => [
      ...event.place,
      event.sink,
      "waiting",
      event.eventId,
      event.topic,
      event.epoch,
      event.time,
      event.traceparent,
      null,
      event.bytes,
      event.data,
    ]),
  );
}

type Columns<Names extends string> = Readonly<Record<Names, SqlValue>>;
export type EventRow = Columns<(typeof EVENT_KEY)[number] | (typeof EVENT)[number]>;

/** Columns of a head. */
export const EVENT_HEAD = [...EVENT_KEY, "time", "bytes"] as const;

export function eventHead(row: Columns<(typeof EVENT_HEAD)[number]>): EventHead {
  return {
    place: [row.position as number, row.type as string, row.id as string, row.n as string],
    time: row.time as number,
    bytes: row.bytes as number,
  };
}

export function storedEvent(row: EventRow): StoredEvent {
  return {
    ...eventHead(row),
    sink: row.sink as string,
    eventId: row.event_id as string,
    topic: row.topic as string,
    epoch: row.epoch as number,
    traceparent: row.traceparent as string | null,
    error: row.error as string | null,
    data: row.data as string,
  };
}
