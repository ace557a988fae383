import { readMeta, writeMeta } from "../platform/meta.ts";
import type { SqlStorage } from "../platform/ports.ts";
import { callIdTime } from "../reliable/call-id.ts";

/** A message as objects send it. */
export interface PushMessage {
  readonly callId: string;
  readonly target: string;
  /** JSON text. */
  readonly data: string;
}

/** A message of the log. */
export interface Logged {
  readonly n: number;
  readonly target: string;
  readonly bytes: number;
  /** JSON text; null for a message that came so late that nobody can tell whether it came before. */
  readonly data: string | null;
}

export interface LogBounds {
  readonly bytes: number;
  readonly rows: number;
  /** Ms that a message is kept. */
  readonly age: number;
}

/** Ms that a message is kept at least: what a partition sends again after a trouble is still known by then. */
const KEEP = 10 * 60_000;
/** Messages of the log. */
const ROWS = 200_000;

export function logBounds(config: { readonly pushLog: number; readonly pushResume: number }): LogBounds {
  return {
    rows: ROWS,
    get bytes() {
      return config.pushLog;
    },
    get age() {
      return Math.max(KEEP, config.pushResume);
    },
  };
}

/** Bytes that a message takes beside its data, roughly. */
const ROW = 200;
/** Messages that are looked at to remove some. */
const STEP = 200;

/**
 * The messages of a gate, in the order in which they came ([PUSH1]), within bounds: the oldest go first. A message that comes
 * again is known by its call id as long as it is here. One that was sent before any that is gone may have been here: its data is
 * left out, and those whom it is for are told of a gap. So a message is neither lost in silence nor seen twice.
 */
export class MessageLog {
  readonly #storage: SqlStorage;
  readonly #now: () => number;
  readonly #bounds: LogBounds;
  /** The number of the newest message there ever was. */
  #head = 0;
  /** The number of the newest that is gone. */
  #gone = 0;
  /** When the latest of those that are gone was sent. */
  #floor = 0;
  #rows = 0;
  #bytes = 0;
  /** When the oldest came that is here. */
  #first = 0;

  constructor(storage: SqlStorage, now: () => number, bounds: LogBounds) {
    this.#storage = storage;
    this.#now = now;
    this.#bounds = bounds;
    this.#load();
  }

  get head(): number {
    return this.#head;
  }

  get gone(): number {
    return this.#gone;
  }

  get size(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#rows, bytes: this.#bytes };
  }

  /** Stores messages; gives those that were not here before. */
  append(messages: readonly PushMessage[]): Logged[] {
    try {
      return this.#storage.transaction(() => {
        const fresh = messages.flatMap((message) => this.#add(message) ?? []);
        this.#prune();
        return fresh;
      });
    } catch (error) {
      this.#load();
      throw error;
    }
  }

  /** Messages after number `n`, in order: for any of the targets, or all when there are none. */
  after(n: number, limit: number, targets?: readonly string[]): Logged[] {
    const among = targets === undefined ? "" : "AND target IN (SELECT value FROM json_each(?))";
    const sql = `SELECT n, target, bytes, data FROM messages WHERE n > ? ${among} ORDER BY n LIMIT ?`;
    const parameters = targets === undefined ? [n, limit] : [n, JSON.stringify(targets), limit];
    return this.#storage.query<{ n: number; target: string; bytes: number; data: string | null }>(sql, ...parameters);
  }

  /** The same without their data. */
  headersAfter(n: number): Omit<Logged, "data">[] {
    const sql = "SELECT n, target, bytes FROM messages WHERE n > ? ORDER BY n";
    return this.#storage.query<{ n: number; target: string; bytes: number }>(sql, n);
  }

  #add({ callId, target, data }: PushMessage): Logged | undefined {
    const now = this.#now();
    const sent = callIdTime(callId) ?? now;
    const late = sent <= this.#floor;
    const n = this.#head + 1;
    const kept = late ? null : data;
    const bytes = ROW + target.length + (kept?.length ?? 0);
    const stored = this.#storage.query(
      "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (call_id) DO NOTHING RETURNING n",
      n,
      callId,
      now,
      sent,
      target,
      bytes,
      kept,
    );
    if (stored.length === 0) return undefined;
    this.#head = n;
    this.#rows++;
    this.#bytes += bytes;
    return { n, target, bytes, data: kept };
  }

  /** Removes what is too old or too much. The newest message stays: it tells the number of the next. */
  #prune(): void {
    const { bytes: most, rows: mostRows, age } = this.#bounds;
    const oldest = this.#now() - age;
    while (this.#bytes > most || this.#rows > mostRows || this.#first <= oldest) {
      const rows = this.#storage.query<{ n: number; at: number; sent: number; bytes: number }>(
        "SELECT n, at, sent, bytes FROM messages ORDER BY n LIMIT ?",
        STEP,
      );
      let last: number | undefined;
      for (const { n, at, sent, bytes } of rows) {
        this.#first = at;
        const keep = this.#bytes <= most && this.#rows <= mostRows && at > oldest;
        if (keep || n === this.#head) break;
        last = n;
        this.#rows--;
        this.#bytes -= bytes;
        this.#floor = Math.max(this.#floor, sent);
      }
      if (last === undefined) return;
      this.#storage.query("DELETE FROM messages WHERE n <= ?", last);
      this.#gone = last;
      writeMeta(this.#storage, "floor", String(this.#floor));
      if (rows.at(-1)?.n !== last) return;
    }
  }

  #load(): void {
    const [row] = this.#storage.query<{ rows: number; bytes: number; first: number | null; last: number | null }>(
      "SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes, min(n) AS first, max(n) AS last FROM messages",
    );
    this.#first = 0;
    this.#rows = row?.rows ?? 0;
    this.#bytes = row?.bytes ?? 0;
    this.#head = row?.last ?? 0;
    this.#gone = (row?.first ?? 1) - 1;
    this.#floor = Number(readMeta(this.#storage, "floor") ?? 0);
  }
}
