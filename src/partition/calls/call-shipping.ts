import type { CallRecord } from "../../reliable/call-record.ts";
import type { Backlog, Batch } from "../../reliable/shipper.ts";
import type { BacklogRecord, BacklogRow } from "../storage/backlog.ts";
import type { CallPlace } from "../storage/stored-call.ts";
import { keyOf } from "./call-entry.ts";
import type { CallTable } from "./call-table.ts";

interface Parts {
  readonly table: CallTable;
  readonly now: () => number;
  /** The shard of a position in hash order. */
  readonly shardAt: (position: number) => number;
  /** Resolves when all that was written is durable. */
  readonly barrier: () => Promise<void>;
  /** `logInterval`: ms that a call may stay pending before the log hears of it. */
  readonly config: { readonly logInterval: number };
}

/** A call of which the log has yet to hear that it has not ended. */
interface Waiting {
  readonly key: CallPlace;
  /** Characters of its request. */
  readonly bytes: number;
  /** When it was accepted. */
  readonly since: number;
}

/** A batch for the log, and where it comes from. */
export interface CallBatch extends Batch {
  readonly rows: readonly BacklogRow[];
  readonly waiting: ReadonlyMap<string, Waiting>;
}

/** Most records in one statement ([CALL5]), and roughly most bytes. */
const BATCH = { records: 500, bytes: 1024 * 1024 };

/**
 * What the log has yet to hear of: outcomes first, from the backlog; then calls that stay pending. What was told of a pending
 * call is remembered in memory alone, so each process tells it once more.
 */
export class CallShipping implements Backlog<CallBatch> {
  readonly #parts: Parts;
  readonly #waiting = new Map<string, Waiting>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The log is to hear of the call, unless it ends soon. */
  add(name: string, call: Waiting): void {
    this.#waiting.set(name, call);
  }

  delete(name: string): void {
    this.#waiting.delete(name);
  }

  /** Forgets the calls at positions that have left. */
  leave(left: (position: number) => boolean): void {
    for (const [name, { key }] of this.#waiting) if (left(key[0])) this.#waiting.delete(name);
  }

  get waits(): boolean {
    return this.#waiting.size > 0;
  }

  async next(): Promise<CallBatch | undefined> {
    const batch = this.#outcomes() ?? this.#calls();
    if (batch !== undefined) await this.#parts.barrier();
    return batch;
  }

  shipped({ rows, waiting, records }: CallBatch): void {
    const { table, now } = this.#parts;
    const oldest = rows[0]?.records[0]?.finishedAt ?? undefined;
    table.counters.shipped(records.length, oldest === undefined ? undefined : now() - oldest);
    for (const [name, call] of waiting) if (this.#waiting.get(name) === call) this.#waiting.delete(name);
    if (rows.length > 0) table.shipped(rows);
  }

  #outcomes(): CallBatch | undefined {
    const rows = this.#parts.table.backlog.front(BATCH);
    if (rows.length === 0) return undefined;
    const records = new Map<string, CallRecord>();
    for (const record of rows.flatMap((row) => row.records)) {
      // The shards may have been counted anew since.
      records.set(keyOf(record), toCallRecord(record, this.#parts.shardAt(record.position)));
    }
    return { rows, waiting: new Map(), records: [...records.values()] };
  }

  #calls(): CallBatch | undefined {
    const { table, now, config } = this.#parts;
    const waiting = new Map<string, Waiting>();
    let bytes = 0;
    for (const [name, call] of this.#waiting) {
      if (call.since > now() - config.logInterval) continue;
      bytes += call.bytes;
      if (waiting.size === BATCH.records || (waiting.size > 0 && bytes > BATCH.bytes)) break;
      waiting.set(name, call);
    }
    if (waiting.size === 0) return undefined;
    const records = table.open([...waiting.values()].map(({ key }) => key)).map(({ record }) => record);
    return { rows: [], waiting, records };
  }
}

/** Member by member: a copy of all but two costs several times as much, and so does whatever reads it. */
function toCallRecord(record: BacklogRecord, shard: number): CallRecord {
  return {
    callId: record.callId,
    type: record.type,
    id: record.id,
    shard,
    method: record.method,
    request: record.request,
    requestHash: record.requestHash,
    status: record.status,
    response: record.response,
    error: record.error,
    caller: record.caller,
    traceId: record.traceId,
    attempts: record.attempts,
    epoch: record.epoch,
    acceptedAt: record.acceptedAt,
    finishedAt: record.finishedAt,
    expiresAt: record.expiresAt,
    history: record.history,
  };
}
