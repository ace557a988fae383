import type { RowKey } from "../../placement/move.ts";
import type { SqlRow, SqlStorage } from "../../platform/ports.ts";
import type { ChangeTracker } from "../storage/change-tracker.ts";
import type { BulkWrite } from "../storage/commit-batch.ts";
import { HybridClock } from "../storage/hybrid-clock.ts";
import { JsonBatch } from "../storage/json-batch.ts";
import {
  HEADER,
  insertMessages,
  MESSAGE_KEY,
  type Message,
  type MessageRow,
  messageBytes,
  messageFromRow,
} from "../storage/message-rows.ts";
import { writeNoted } from "../storage/noted-writes.ts";
import type { HashRange } from "../storage/shard-rows.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly now: () => number;
  readonly changes: ChangeTracker;
  /** Throws when nothing may be written at a position in hash order. */
  readonly fence: (position: number) => void;
}

/** Digits of `n`. */
const DIGITS = 16;
const AMONG = `(${MESSAGE_KEY.join(", ")}) IN (SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?))`;
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
    };
    this.remove = {
      store: (messages) =>
        this.#write(messages, (some) => {
          const bulk = new JsonBatch((list) => storage.query(`DELETE FROM outbox WHERE ${AMONG}`, list));
          for (const { place } of some) bulk.add(place);
          bulk.flush();
        }),
    };
  }

  /** The next number: above those of all messages that are here, as text that sorts. */
  nextNumber(): string {
    // What an earlier process has stored, or what came with a shard, is known once it was counted.
    if (this.#size === undefined) void this.size;
    return String(this.#clock.next()).padStart(DIGITS, "0");
  }

  /** How many messages there are, and roughly how many bytes they take. */
  get size(): { readonly rows: number; readonly bytes: number } {
    if (this.#size === undefined) {
      const [found] = this.#parts.storage.query<{ rows: number; bytes: number; last: string | null }>(
        "SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes, max(n) AS last FROM outbox",
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

  /** Counts messages that were stored (1) or removed (-1). */
  count(message: Message, sign: 1 | -1): void {
    if (this.#size === undefined) return;
    this.#size.rows += sign;
    this.#size.bytes += sign * messageBytes(message);
  }

  /** Messages that may leave by now, in order and without their requests; of a range in hash order, or all. */
  waiting(limit: number, range?: HashRange): Message[] {
    return this.#read("waiting", limit, range);
  }

  /** The same of those that were set aside: another process may run other code. */
  setAside(limit: number, range?: HashRange): Message[] {
    return this.#read("parked", limit, range);
  }

  #read(status: "waiting" | "parked", limit: number, range?: HashRange): Message[] {
    const where = range === undefined ? "" : "AND position BETWEEN ? AND ?";
    const rows = this.#parts.storage.query<MessageRow & SqlRow>(
      `SELECT ${HEADER} FROM outbox WHERE status = '${status}' AND due <= ? ${where} ORDER BY n LIMIT ?`,
      this.#parts.now(),
      ...(range === undefined ? [] : [range.first, range.last]),
      Math.max(0, limit),
    );
    const messages = rows.map(messageFromRow);
    this.#clock.saw(Number(messages.at(-1)?.place[3] ?? 0));
    return messages;
  }

  /** Delayed messages whose time has come, earliest first. */
  due(limit: number): Message[] {
    const rows = this.#parts.storage.query<MessageRow & SqlRow>(
      `SELECT ${HEADER} FROM outbox WHERE due > 0 AND due <= ? AND status = 'waiting' ORDER BY due, n LIMIT ?`,
      this.#parts.now(),
      limit,
    );
    return rows.map(messageFromRow);
  }

  /** When the next delayed message leaves; undefined when none is to come. */
  nextDue(): number | undefined {
    const sql = "SELECT due FROM outbox WHERE due > 0 AND due > ? ORDER BY due LIMIT 1";
    return this.#parts.storage.query<{ due: number }>(sql, Math.max(0, this.#parts.now()))[0]?.due;
  }

  request({ place }: Message): string | null {
    const sql = `SELECT request FROM outbox WHERE ${BY_KEY}`;
    return this.#parts.storage.query<{ request: string | null }>(sql, ...place)[0]?.request ?? null;
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

  #write(messages: readonly Message[], write: (some: readonly Message[]) => void): void {
    writeNoted(this.#parts, messages, rowKeyOf, write);
  }
}

function rowKeyOf({ place: [position, type, id, n] }: Message): RowKey {
  return { kind: 3, position, type, id, key: n };
}
