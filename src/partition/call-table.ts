import type { WireError } from "../errors/edgeverse-error.ts";
import type { LogPolicy } from "../object/method.ts";
import type { SqlRow, SqlStorage } from "../platform/ports.ts";
import type { CallRecord, CallStatus } from "../reliable/call-record.ts";
import type { BacklogEntry } from "../reliable/shipper.ts";

/** A record as the owner stores it. */
export interface StoredCall {
  readonly seq: number;
  readonly ring: number;
  readonly log: LogPolicy;
  /** Pending, or not yet in the log as it is. */
  readonly open: boolean;
  /** Processes in a row that ended while it ran, or might have. */
  readonly crashes: number;
  readonly record: CallRecord;
}

interface CallRow extends SqlRow {
  seq: number;
  ring: number;
  type: string;
  id: string;
  call_id: string;
  shard: number;
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

/** Characters of request and response that surely fit in one row of 2 MB. */
const HEAVY = 600_000;

/**
 * The call marks of a partition and the backlog of its log. A row is *open* while the call is pending or the log has not
 * seen its outcome; then its request is dropped and the rest stays as the mark until retention ends.
 */
export class CallTable {
  readonly #storage: SqlStorage;
  /** Open rows. */
  open: number;
  #lastSeq: number;

  constructor(storage: SqlStorage) {
    this.#storage = storage;
    this.open = 0;
    this.#lastSeq = 0;
    this.recount();
  }

  /** Takes its counters from the database again. */
  recount(): void {
    this.open = this.#number("SELECT count(*) AS n FROM calls WHERE open = 1");
    this.#lastSeq = this.#number("SELECT coalesce(max(seq), 0) AS n FROM calls");
  }

  nextSeq(): number {
    return ++this.#lastSeq;
  }

  find(ring: number, type: string, id: string, callId: string): StoredCall | undefined {
    const rows = this.#storage.query<CallRow>(
      "SELECT * FROM calls WHERE ring = ? AND type = ? AND id = ? AND call_id = ?",
      ...[ring, type, id, callId],
    );
    return rows[0] === undefined ? undefined : fromRow(rows[0]);
  }

  pending(): StoredCall[] {
    return this.#storage
      .query<CallRow>("SELECT * FROM calls WHERE open = 1 AND status = 'pending' ORDER BY seq")
      .map(fromRow);
  }

  insert({ seq, ring, log, record }: StoredCall): void {
    this.open++;
    this.#storage.query(
      `INSERT INTO calls (seq, ring, type, id, call_id, shard, method, request, request_hash, status, caller, trace_id,
         attempts, epoch, accepted, expires, log) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?)`,
      ...[seq, ring, record.type, record.id, record.callId, record.shard, record.method, record.request],
      ...[record.requestHash, record.caller, record.traceId, record.attempts, record.epoch, record.acceptedAt],
      ...[record.expiresAt, log],
    );
  }

  /** @param crashes processes in a row that ended before an attempt did */
  started(seq: number, attempts: number, crashes: number): void {
    this.#storage.query("UPDATE calls SET attempts = ?, crashes = ? WHERE seq = ?", attempts, crashes, seq);
  }

  /** Stores the outcome. With `logged`, nothing is left to ship. */
  finish(seq: number, record: CallRecord, logged: boolean): void {
    if (logged) this.open--;
    // Request and response together must fit in a row; the log has had the request since the call was pending, or goes without.
    const heavy = (record.request?.length ?? 0) + (record.response?.length ?? 0) > HEAVY;
    this.#storage.query(
      `UPDATE calls SET status = ?, response = ?, error = ?, attempts = ?, finished = ?, open = ?,
         request = CASE WHEN ? THEN NULL ELSE request END WHERE seq = ?`,
      ...[record.status, record.response, record.error === null ? null : JSON.stringify(record.error)],
      ...[record.attempts, record.finishedAt, logged ? 0 : 1, logged || heavy ? 1 : 0, seq],
    );
  }

  backlog(limit: number): BacklogEntry[] {
    return this.#storage
      .query<CallRow>(
        "SELECT * FROM calls WHERE open = 1 AND (status <> 'pending' OR shipped = 0) ORDER BY seq LIMIT ?",
        limit,
      )
      .map(fromRow);
  }

  /** Notes what the log holds. A row whose outcome came after it was read stays open. */
  shipped(entries: readonly BacklogEntry[]): void {
    // Counted once the transaction is through: one that fails is tried again.
    this.open -= this.#storage.transaction(() => this.#close(entries));
  }

  #close(entries: readonly BacklogEntry[]): number {
    const list = JSON.stringify(entries.map(({ seq, record }) => [seq, record.status]));
    const closed = this.#storage.query<{ open: number }>(
      `UPDATE calls SET shipped = 1, open = (status = 'pending'),
         request = CASE WHEN status = 'pending' THEN request ELSE NULL END
       WHERE open = 1 AND (seq, status) IN (SELECT value->>0, value->>1 FROM json_each(?)) RETURNING open`,
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

  /** Removes at most `limit` marks of calls finished before `before`, oldest accepted first; says how many. */
  removeFinished(before: number, limit: number): number {
    return this.#storage.query(
      `DELETE FROM calls WHERE seq IN (
         SELECT seq FROM calls WHERE open = 0 AND accepted < ? AND finished < ? ORDER BY seq LIMIT ?) RETURNING seq`,
      ...[before, before, limit],
    ).length;
  }

  #number(sql: string): number {
    return this.#storage.query<{ n: number }>(sql)[0]?.n ?? 0;
  }
}

function fromRow(row: CallRow): StoredCall {
  return {
    seq: row.seq,
    ring: row.ring,
    log: row.log as LogPolicy,
    open: row.open === 1,
    crashes: row.crashes,
    record: {
      callId: row.call_id,
      type: row.type,
      id: row.id,
      shard: row.shard,
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
