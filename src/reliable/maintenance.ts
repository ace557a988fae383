import { Cleaner } from "./cleaner.ts";
import { isLocal } from "./local-log.ts";
import type { CleanupReport, ReconcileReport } from "./maintenance-report.ts";
import type { UpkeepParts } from "./owners.ts";
import type { CallLog } from "./ports.ts";
import { Reconciler } from "./reconciler.ts";

/** Upkeep of reliable calls, by cron and by operators. Both methods reject with `LOG_UNAVAILABLE` when the log is away. */
export interface Maintenance {
  /** [CALL9] Removes what finished longer ago than `olderThan` ms; null means the configured retention. Needs no log. */
  cleanUp(options: { olderThan: number | null; dryRun: boolean }): Promise<CleanupReport>;
  /** [CALL10], [CALL11] Drives pending rows to where they belong. Also rejects so where the log is local: its rows are there. */
  reconcile(): Promise<ReconcileReport>;
}

/** @param parts.log the log in Postgres; undefined: the log is local */
export function maintenanceOf({ log, ...parts }: UpkeepParts & { readonly log: CallLog | undefined }): Maintenance {
  const cleaner = new Cleaner({ log, ...parts });
  const reconciler = log === undefined ? undefined : new Reconciler({ log, ...parts });
  return {
    cleanUp: (options) => cleaner.run(options),
    reconcile: () => reconciler?.run() ?? Promise.reject(isLocal("its calls need no reconciling")),
  };
}

/** Whether a run looked at all of the log. */
export function wasWhole({ complete, unreachable }: ReconcileReport): boolean {
  return complete && unreachable === 0;
}
