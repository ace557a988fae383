import type { WireError } from "../errors/edgeverse-error.ts";
import { type NoteKind, notesOf } from "./call-history.ts";
import { type CallRecord, type FinalStatus, isFinal } from "./call-record.ts";
import { shortError } from "./caused-calls.ts";

/** Something that happened to a call, and when, ms since the epoch; null when nobody noted it. */
export interface CallMoment {
  readonly at: number | null;
  readonly what: "accepted" | NoteKind | "omitted" | FinalStatus | "logged";
  /** Of an attempt: its number, and the partition that made it. */
  readonly attempt?: number;
  readonly by?: string;
  /** How many moments are left out here. */
  readonly count?: number;
  readonly error?: WireError;
}

/** What happened to a call, in order. @param loggedAt when the log heard of it as it is now */
export function timelineOf(call: CallRecord, loggedAt: number | null): CallMoment[] {
  const error = shortError(call.error);
  const told = error === null ? {} : { error };
  const moments: CallMoment[] = [{ at: call.acceptedAt, what: "accepted" }];
  const notes = notesOf(call.history);
  for (const note of notes) moments.push("left" in note ? { at: null, what: "omitted", count: note.left } : note);
  // Parked by code that noted nothing.
  if (call.status === "parked" && notes.length === 0) moments.push({ at: null, what: "parked", ...told });
  if (isFinal(call.status)) moments.push({ at: call.finishedAt, what: call.status, ...told });
  if (loggedAt !== null) moments.push({ at: loggedAt, what: "logged" });
  return moments;
}
