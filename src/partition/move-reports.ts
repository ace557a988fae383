import type { MoveReport } from "../placement/move.ts";

export function refused(reason: string): MoveReport {
  return { kind: "refused", reason };
}

/** What was copied so far, and why it does not go on now. */
export function waiting(
  moving: { readonly rows: number; readonly bytes: number } | undefined,
  reason: string,
): MoveReport {
  return { kind: "waiting", reason, rows: moving?.rows ?? 0, bytes: moving?.bytes ?? 0 };
}

export function delayOf(vote: { readonly kind: string; readonly delay?: number }): { delay?: number } {
  return vote.delay === undefined ? {} : { delay: vote.delay };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "the target can't be reached";
}
