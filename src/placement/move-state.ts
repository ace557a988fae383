import type { MoveReport, UndoReport } from "./move.ts";
import { assertNever } from "./shard-state.ts";

/**
 * A move as the coordinator journals it. It orders and records; whether the shard changed hands is decided by the source's
 * own durable write (see shard-state.ts), so every step here may be repeated, and the coordinator may forget the last one.
 *
 * | phase     | order to partitions      | event                         | becomes   | map                          |
 * |-----------|--------------------------|-------------------------------|-----------|------------------------------|
 * | planned   | –                        | a place is free               | copying   |                              |
 * | planned   | –                        | operator gives up             | undone    |                              |
 * | copying   | source: advance          | committed                     | committed | shard belongs to the target  |
 * | copying   | source: advance          | refused, operator, too old    | undoing   |                              |
 * | undoing   | source: undo             | undone                        | dropping  |                              |
 * | undoing   | source: undo             | it was committed              | committed | shard belongs to the target  |
 * | committed | target: activate         | active                        | done      |                              |
 * | dropping  | target: drop             | dropped                       | undone    |                              |
 * | dropping  | –                        | forced                        | undone    |                              |
 *
 * `done` and `undone` are the ends. While a move is dropping its shard may move again: the source serves it, and a target that
 * hears of a newer move drops the copy of the older by itself, so it can also be left to that (`forced`). No report, or "not yet", leaves the phase as it is.
 */
export type MovePhase = "planned" | "copying" | "undoing" | "committed" | "dropping" | "done" | "undone";

export interface MoveState {
  readonly phase: MovePhase;
  /** Epoch at the target once committed, at the source once undone. */
  readonly epoch: number | null;
  /** Why it is being undone, or was. */
  readonly reason: string | null;
}

export type MoveEvent =
  | { readonly kind: "start" }
  | { readonly kind: "reported"; readonly report: MoveReport }
  /** An operator's word, or it took too long. */
  | { readonly kind: "give up"; readonly reason: string }
  | { readonly kind: "undo answered"; readonly report: UndoReport }
  | { readonly kind: "activated" }
  | { readonly kind: "dropped" }
  /** An operator waits no longer for the target to drop its copy. */
  | { readonly kind: "forced" };

export const PLANNED: MoveState = { phase: "planned", epoch: null, reason: null };

export function ended({ phase }: MoveState): boolean {
  return phase === "done" || phase === "undone";
}

/** The phase after an event; the same state when the event does not concern it. */
export function moveTransition(state: MoveState, event: MoveEvent): MoveState {
  switch (event.kind) {
    case "start":
      return state.phase === "planned" ? { ...state, phase: "copying" } : state;
    case "reported":
      return reported(state, event.report);
    case "give up":
      if (state.phase === "planned") return { ...state, phase: "undone", reason: event.reason };
      return state.phase === "copying" ? { ...state, phase: "undoing", reason: event.reason } : state;
    case "undo answered":
      if (state.phase !== "undoing") return state;
      return event.report.kind === "undone"
        ? { ...state, phase: "dropping", epoch: event.report.epoch }
        : committed(event.report.epoch);
    case "activated":
      return state.phase === "committed" ? { ...state, phase: "done" } : state;
    case "dropped":
    case "forced":
      return state.phase === "dropping" ? { ...state, phase: "undone" } : state;
    default:
      return assertNever(event);
  }
}

function reported(state: MoveState, report: MoveReport): MoveState {
  // A commit is a fact, whatever was ordered since.
  if (report.kind === "committed" && (state.phase === "copying" || state.phase === "undoing")) {
    const next = committed(report.epoch);
    return report.active ? { ...next, phase: "done" } : next;
  }
  if (report.kind === "refused" && state.phase === "copying") {
    return { ...state, phase: "undoing", reason: report.reason };
  }
  return state;
}

function committed(epoch: number): MoveState {
  return { phase: "committed", epoch, reason: null };
}
