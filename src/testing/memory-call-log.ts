import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Clock } from "../platform/ports.ts";
import { type CallKey, type CallRecord, isFinal } from "../reliable/call-record.ts";
import { type CausedCalls, causeOf, mergedCalls, nameOfCall, shortCall } from "../reliable/caused-calls.ts";
import {
  byTypeAndStatus,
  type CallCount,
  type CallFilter,
  type CallLog,
  type CallPage,
  type CallStats,
  charactersOf,
  type FinalCounts,
  type FoundCall,
  fitting,
  type LoggedCall,
  type PendingCall,
} from "../reliable/ports.ts";

interface Row {
  readonly seq: number;
  record: CallRecord;
  updatedAt: number;
}

/**
 * The log of reliable calls in memory, for tests and the simulation: the rules of Postgres without Postgres.
 * Deterministic: `seq` counts rows, times come from the clock. Set `down` to make every method fail.
 */
export class MemoryCallLog implements CallLog {
  down = false;
  readonly #clock: Pick<Clock, "now">;
  readonly #rows = new Map<string, Row>();
  #seq = 0;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Every logged call, oldest first. */
  get rows(): LoggedCall[] {
    return [...this.#rows.values()].map(logged);
  }

  async write(records: readonly CallRecord[]): Promise<void> {
    this.#check(records.length, 0);
    for (const record of records) {
      const key = JSON.stringify([record.type, record.id, record.callId]);
      const row = this.#rows.get(key);
      if (row !== undefined && !supersedes(record, row.record)) continue;
      const stored = {
        ...record,
        request: asJsonb(record.request),
        response: asJsonb(record.response),
        caller: asJsonb(record.caller),
        history: asJsonb(record.history ?? null) ?? undefined,
      };
      const updatedAt = this.#clock.now();
      if (row === undefined) this.#rows.set(key, { seq: ++this.#seq, record: stored, updatedAt });
      else Object.assign(row, { record: stored, updatedAt });
    }
  }

  async find(type: string, id: string, callId: string): Promise<FoundCall | null> {
    this.#check();
    const row = this.#rows.get(JSON.stringify([type, id, callId]));
    return row === undefined ? null : { ...logged(row), loggedAt: row.updatedAt };
  }

  async stats(): Promise<CallStats> {
    this.#check();
    const groups = Map.groupBy(this.#rows.values(), ({ record }) => JSON.stringify([record.type, record.status]));
    const counts = [...groups.values()].map((rows): CallCount => {
      const { type, status } = (rows[0] as Row).record;
      const oldest = Math.min(...rows.map(({ record }) => record.acceptedAt));
      const bytes = rows.reduce((sum, { record }) => sum + charactersOf(record), 0);
      return { type, status, count: rows.length, oldest, bytes };
    });
    return { counts: counts.sort(byTypeAndStatus) };
  }

  async causedBy(causes: readonly CallKey[], limit: number): Promise<CausedCalls> {
    this.#check(limit);
    const names = new Set(causes.map(nameOfCall));
    const calls = [...this.#rows.values()].flatMap(({ record }) => {
      const cause = causeOf(record.caller);
      return cause === undefined || !names.has(nameOfCall(cause)) ? [] : [{ ...shortCall(record), cause }];
    });
    return mergedCalls([calls], limit);
  }

  async list(filter: CallFilter): Promise<CallPage> {
    this.#check(filter.limit);
    if (filter.before !== undefined && !/^\d+$/.test(filter.before)) {
      throw new EdgeverseError("INVALID_ARGUMENT", "Cannot read the page token: it is not one this log gave out");
    }
    const before = Number(filter.before ?? Number.POSITIVE_INFINITY);
    const page = [...this.#rows.values()]
      .filter(({ seq, record }) => {
        if (filter.status !== undefined && record.status !== filter.status) return false;
        if (filter.type !== undefined && record.type !== filter.type) return false;
        return seq < before && (filter.id === undefined || record.id === filter.id);
      })
      .sort((a, b) => b.seq - a.seq)
      .slice(0, filter.limit)
      .map(logged);
    const calls = fitting(page, charactersOf);
    const last = calls.at(-1);
    const more = page.length === filter.limit || calls.length < page.length;
    return last === undefined || !more ? { calls } : { calls, next: last.seq };
  }

  async pending(options: { staleBefore: number; after?: string | undefined; limit: number }): Promise<PendingCall[]> {
    this.#check(options.limit);
    const after = Number(options.after ?? 0);
    return [...this.#rows.values()]
      .filter(({ seq, record, updatedAt }) => {
        if (record.status !== "pending" || seq <= after) return false;
        return record.epoch === 0 || updatedAt < options.staleBefore;
      })
      .sort((a, b) => a.seq - b.seq)
      .slice(0, options.limit)
      .map(({ seq, record: { type, id, callId } }) => ({ seq: String(seq), type, id, callId }));
  }

  async read(seqs: readonly string[]): Promise<LoggedCall[]> {
    this.#check(seqs.length, 0);
    const there = [...this.#rows.values()].filter(({ seq }) => seqs.includes(String(seq)));
    return fitting(there.sort((a, b) => a.seq - b.seq).map(logged), charactersOf);
  }

  async countFinished(before: number, types: Readonly<Record<string, number>> = {}): Promise<FinalCounts> {
    this.#check();
    return count(this.#finished(before, types).map(([, row]) => row));
  }

  async removeFinished(
    before: number,
    limit: number,
    types: Readonly<Record<string, number>> = {},
  ): Promise<FinalCounts> {
    this.#check(limit);
    const removed = this.#finished(before, types).slice(0, limit);
    for (const [key] of removed) this.#rows.delete(key);
    return count(removed.map(([, row]) => row));
  }

  async ping(): Promise<void> {
    this.#check();
  }

  #finished(before: number, types: Readonly<Record<string, number>>): [string, Row][] {
    return [...this.#rows]
      .filter(
        ([
          ,
          {
            record: { type, status, finishedAt },
          },
        ]) => {
          return isFinal(status) && finishedAt !== null && finishedAt < (types[type] ?? before);
        },
      )
      .sort(([, a], [, b]) => (a.record.finishedAt ?? 0) - (b.record.finishedAt ?? 0) || a.seq - b.seq);
  }

  #check(limit = 1, least = 1): void {
    if (this.down) throw new EdgeverseError("LOG_UNAVAILABLE", "The log is down");
    if (!Number.isInteger(limit) || limit < least || limit > 1_000) {
      throw new EdgeverseError("INVALID_ARGUMENT", `Cannot take ${limit} rows: the log takes at most 1000 at once`);
    }
  }
}

/** The rule of the log: nothing changes a finished row, nothing older changes a newer one, a replay changes nothing. */
function supersedes(next: CallRecord, row: CallRecord): boolean {
  if (isFinal(row.status) || next.epoch < row.epoch) return false;
  if (next.epoch > row.epoch || isFinal(next.status) || next.attempts > row.attempts) return true;
  return next.attempts === row.attempts && next.status === "parked" && row.status === "pending";
}

function logged({ seq, record }: Row): LoggedCall {
  return { ...record, seq: String(seq) };
}

function count(rows: readonly Row[]): FinalCounts {
  const counts: FinalCounts = { success: 0, failed: 0, expired: 0 };
  for (const { record } of rows) if (isFinal(record.status)) counts[record.status]++;
  return counts;
}

/** Prints a JSON text as jsonb does (keys by length, then by code unit; spaces), so that nothing relies on either. */
function asJsonb(text: string | null): string | null {
  return text === null ? null : print(JSON.parse(text));
}

function print(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(print).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}: ${print(member)}`).join(", ")}}`;
}
