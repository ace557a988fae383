import type { WireError } from "../../errors/edgeverse-error.ts";
import { FIXED_POSITION } from "../../identity/hash-order.ts";
import type { LogPolicy } from "../../object/method.ts";
import type { SqlRow, SqlStorage } from "../../platform/ports.ts";
import type { CallRecord, CallStatus } from "../../reliable/call-record.ts";
import type { ChangeTracker } from "../storage/change-tracker.ts";
import type { HashRange } from "../storage/shard-rows.ts";

/** A record as the owner stores it. */
export interface StoredCall {
  readonly seq: number;
  readonly position: number;
  readonly log: LogPolicy;
  /** Pending, or not yet in the log as it is. */
  readonly open: boolean;
  /** Processes in a row that ended while it ran, or might have. */
  readonly crashes: number;
  readonly record: CallRecord;
}

interface CallRow extends SqlRow {
  seq: number;
  position: number;
  type: string;
  id: string;
  call_id: string;
  method: string;
  request: string | null;
  request_hash: string;
  status: string;
  response: string | null;
  error: string | null;
  caller: string | null;
  trace_id: string | null;
  attempts: number;
  epoch: number;
  accepted: number;
  finished: number | null;
  expires: number | null;
  log: string;
  open: number;
  crashes: number;
}

/** What a table needs beside its storage. */
export interface CallTableParts {
  now(): number;
  /** The shard of a position in hash order, by the present shard count. */
  shardAt(position: number): number;
  readonly changes: ChangeTracker;
  /** Positions whose rows are on their way here, but not this partition's yet. */
  staged(): readonly HashRange[];
  /** Throws when nothing may be written at a position in hash order. */
  fence(position: number): void;
}

const BY_KEY = "position = ? AND type = ? AND id = ? AND call_id = ?";

/** Characters of request and response that surely fit in one row of 2 MB. */
const HEAVY = 600_000;
/** Steps of `seq` a millisecond. */
const TICKS = 1_024;

/**
 * The call marks of a partition and the backlog of its log. A row is *open* while the call is pending or the log has not
 * seen its outcome; then its request is dropped and the rest stays as the mark until retention ends.
 */
export class CallTable {
  readonly #storage: SqlStorage;
  readonly #parts: CallTableParts;
  /** Open rows. */
  open: number;
  #lastSeq: number;

  constructor(storage: SqlStorage, parts: CallTableParts) {
    this.#storage = storage;
    this.#parts = parts;
    this.open = 0;
    this.#lastSeq = 0;
    this.readCounters();
  }

  /** Takes its counters from the database again. */
  readCounters(): void {
    this.open = this.#number(`SELECT count(*) AS n FROM calls WHERE open = 1 ${this.#own()}`);
    this.#lastSeq = Math.max(
      this.#lastSeq,
      this.#number("SELECT coalesce(max(seq), 0) AS n FROM calls WHERE open = 1"),
    );
  }

  /**
   * The place of a call that is accepted now: above every open call here and every one accepted elsewhere before it came
   * here. A hybrid logical clock (Kulkarni, Demirbas, Madappa, Avva, Leone 2014) of 1,024 ticks a millisecond.
   */
  nextSeq(): number {
    this.#lastSeq = Math.max(this.#lastSeq + 1, this.#parts.now() * TICKS);
    return this.#lastSeq;
  }

  find(position: number, type: string, id: string, callId: string): StoredCall | undefined {
    const rows = this.#storage.query<CallRow>(
      "SELECT * FROM calls WHERE position = ? AND type = ? AND id = ? AND call_id = ?",
      position,
      type,
      id,
      callId,
    );
    return rows[0] === undefined ? undefined : this.#fromRow(rows[0]);
  }

  /** Pending calls in order of acceptance; of the objects between two places in hash order. */
  pending(first = FIXED_POSITION, last = 2 ** 32): StoredCall[] {
    return this.#storage
      .query<CallRow>(
        "SELECT * FROM calls WHERE open = 1 AND status = 'pending' AND position BETWEEN ? AND ? ORDER BY seq",
        first,
        last,
      )
      .map((row) => this.#fromRow(row));
  }

  insert({ seq, position, log, record }: StoredCall): void {
    this.#parts.fence(position);
    this.#parts.changes.call(position, record, () =>
      this.#storage.query(
        `INSERT INTO calls (seq, position, type, id, call_id, method, request, request_hash, status, caller, trace_id,
           attempts, epoch, accepted, expires, log) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?)`,
        seq,
        position,
        record.type,
        record.id,
        record.callId,
        record.method,
        record.request,
        record.requestHash,
        record.caller,
        record.traceId,
        record.attempts,
        record.epoch,
        record.acceptedAt,
        record.expiresAt,
        log,
      ),
    );
  }

  /** @param crashes processes in a row that ended before an attempt did */
  started({ position, record }: StoredCall, attempts: number, crashes: number): void {
    this.#parts.changes.call(position, record, () =>
      this.#storage.query(
        `UPDATE calls SET attempts = ?, crashes = ? WHERE ${BY_KEY}`,
        attempts,
        crashes,
        position,
        record.type,
        record.id,
        record.callId,
      ),
    );
  }

  /** Stores the outcome. With `logged`, nothing is left to ship. */
  finish({ position, record }: StoredCall, logged: boolean): void {
    this.#parts.fence(position);
    // Request and response together must fit in a row; the log has had the request since the call was pending, or goes without.
    const heavy = (record.request?.length ?? 0) + (record.response?.length ?? 0) > HEAVY;
    this.#parts.changes.call(position, record, () =>
      this.#storage.query(
        `UPDATE calls SET status = ?, response = ?, error = ?, attempts = ?, finished = ?, open = ?,
           request = CASE WHEN ? THEN NULL ELSE request END WHERE ${BY_KEY}`,
        record.status,
        record.response,
        record.error === null ? null : JSON.stringify(record.error),
        record.attempts,
        record.finishedAt,
        logged ? 0 : 1,
        logged || heavy ? 1 : 0,
        position,
        record.type,
        record.id,
        record.callId,
      ),
    );
  }

  backlog(limit: number): StoredCall[] {
    return this.#storage
      .query<CallRow>(
        `SELECT * FROM calls WHERE open = 1 AND (status <> 'pending' OR shipped = 0) ${this.#own()} ORDER BY seq LIMIT ?`,
        limit,
      )
      .map((row) => this.#fromRow(row));
  }

  /** Notes what the log holds. A row whose outcome came after it was read stays open. */
  shipped(entries: readonly StoredCall[]): void {
    // Counted once the transaction is through: one that fails is tried again.
    this.open -= this.#storage.transaction(() => this.#close(entries));
  }

  #close(entries: readonly StoredCall[]): number {
    const list = JSON.stringify(
      entries.map(({ position, record }) => [position, record.type, record.id, record.callId, record.status]),
    );
    const closed = this.#storage.query<{ open: number }>(
      `UPDATE calls SET shipped = 1, open = (status = 'pending'),
         request = CASE WHEN status = 'pending' THEN request ELSE NULL END
       WHERE open = 1 AND (position, type, id, call_id, status) IN (
         SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(?)) RETURNING open`,
      list,
    );
    return closed.filter((row) => row.open === 0).length;
  }

  countFinished(before: number, limit: number): number {
    return this.#number(
      `SELECT count(*) AS n FROM (
         SELECT 1 FROM calls WHERE open = 0 AND accepted < ${Math.floor(before)} AND finished < ${Math.floor(before)} LIMIT ${limit})`,
    );
  }

  /**
   * Removes at most `limit` marks of calls finished before `before`; says how many. Those on leaving shards stay: they are
   * being copied, and the next owner removes them.
   */
  removeFinished(before: number, limit: number): number {
    return this.#storage.query(
      `DELETE FROM calls WHERE (position, type, id, call_id) IN (
         SELECT position, type, id, call_id FROM calls WHERE open = 0 AND accepted < ? AND finished < ?
           ${this.#parts.changes.outside("position")} ${this.#own()} LIMIT ?) RETURNING 1 AS removed`,
      before,
      before,
      limit,
    ).length;
  }

  /** Leaves out rows of shards that are still copied here: their epoch may never begin. */
  #own(): string {
    return this.#parts
      .staged()
      .map(({ first, last }) => `AND position NOT BETWEEN ${first} AND ${last}`)
      .join(" ");
  }

  #number(sql: string): number {
    return this.#storage.query<{ n: number }>(sql)[0]?.n ?? 0;
  }

  #fromRow(row: CallRow): StoredCall {
    return {
      seq: row.seq,
      position: row.position,
      log: row.log as LogPolicy,
      open: row.open === 1,
      crashes: row.crashes,
      record: {
        callId: row.call_id,
        type: row.type,
        id: row.id,
        shard: this.#parts.shardAt(row.position),
        method: row.method,
        request: row.request,
        requestHash: row.request_hash,
        status: row.status as CallStatus,
        response: row.response,
        error: row.error === null ? null : (JSON.parse(row.error) as WireError),
        caller: row.caller,
        traceId: row.trace_id,
        attempts: row.attempts,
        epoch: row.epoch,
        acceptedAt: row.accepted,
        finishedAt: row.finished,
        expiresAt: row.expires,
      },
    };
  }
}
