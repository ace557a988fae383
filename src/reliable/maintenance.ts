import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { Cleaner } from "./cleaner.ts";
import type { CleanupReport, ReconcileReport } from "./maintenance-report.ts";
import type { UpkeepParts } from "./owners.ts";
import type { CallLog } from "./ports.ts";
import { Reconciler } from "./reconciler.ts";

/** Upkeep of reliable calls, by cron and by operators. Both methods reject with `LOG_UNAVAILABLE` when the log is away. */
export interface Maintenance {
  /** [CALL9] Removes what finished longer ago than `olderThan` ms; null means the configured retention. Needs no log. */
  cleanUp(options: { olderThan: number | null; dryRun: boolean }): Promise<CleanupReport>;
  /** [CALL10], [CALL11] Drives pending rows to where they belong. Also rejects so in a cluster that keeps no log. */
  reconcile(): Promise<ReconcileReport>;
}

/** @param parts.log undefined: the cluster keeps none */
export function maintenanceOf({ log, ...parts }: UpkeepParts & { readonly log: CallLog | undefined }): Maintenance {
  const cleaner = new Cleaner({ log, ...parts });
  const reconciler = log === undefined ? undefined : new Reconciler({ log, ...parts });
  return {
    cleanUp: (options) => cleaner.run(options),
    reconcile: () => reconciler?.run() ?? Promise.reject(noLog()),
  };
}

export function noLog(): EdgeverseError {
  return new EdgeverseError("LOG_UNAVAILABLE", "This cluster keeps no log of reliable calls", { retryable: false });
}

/** Reconciles the log, for a partition that knows of a cause to. @returns false when it could not look at all of it */
export async function reconcileWholly({ reconcile }: Pick<Maintenance, "reconcile">): Promise<boolean> {
  const { complete, unreachable } = await reconcile();
  return complete && unreachable === 0;
}
