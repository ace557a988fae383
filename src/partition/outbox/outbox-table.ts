import type { WireError } from "../../errors/edgeverse-error.ts";
import { FIXED_POSITION } from "../../identity/hash-order.ts";
import type { RowKey } from "../../placement/move.ts";
import type { SqlRow, SqlStorage } from "../../platform/ports.ts";
import type { CallKey } from "../../reliable/call-record.ts";
import { type CausedCall, shortError } from "../../reliable/caused-calls.ts";
import type { ChangeTracker } from "../storage/change-tracker.ts";
import type { BulkWrite } from "../storage/commit-batch.ts";
import { HybridClock, TICKS } from "../storage/hybrid-clock.ts";
import { JsonBatch } from "../storage/json-batch.ts";
import {
  HEADER,
  insertMessages,
  MESSAGE_KEY,
  type Message,
  type MessagePlace,
  type MessageRow,
  messageBytes,
  messageFromRow,
} from "../storage/message-rows.ts";
import { writeNoted } from "../storage/noted-writes.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly now: () => number;
  readonly changes: ChangeTracker;
  /** Throws when nothing may be written at a position in hash order. */
  readonly fence: (position: number) => void;
}

interface SentRow extends SqlRow {
  type: string;
  id: string;
  callId: string;
  method: string;
  status: string;
  error: string | null;
}

/** Digits of the numbers in `n`. */
const DIGITS = 16;
const KEY = MESSAGE_KEY.join(", ");
/** Before all. */
const FIRST: MessagePlace = [FIXED_POSITION - 1, "", "", ""];
const AMONG = `(${KEY}) IN (SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?))`;
const BY_KEY = MESSAGE_KEY.map((column) => `${column} = ?`).join(" AND ");

/** The messages of a partition's objects that were committed and not delivered ([CALL7]). */
export class OutboxTable {
  /** Stores messages; inside the transaction of a commit, like the next. */
  readonly insert: BulkWrite<Message>;
  /** Removes delivered ones. */
  readonly remove: BulkWrite<Message>;
  readonly #parts: Parts;
  /** Messages and their bytes; undefined until they are counted. */
  #size: { rows: number; bytes: number } | undefined;
  readonly #clock: HybridClock;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#clock = new HybridClock(parts.now);
    const { storage } = parts;
    this.insert = {
      store: (messages) => this.#write(messages, (some) => insertMessages(storage, some)),
      stored: (messages) => this.#count(messages, 1),
    };
    this.remove = {
      store: (messages) =>
        this.#write(messages, (some) => {
          const bulk = new JsonBatch((list) => storage.query(`DELETE FROM outbox WHERE ${AMONG}`, list));
          for (const { place } of some) bulk.add(place);
          bulk.flush();
        }),
      stored: (messages) => this.#count(messages, -1),
    };
  }

  /**
   * The next number: above those of all messages that are here, as text that sorts. That of a message that leaves later is
   * among those of the time at which it does.
   */
  nextNumber(due = 0): string {
    // What an earlier process has stored, or what came with a shard, is known once it was counted.
    if (this.#size === undefined) void this.size;
    const number = digits(this.#clock.next());
    return due === 0 ? number : `${digits(due * TICKS)}.${number}`;
  }

  /** How many messages there are, and roughly how many bytes they take. */
  get size(): { readonly rows: number; readonly bytes: number } {
    if (this.#size === undefined) {
      const [found] = this.#parts.storage.query<{ rows: number; bytes: number; last: string | null }>(
        "SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes, max(substr(n, -16)) AS last FROM outbox",
      );
      const { rows = 0, bytes = 0, last } = found ?? {};
      this.#clock.saw(Number(last ?? 0));
      this.#size = { rows, bytes: bytes + rows * messageBytes({ bytes: 0 }) };
    }
    return this.#size;
  }

  /** Messages have come with a shard, or left. */
  recount(): void {
    this.#size = undefined;
  }

  /** Some of the messages that may leave by now, after `place` in the order of keys, without their requests. */
  page(limit: number, place: MessagePlace = FIRST): Message[] {
    const rows = this.#parts.storage.query<MessageRow & SqlRow>(
      `SELECT ${HEADER} FROM outbox WHERE (${KEY}) > (?, ?, ?, ?) AND status = 'waiting' AND due <= ?
       ORDER BY ${KEY} LIMIT ?`,
      ...place,
      this.#parts.now(),
      limit,
    );
    return rows.map(messageFromRow);
  }

  /** Some of those that were set aside: another process may run other code. */
  setAside(limit: number): Message[] {
    const sql = `SELECT ${HEADER} FROM outbox WHERE status = 'parked' ORDER BY ${KEY} LIMIT ?`;
    return this.#parts.storage.query<MessageRow & SqlRow>(sql, limit).map(messageFromRow);
  }

  /** Delayed messages whose time has come after `last`, earliest first. */
  due(last: number, limit: number): Message[] {
    const rows = this.#parts.storage.query<MessageRow & SqlRow>(
      `SELECT ${HEADER} FROM outbox WHERE due > 0 AND due > ? AND due <= ? AND status = 'waiting' ORDER BY due, n LIMIT ?`,
      last,
      this.#parts.now(),
      limit,
    );
    return rows.map(messageFromRow);
  }

  /** When the first delayed message after `last` leaves; undefined when none is to come. */
  nextDue(last: number): number | undefined {
    const sql = "SELECT due FROM outbox WHERE due > 0 AND due > ? ORDER BY due LIMIT 1";
    return this.#parts.storage.query<{ due: number }>(sql, last)[0]?.due;
  }

  request({ place }: Message): string | null {
    const sql = `SELECT request FROM outbox WHERE ${BY_KEY}`;
    return this.#parts.storage.query<{ request: string | null }>(sql, ...place)[0]?.request ?? null;
  }

  /** What an object has sent during a call and what is not delivered, in order. */
  sentDuring(position: number, cause: CallKey, limit: number): CausedCall[] {
    const { type, id, callId } = cause;
    const rows = this.#parts.storage.query<SentRow>(
      `SELECT to_type AS type, to_id AS id, call_id AS callId, method, status, error FROM outbox
       WHERE position = ? AND type = ? AND id = ? AND caller ->> '$.cause.callId' = ?
         AND caller ->> '$.cause.type' = ? AND caller ->> '$.cause.id' = ? ORDER BY n LIMIT ?`,
      position,
      type,
      id,
      callId,
      type,
      id,
      limit,
    );
    return rows.map(({ status, error, ...row }) => ({
      ...row,
      cause,
      status: status === "parked" ? "refused" : "sending",
      attempts: 0,
      acceptedAt: null,
      finishedAt: null,
      error: shortError(error === null ? null : (JSON.parse(error) as WireError)),
    }));
  }

  /** Sets a message aside that can't be delivered. Inside a transaction. */
  park(message: Message, error: string): void {
    this.#write([message], () =>
      this.#parts.storage.query(
        `UPDATE outbox SET status = 'parked', error = ? WHERE ${BY_KEY}`,
        error,
        ...message.place,
      ),
    );
  }

  #count(messages: readonly Message[], sign: 1 | -1): void {
    if (this.#size === undefined) return;
    this.#size.rows += sign * messages.length;
    for (const message of messages) this.#size.bytes += sign * messageBytes(message);
  }

  #write(messages: readonly Message[], write: (some: readonly Message[]) => void): void {
    writeNoted(this.#parts, messages, rowKeyOf, write);
  }
}

function digits(number: number): string {
  return String(Math.floor(number)).padStart(DIGITS, "0");
}

function rowKeyOf({ place: [position, type, id, n] }: Message): RowKey {
  return { kind: 3, position, type, id, key: n };
}
