import type { WireError } from "../../errors/edgeverse-error.ts";
import { FIXED_POSITION } from "../../identity/hash-order.ts";
import { CallCounters } from "../../observe/call-counters.ts";
import type { SqlStorage } from "../../platform/ports.ts";
import { type NoteKind, withNote } from "../../reliable/call-history.ts";
import { type CallRecord, isFinal } from "../../reliable/call-record.ts";
import { Backlog, type BacklogRow } from "../storage/backlog.ts";
import {
  AMONG_CALLS,
  BY_KEY,
  type CallRow,
  errorText,
  fromRow,
  storeMarks,
  storePending,
} from "../storage/call-rows.ts";
import type { ChangeTracker } from "../storage/change-tracker.ts";
import { HybridClock } from "../storage/hybrid-clock.ts";
import { JsonBatch } from "../storage/json-batch.ts";
import { writeNoted } from "../storage/noted-writes.ts";
import type { HashRange } from "../storage/shard-rows.ts";
import {
  backlogRecord,
  type CallPlace,
  keyOfCall,
  keyOfRecord,
  rowKeyOfCall,
  type StoredCall,
} from "../storage/stored-call.ts";

/** What a table needs beside its storage. */
export interface CallTableParts {
  /** The partition's name. */
  readonly name: string;
  now(): number;
  /** The shard of a position in hash order, by the present shard count. */
  shardAt(position: number): number;
  readonly changes: ChangeTracker;
  /** Throws when nothing may be written at a position in hash order. */
  fence(position: number): void;
  /** Whether outcomes are to reach a log elsewhere; else marks are the log's rows. */
  readonly logs: boolean;
}

/** A call that has ended. */
export interface EndedCall extends StoredCall {
  /** Its acceptance was written, by an earlier commit. */
  readonly accepted: boolean;
}

/**
 * The reliable calls of a partition. A call that was accepted is a row of `pending` until it ends; then it is a mark, written
 * once, in the commit of its effects, until the retention ends. A call that ends before the commit that would accept it never
 * is a row of `pending`. The same commit appends the outcome to the backlog of the log.
 */
export class CallTable {
  readonly backlog: Backlog;
  /** What has become of its calls since the process began. */
  readonly counters = new CallCounters();
  readonly #storage: SqlStorage;
  readonly #parts: CallTableParts;
  readonly #clock: HybridClock;

  constructor(storage: SqlStorage, parts: CallTableParts) {
    this.backlog = new Backlog(storage);
    this.#storage = storage;
    this.#parts = parts;
    this.#clock = new HybridClock(() => parts.now());
  }

  /**
   * The place of a call that is accepted now: above every pending call here and every one accepted elsewhere before it came
   * here.
   */
  nextSeq(): number {
    return this.#clock.next();
  }

  find(position: number, type: string, id: string, callId: string): StoredCall | undefined {
    const sql = `SELECT * FROM calls WHERE ${BY_KEY}`;
    const rows = this.#storage.query<CallRow>(sql, position, type, id, callId);
    return rows[0] === undefined ? undefined : this.#fromRow(rows[0]);
  }

  /** The calls that have not ended, in order of acceptance and without their requests; of a range in hash order, or all. */
  pending(range?: HashRange): (StoredCall & { readonly bytes: number })[] {
    // For all there is no condition: to compare a row with the end of a range, SQLite reads the request, too. So it does for
    // a history, which is behind it.
    const where = range === undefined ? "" : "WHERE position BETWEEN ? AND ?";
    const calls = this.#storage
      .query<CallRow & { bytes: number }>(
        `SELECT position, type, id, call_id, seq, status, method, NULL AS request, request_hash, NULL AS response, error,
           caller, trace_id, attempts, epoch, accepted, NULL AS finished, expires, log, crashes, 0 AS shipped, bytes,
           iif(attempts > 1 OR crashes > 0 OR status = 'parked', history, NULL) AS history
         FROM pending ${where} ORDER BY seq`,
        ...(range === undefined ? [] : [range.first, range.last]),
      )
      .map((row) => ({ ...this.#fromRow(row), bytes: row.bytes }));
    this.#clock.saw(calls.at(-1)?.seq ?? 0);
    return calls;
  }

  /** A call to which something has happened, here and now. For the commit that stores it. */
  noted<Call extends StoredCall>(call: Call, what: NoteKind, error?: WireError): Call {
    const { record } = call;
    const note = { at: this.#parts.now(), what, attempt: record.attempts, by: this.#parts.name };
    return { ...call, record: { ...record, history: withNote(record.history, note, error) } };
  }

  /** The request of a call that has not ended. */
  request(call: StoredCall): string | null {
    const sql = `SELECT request FROM pending WHERE ${BY_KEY}`;
    return this.#storage.query<{ request: string | null }>(sql, ...keyOfCall(call))[0]?.request ?? null;
  }

  /** The calls with these keys, as far as they have not ended. */
  open(keys: readonly CallPlace[]): StoredCall[] {
    const sql = `SELECT * FROM calls WHERE open = 1 AND ${AMONG_CALLS} ORDER BY seq`;
    return this.#storage.query<CallRow>(sql, JSON.stringify(keys)).map((row) => this.#fromRow(row));
  }

  /** Places of parked calls in hash order, from behind one of them on. `bytes` is the size of the request. */
  parked(after: CallPlace = [FIXED_POSITION, "", "", ""], limit: number) {
    return this.#storage.query<{ position: number; type: string; id: string; callId: string; bytes: number }>(
      `SELECT position, type, id, call_id AS callId, bytes FROM pending
       WHERE status = 'parked' AND (position, type, id, call_id) > (?, ?, ?, ?)
       ORDER BY position, type, id, call_id LIMIT ?`,
      ...after,
      limit,
    );
  }

  /** Stores calls as pending. Inside the transaction of a commit, like the following. */
  accept(calls: readonly StoredCall[]): void {
    this.#write(calls, (some) => storePending(this.#storage, some));
  }

  /** Stores what changes of a call that has not ended: its attempts, and whether it is parked. */
  update(call: StoredCall): void {
    const { seq, crashes, record } = call;
    this.#parts.changes.row(rowKeyOfCall(call), () =>
      this.#storage.query(
        `UPDATE pending SET seq = ?, status = ?, error = ?, attempts = ?, crashes = ?, history = ? WHERE ${BY_KEY}`,
        seq,
        record.status,
        errorText(record),
        record.attempts,
        crashes,
        record.history ?? null,
        ...keyOfCall(call),
      ),
    );
  }

  /** Runs what an operator asked for in a transaction of its own. */
  now(write: () => void): void {
    const { changes } = this.#parts;
    const undo = changes.checkpoint();
    try {
      this.#storage.transaction(() => {
        write();
        changes.save();
      });
    } catch (error) {
      undo();
      throw error;
    }
  }

  /** Whether nobody may be told the call's outcome before the log has it ([CALL6]). */
  logsFirst({ log }: StoredCall): boolean {
    return this.#parts.logs && log === "write-ahead";
  }

  /** Stores outcomes. */
  finish(calls: readonly EndedCall[]): void {
    this.#write(calls, (some) => {
      this.#each("DELETE FROM pending WHERE", some.filter((call) => call.accepted).map(keyOfCall));
      storeMarks(this.#storage, some, { whole: !this.#parts.logs });
    });
    if (this.#parts.logs) this.backlog.append(calls.map(backlogRecord));
  }

  /** The log has these outcomes. */
  shipped(rows: readonly BacklogRow[]): void {
    const ahead = rows.flatMap(({ records }) => records.filter((record) => record.ahead));
    this.#storage.transaction(() => {
      this.backlog.remove(rows);
      this.#each("UPDATE marks SET logged = 1 WHERE logged = 0 AND", ahead.map(keyOfRecord));
    });
  }

  /** The log has the outcome of a `write-ahead` call. */
  logged(call: StoredCall): void {
    this.#each("UPDATE marks SET logged = 1 WHERE logged = 0 AND", [keyOfCall(call)]);
  }

  /** A call has ended, and its outcome is durable. */
  countEnded({ status, acceptedAt, finishedAt }: CallRecord): void {
    if (isFinal(status)) this.counters.ended(status, (finishedAt ?? acceptedAt) - acceptedAt);
  }

  #write<Call extends StoredCall>(calls: readonly Call[], write: (some: readonly Call[]) => void): void {
    writeNoted(this.#parts, calls, rowKeyOfCall, write);
  }

  /** Runs a statement that ends in a condition for the rows with these keys. */
  #each(statement: string, keys: readonly CallPlace[]): void {
    const sql = `${statement} ${AMONG_CALLS}`;
    const bulk = new JsonBatch((list) => this.#storage.query(sql, list));
    for (const key of keys) bulk.add(key);
    bulk.flush();
  }

  #fromRow(row: CallRow): StoredCall {
    return fromRow(row, this.#parts.shardAt(row.position as number));
  }
}
