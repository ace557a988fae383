import type { MoveReport } from "../../placement/move.ts";

/** @param delay ms until it may be tried again */
export function refused(reason: string, delay?: number): MoveReport {
  return delay === undefined ? { kind: "refused", reason } : { kind: "refused", reason, delay };
}

/** What was copied so far, and why the copy pauses. */
export function waiting(
  moving: { readonly rows: number; readonly bytes: number } | undefined,
  reason: string,
): MoveReport {
  return { kind: "waiting", reason, rows: moving?.rows ?? 0, bytes: moving?.bytes ?? 0 };
}

/** The same, for turns that are given time to end. */
export function waitingForTurns(moving: Parameters<typeof waiting>[0], reason: string): MoveReport {
  return { kind: "waiting", reason, rows: moving?.rows ?? 0, bytes: moving?.bytes ?? 0, forTurns: true };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "the target can't be reached";
}
