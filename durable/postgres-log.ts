import { and, asc, desc, eq, gt, inArray, lt, ne, notInArray, or, type SQL, sql } from "drizzle-orm";
import type { PgRemoteDatabase } from "drizzle-orm/pg-proxy";
import { reliableCalls as t } from "../schema/reliable-calls.ts";
import { EdgeverseError } from "../src/errors/edgeverse-error.ts";
import type { CallKey, CallRecord, FinalStatus } from "../src/reliable/call-record.ts";
import { type CausedCalls, causeOf, mergedCalls, shortCall } from "../src/reliable/caused-calls.ts";
import {
  byTypeAndStatus,
  type CallFilter,
  type CallLog,
  type CallPage,
  type CallStats,
  type FinalCounts,
  type FoundCall,
  fitting,
  type LoggedCall,
  type PendingCall,
} from "../src/reliable/ports.ts";
import type { NeonOptions } from "./neon-client.ts";
import { openNeon, readFailure } from "./neon-database.ts";
import { CHARACTERS, COUNTED, causedByOne, LOGGED, SHORT, toCallCount, toLoggedCall } from "./postgres-log-row.ts";
import { writeRecords } from "./postgres-log-write.ts";

export type PostgresCallLogOptions = NeonOptions;

const MAX_ROWS = 1_000;
const MAX_SEQ = 2n ** 63n - 1n;

/**
 * The log of reliable calls in Postgres, over HTTP: nothing stays open, so it keeps no Durable Object awake. Stateless;
 * one instance may serve an isolate. The table comes from `migrations/`.
 *
 * @example
 * ```ts
 * const log = new PostgresCallLog({ url: env.DATABASE_URL, timeoutMs: 5_000 });
 * await log.ping();
 * ```
 */
export class PostgresCallLog implements CallLog {
  readonly #db: PgRemoteDatabase;

  constructor(options: PostgresCallLogOptions) {
    this.#db = openNeon(options);
  }

  /**
   * As the port says. A record that Postgres refuses does not hold up the others: they are written, then this rejects with
   * `INVALID_ARGUMENT`, not retryable, `details.refused` naming each refused record and why.
   */
  async write(records: readonly CallRecord[]): Promise<void> {
    if (records.length === 0) return;
    checkLimit(records.length);
    await writeRecords(records, async (statement) => {
      await this.#db.execute(statement);
    });
  }

  async find(type: string, id: string, callId: string): Promise<FoundCall | null> {
    const key = and(eq(t.objectType, type), eq(t.objectId, id), eq(t.callId, callId));
    const columns = { ...LOGGED, loggedAt: t.updatedAt };
    const [row] = await read(() => this.#db.select(columns).from(t).where(key));
    if (row === undefined) return null;
    const { loggedAt, ...call } = row;
    return { ...toLoggedCall(call), loggedAt: loggedAt.getTime() };
  }

  async list(filter: CallFilter): Promise<CallPage> {
    const limit = checkLimit(filter.limit);
    const where = and(
      filter.status === undefined ? undefined : eq(t.status, filter.status),
      filter.type === undefined ? undefined : eq(t.objectType, filter.type),
      filter.id === undefined ? undefined : eq(t.objectId, filter.id),
      filter.before === undefined ? undefined : lt(t.seq, checkSeq(filter.before)),
    );
    const page = await this.#sizes(where, desc(t.seq), limit);
    const chosen = fitting(page, ({ characters }) => Number(characters));
    const calls = await this.#calls(chosen, desc(t.seq));
    const more = page.length === limit || chosen.length < page.length;
    const last = chosen.at(-1);
    return last === undefined || !more ? { calls } : { calls, next: String(last.seq) };
  }

  /** Reads the whole table, but none of its large values. */
  async stats(): Promise<CallStats> {
    const rows = await read(() => this.#db.select(COUNTED).from(t).groupBy(t.objectType, t.status));
    return { counts: rows.map(toCallCount).sort(byTypeAndStatus) };
  }

  async causedBy(causes: readonly CallKey[], limit: number): Promise<CausedCalls> {
    if (causes.length === 0) return { calls: [], complete: true };
    checkLimit(limit);
    checkLimit(causes.length);
    const rows = await read(() =>
      this.#db
        .select(SHORT)
        .from(t)
        .where(causedByOne(causes))
        .orderBy(asc(t.seq))
        .limit(limit + 1),
    );
    const calls = rows.flatMap((row) => {
      const call = toLoggedCall({ ...row, request: null, response: null });
      const cause = causeOf(call.caller);
      return cause === undefined ? [] : [{ ...shortCall(call), cause }];
    });
    return mergedCalls([calls], limit);
  }

  async read(seqs: readonly string[]): Promise<LoggedCall[]> {
    if (seqs.length === 0) return [];
    const page = await this.#sizes(inArray(t.seq, seqs.map(checkSeq)), asc(t.seq), checkLimit(seqs.length));
    return this.#calls(
      fitting(page, ({ characters }) => Number(characters)),
      asc(t.seq),
    );
  }

  async pending(options: { staleBefore: number; after?: string | undefined; limit: number }): Promise<PendingCall[]> {
    const limit = checkLimit(options.limit);
    // `after` only pages through one sweep. A bigserial value may become visible after a greater one, so every sweep
    // starts at the beginning.
    const where = and(
      eq(t.status, sql`'pending'`),
      or(eq(t.epoch, 0), lt(t.updatedAt, new Date(options.staleBefore))),
      options.after === undefined ? undefined : gt(t.seq, checkSeq(options.after)),
    );
    const key = { seq: t.seq, type: t.objectType, id: t.objectId, callId: t.callId };
    const rows = await read(() => this.#db.select(key).from(t).where(where).orderBy(asc(t.seq)).limit(limit));
    return rows.map((row) => ({ ...row, seq: String(row.seq) }));
  }

  async countFinished(before: number, types: Readonly<Record<string, number>> = {}): Promise<FinalCounts> {
    const rows = await read(() =>
      this.#db
        .select({ status: t.status, count: sql<string>`count(*)` })
        .from(t)
        .where(finished(before, types))
        .groupBy(t.status),
    );
    return toCounts(rows);
  }

  async removeFinished(
    before: number,
    limit: number,
    types: Readonly<Record<string, number>> = {},
  ): Promise<FinalCounts> {
    checkLimit(limit);
    // SKIP LOCKED: two sweeps at once share the work instead of waiting for each other. The array keeps the planner from
    // joining against the whole table.
    const oldest = sql`select ${t.seq} from ${t} where ${finished(before, types)}
      order by ${t.finishedAt} limit ${limit} for update skip locked`;
    const statement = sql`
      with removed as (delete from ${t} where ${t.seq} = any(array(${oldest})) returning ${t.status})
      select status, count(*) as count from removed group by status`;
    // Removing again removes other rows: never retried.
    return toCounts(await guard(() => this.#db.execute<{ status: string; count: string }>(statement)));
  }

  async ping(): Promise<void> {
    await read(() => this.#db.execute(sql`select 1`));
  }

  /** How large calls are, so that no more of them are read than memory holds. */
  #sizes(where: SQL | undefined, order: SQL, limit: number) {
    return read(() =>
      this.#db.select({ seq: t.seq, characters: CHARACTERS }).from(t).where(where).orderBy(order).limit(limit),
    );
  }

  async #calls(page: readonly { readonly seq: bigint }[], order: SQL): Promise<LoggedCall[]> {
    if (page.length === 0) return [];
    const seqs = page.map(({ seq }) => seq);
    const rows = await read(() => this.#db.select(LOGGED).from(t).where(inArray(t.seq, seqs)).orderBy(order));
    return rows.map(toLoggedCall);
  }
}

/**
 * Finished before a time, which types may have of their own. The literal, not a parameter: it lets a generic plan use the
 * partial index as well. The index goes by time: rows of a type that are kept for longer are passed over.
 */
function finished(before: number, types: Readonly<Record<string, number>>): SQL | undefined {
  const own = Object.entries(types);
  const finishedBefore = (time: number) => lt(t.finishedAt, new Date(time));
  const last = finishedBefore(Math.max(before, ...Object.values(types)));
  if (own.length === 0) return and(ne(t.status, sql`'pending'`), last);
  const other = and(notInArray(t.objectType, Object.keys(types)), finishedBefore(before));
  const special = own.map(([type, time]) => and(eq(t.objectType, type), finishedBefore(time)));
  return and(ne(t.status, sql`'pending'`), last, or(other, ...special));
}

function toCounts(rows: readonly { status: string; count: string }[]): FinalCounts {
  const counts: FinalCounts = { success: 0, failed: 0, expired: 0 };
  for (const { status, count } of rows) counts[status as FinalStatus] = Number(count);
  return counts;
}

function checkLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_ROWS) return limit;
  throw new EdgeverseError("INVALID_ARGUMENT", `Cannot take ${limit} rows: the log takes 1 to ${MAX_ROWS} at once`);
}

function checkSeq(text: string): bigint {
  const seq = /^\d{1,19}$/.test(text) ? BigInt(text) : MAX_SEQ + 1n;
  if (seq <= MAX_SEQ) return seq;
  throw new EdgeverseError("INVALID_ARGUMENT", "Cannot read the page token: it is not one this log gave out");
}

/** A read, tried once more when the connection broke before an answer: kept-alive connections die between requests. */
async function read<T>(action: () => PromiseLike<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!readFailure(error).unconnected) throw unavailable(error);
    return guard(action);
  }
}

async function guard<T>(action: () => PromiseLike<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw unavailable(error);
  }
}

function unavailable(error: unknown): EdgeverseError {
  return new EdgeverseError("LOG_UNAVAILABLE", `Cannot use the log of reliable calls: ${readFailure(error).reason}`);
}
