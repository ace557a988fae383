import type { WireError } from "../errors/edgeverse-error.ts";

/**
 * What may happen to a call between its acceptance and its outcome.
 *
 * | what     |                                                                                                     |
 * |----------|-----------------------------------------------------------------------------------------------------|
 * | started  | attempt `attempt` was started: the second or a later one; the first starts with the acceptance      |
 * | faulted  | it ended with an error that may pass                                                                |
 * | refused  | the database did not take what it did, or its turn was taken back with another's                    |
 * | crashed  | the process ended while the call ran, or was in line; known when the next process took it up        |
 * | parked   | it was taken off its object's line                                                                  |
 * | unparked | an operator put it back in line                                                                     |
 * | ended    | an operator ended it                                                                                |
 */
export const NOTE_KINDS = ["started", "faulted", "refused", "crashed", "parked", "unparked", "ended"] as const;
export type NoteKind = (typeof NOTE_KINDS)[number];

/** One thing that happened to a call. */
export interface CallNote {
  /** Ms since the epoch. */
  readonly at: number;
  readonly what: NoteKind;
  readonly attempt: number;
  /** The partition that had the call. */
  readonly by: string;
  readonly error?: WireError;
}

/** How many notes were left out at this place. */
export interface LeftOut {
  readonly left: number;
}

/** Notes that are kept of a call that is tried for ever: the first two attempts and the last eight. */
const FIRST = 4;
const LAST = 16;
/** Characters of an error's message. */
const MESSAGE = 200;

/** A history with one note more. @param history JSON text; undefined or null of a call to which nothing has happened */
export function withNote(history: string | null | undefined, note: Omit<CallNote, "error">, error?: WireError): string {
  const list = notesOf(history);
  const short = error === undefined ? {} : { error: cut(error) };
  const notes = list.filter((entry) => !("left" in entry));
  const left = list.reduce((sum, entry) => sum + ("left" in entry ? entry.left : 0), 0);
  notes.push({ ...note, ...short });
  const over = Math.max(0, notes.length - FIRST - LAST);
  if (left + over === 0) return JSON.stringify(notes);
  return JSON.stringify([...notes.slice(0, FIRST), { left: left + over }, ...notes.slice(FIRST + over)]);
}

/** What happened to a call, in order. Other programs may have put anything into the log's row: what is no note is left out. */
export function notesOf(history: string | null | undefined): (CallNote | LeftOut)[] {
  if (history === undefined || history === null) return [];
  const list: unknown = JSON.parse(history);
  return Array.isArray(list) ? list.filter(isEntry) : [];
}

function cut({ code, message, retryable }: WireError): WireError {
  return { code, message: message.slice(0, MESSAGE), retryable };
}

function isEntry(entry: unknown): entry is CallNote | LeftOut {
  if (typeof entry !== "object" || entry === null) return false;
  const { left, at, what, attempt, by } = entry as Readonly<Record<string, unknown>>;
  if (left !== undefined) return typeof left === "number";
  return (
    typeof at === "number" &&
    NOTE_KINDS.includes(what as NoteKind) &&
    typeof attempt === "number" &&
    typeof by === "string"
  );
}
