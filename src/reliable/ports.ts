import type { CallKey, CallRecord, CallStatus, FinalStatus } from "./call-record.ts";
import type { CausedCalls } from "./caused-calls.ts";

/** A logged call with its place in the log. `seq` is a decimal string: a Postgres bigserial, or the owner's clock. */
export interface LoggedCall extends CallRecord {
  readonly seq: string;
}

/** A call of a log beside the owners. */
export interface FoundCall extends LoggedCall {
  /** When the log heard of it last, ms since the epoch. */
  readonly loggedAt: number;
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
  /** The `next` of the page before. */
  readonly before?: string | undefined;
  /** Rows a page, 1–1,000. */
  readonly limit: number;
}

export type FinalCounts = Record<FinalStatus, number>;

export const NONE_FINAL: Readonly<FinalCounts> = { success: 0, failed: 0, expired: 0 };

export function sumOf({ success, failed, expired }: FinalCounts): number {
  return success + failed + expired;
}

export interface CallPage {
  readonly calls: LoggedCall[];
  /** Set when there may be more. */
  readonly next?: string;
  /** Partitions that could not be asked: their calls are not in the page. */
  readonly unreachable?: readonly string[];
}

/** The calls of one type that have one status. */
export interface CallCount {
  readonly type: string;
  readonly status: CallStatus;
  readonly count: number;
  /** When the first of them was accepted, ms since the epoch; null when that can't be told. */
  readonly oldest: number | null;
  /** What their requests, responses and errors take where they are stored. */
  readonly bytes: number;
}

export interface CallStats {
  /** In order of type and status. */
  readonly counts: readonly CallCount[];
  /** Partitions that could not be asked, or have too many calls to count: what is missing is theirs. */
  readonly unreachable?: readonly string[];
}

export function byTypeAndStatus(left: CallCount, right: CallCount): number {
  return left.type === right.type ? (left.status < right.status ? -1 : 1) : left.type < right.type ? -1 : 1;
}

/** What can be asked of a log, wherever it is. Methods reject with `LOG_UNAVAILABLE` when it can't be asked. */
export interface ReadableLog {
  /**
   * Newest first. A page of large calls is short ({@link PAGE_CHARACTERS}).
   * @throws EdgeverseError also `INVALID_ARGUMENT`, for a `before` that no page gave
   */
  list(filter: CallFilter): Promise<CallPage>;
  stats(): Promise<CallStats>;
  /** Calls that these calls have made, at most so many, in order of acceptance. */
  causedBy(causes: readonly CallKey[], limit: number): Promise<CausedCalls>;
}

/**
 * A log of reliable calls beside their owners: Postgres, seen from the core. Every method rejects with `LOG_UNAVAILABLE` when the database
 * cannot be reached or does not answer in time. One contract suite (`test/contract/call-log.ts`) runs on every implementation.
 */
export interface CallLog extends ReadableLog {
  /**
   * Upserts records, many rows in one statement, keyed by (type, id, callId). Idempotent and monotone: a finished row never
   * changes, a row written by a newer epoch is never overwritten by an older one, and the order of batches does not matter.
   * Within an epoch an outcome comes after all, more attempts after fewer, and of equal attempts parked after pending.
   * At most 1,000 records; two records with one key in one batch are the caller's mistake.
   */
  write(records: readonly CallRecord[]): Promise<void>;
  find(type: string, id: string, callId: string): Promise<FoundCall | null>;
  /**
   * Pending rows to drive, oldest first: those no owner has accepted (epoch 0), and those not updated since `staleBefore`.
   * `after` is the last seq of the batch before.
   */
  pending(options: { staleBefore: number; after?: string | undefined; limit: number }): Promise<PendingCall[]>;
  /** The calls at these places that are there, oldest first: the first of them, as many as {@link PAGE_CHARACTERS} allows. */
  read(seqs: readonly string[]): Promise<LoggedCall[]>;
  /** Counts finished rows with `finishedAt < before`, by status. @param types another `before` for these types */
  countFinished(before: number, types?: Readonly<Record<string, number>>): Promise<FinalCounts>;
  /** Deletes at most `limit` such rows, oldest first; returns what it deleted by status. */
  removeFinished(before: number, limit: number, types?: Readonly<Record<string, number>>): Promise<FinalCounts>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
}
