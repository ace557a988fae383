import type { CallCounts } from "../observe/call-counters.ts";

/** What one partition says of its reliable calls. */
export interface OwnerCounters {
  readonly pending: PendingCounts;
  readonly backlog: BacklogCounts;
  /** What has become of calls since its process began. */
  readonly since: CallCounts;
}

/** Calls that have not ended. */
export interface PendingCounts {
  readonly pending: number;
  readonly parked: number;
  /** When the oldest pending one was accepted, ms since the epoch. */
  readonly oldest: number | null;
  /** The shards with most of them. */
  readonly shards: readonly { readonly shard: number; readonly pending: number; readonly oldest: number }[];
  /** False when there are too many to look at them all. */
  readonly complete: boolean;
}

/** Outcomes that the log in Postgres has not seen. */
export interface BacklogCounts {
  readonly records: number;
  readonly bytes: number;
  /** When the oldest was reached, ms since the epoch. */
  readonly oldest: number | null;
  /** Statements in a row that failed. */
  readonly failures: number;
}
