import type { CallKey, CallRecord, CallStatus, FinalStatus } from "./call-record.ts";

/** A logged call with its place in the log. `seq` is a decimal string: a Postgres bigserial. */
export interface LoggedCall extends CallRecord {
  readonly seq: string;
}

/** A pending call's place in the log: what it takes to ask for it, and not the call, which may be a megabyte. */
export interface PendingCall extends CallKey {
  readonly seq: string;
}

/** Characters of requests and responses that one answer of the log holds, unless its first call alone has more. */
export const PAGE_CHARACTERS = 4 * 1024 * 1024;

/** The first of `items`, at least one, as many as {@link PAGE_CHARACTERS} allow. */
export function fitting<Item>(items: readonly Item[], charactersOf: (item: Item) => number): Item[] {
  let characters = 0;
  const tooMany = items.findIndex((item, index) => {
    characters += charactersOf(item);
    return characters > PAGE_CHARACTERS && index > 0;
  });
  return items.slice(0, tooMany < 0 ? items.length : tooMany);
}

export function charactersOf({ request, response }: Pick<CallRecord, "request" | "response">): number {
  return (request?.length ?? 0) + (response?.length ?? 0);
}

export interface CallFilter {
  readonly status?: CallStatus | undefined;
  readonly type?: string | undefined;
  readonly id?: string | undefined;
  /** Only calls with a smaller `seq`: the `next` of the page before. */
  readonly before?: string | undefined;
  /** Rows a page, 1–1,000. */
  readonly limit: number;
}

export type FinalCounts = Record<FinalStatus, number>;

/**
 * The log of reliable calls: Postgres, seen from the core. Every method rejects with `LOG_UNAVAILABLE` when the database
 * cannot be reached or does not answer in time. One contract suite (`test/contract/call-log.ts`) runs on every implementation.
 */
export interface CallLog {
  /**
   * Upserts records, many rows in one statement, keyed by (type, id, callId). Idempotent and monotone: a finished row never
   * changes, a row written by a newer epoch is never overwritten by an older one, and the order of batches does not matter.
   * Within an epoch an outcome comes after all, more attempts after fewer, and of equal attempts parked after pending.
   * At most 1,000 records; two records with one key in one batch are the caller's mistake.
   */
  write(records: readonly CallRecord[]): Promise<void>;
  find(type: string, id: string, callId: string): Promise<LoggedCall | null>;
  /** Newest first (by seq). `next` is set when there may be more: a page of large calls is short ({@link PAGE_CHARACTERS}). */
  list(filter: CallFilter): Promise<{ calls: LoggedCall[]; next?: string }>;
  /**
   * Pending rows to drive, oldest first: those no owner has accepted (epoch 0), and those not updated since `staleBefore`.
   * `after` is the last seq of the batch before.
   */
  pending(options: { staleBefore: number; after?: string | undefined; limit: number }): Promise<PendingCall[]>;
  /** The calls at these places that are there, oldest first: the first of them, as many as {@link PAGE_CHARACTERS} allows. */
  read(seqs: readonly string[]): Promise<LoggedCall[]>;
  /** Counts finished rows with `finishedAt < before`, by status. */
  countFinished(before: number): Promise<FinalCounts>;
  /** Deletes at most `limit` finished rows with `finishedAt < before`, oldest first; returns what it deleted by status. */
  removeFinished(before: number, limit: number): Promise<FinalCounts>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
}
