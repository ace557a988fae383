import type { FinalCounts } from "./ports.ts";

export interface CleanupReport {
  readonly dryRun: boolean;
  /** Calls that finished before this were removed, ms since the epoch. */
  readonly before: number;
  /** Rows removed from the log (with `dryRun`: that would be), by status. */
  readonly counts: FinalCounts;
  /** Call marks removed at the owners. Never any younger than the configured retention: without its mark a call could run again. */
  readonly marks: number;
  /** False when the time or batch limit ended the run early; the next one goes on. */
  readonly complete: boolean;
}

export interface ReconcileReport {
  /** Pending rows looked at. */
  readonly seen: number;
  /** Rows whose owner did not know them: driven. */
  readonly driven: number;
  /** Rows whose owner had finished them: completed in the log. */
  readonly completed: number;
  /** Rows the owner still works on. */
  readonly pending: number;
  /** Rows that can never run (no such type or method, unfit request): failed in the log. */
  readonly refused: number;
  /** Rows whose owner could not be asked. */
  readonly unreachable: number;
  readonly complete: boolean;
}

/** Upkeep of the log, by cron and by operators. Both methods reject with `LOG_UNAVAILABLE` when the log is away. */
export interface Maintenance {
  /** [CALL9] Removes what finished longer ago than `olderThan` ms; null means the configured retention. */
  cleanUp(options: { olderThan: number | null; dryRun: boolean }): Promise<CleanupReport>;
  /** [CALL10], [CALL11] Drives pending rows to where they belong. */
  reconcile(): Promise<ReconcileReport>;
}
