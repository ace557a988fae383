import type { Reconciled } from "../observe/call-counters.ts";
import type { FinalCounts } from "./ports.ts";

export interface CleanupReport {
  readonly dryRun: boolean;
  /** Calls that finished before this were removed, ms since the epoch. */
  readonly before: number;
  /** Rows removed from the log (with `dryRun`: that would be), by status. Of a local log these are the marks. */
  readonly counts: FinalCounts;
  /** Call marks removed at the owners. Never any younger than the configured retention: without its mark a call could run again. */
  readonly marks: number;
  /** Partitions that did not answer; their marks stay for now. */
  readonly silent: readonly string[];
  /** False when the budget ended the run early, or a partition was silent; the next run goes on. */
  readonly complete: boolean;
}

/** What one run of the reconciler found and did. */
export interface ReconcileReport extends Reconciled {
  /** Partitions that did not answer. */
  readonly silent: readonly string[];
  /** False when the budget ended the run before the end of the log; the next one goes on. */
  readonly complete: boolean;
}
