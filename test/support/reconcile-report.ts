import type { ReconcileReport } from "../../src/reliable/maintenance-report.ts";

/** A run of the reconciler that looked at all of the log and found nothing; `changes` make it another. */
export function reconcileReport(changes: Partial<ReconcileReport> = {}): ReconcileReport {
  return {
    seen: 0,
    driven: 0,
    completed: 0,
    pending: 0,
    refused: 0,
    unreachable: 0,
    left: 0,
    silent: [],
    complete: true,
    ...changes,
  };
}
