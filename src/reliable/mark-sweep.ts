import type { FinalCounts } from "./ports.ts";

/** Where a sweep over the marks of a partition goes on. To its callers it is opaque. */
export interface MarkCursor {
  readonly position: number;
  readonly type: string;
  readonly id: string;
  readonly callId: string;
  /** When the oldest mark that the sweep has left so far was finished, ms since the epoch. */
  readonly oldest: number;
}

export interface SweepOrder {
  /** Marks of calls that were accepted and finished before this go, ms since the epoch. */
  readonly before: number;
  /** The same for types with a retention of their own. */
  readonly types?: Readonly<Record<string, number>>;
  /** `next` of the step before; null begins a sweep. */
  readonly after: MarkCursor | null;
  /** Counts, and removes nothing. */
  readonly dryRun: boolean;
}

/** What one step of a sweep did. */
export interface SweepReport {
  readonly removed: FinalCounts;
  readonly visited: number;
  /** Null at the end. */
  readonly next: MarkCursor | null;
}
