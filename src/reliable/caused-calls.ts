import type { WireError } from "../errors/edgeverse-error.ts";
import type { CallKey, CallRecord, CallStatus } from "./call-record.ts";

/**
 * Where a call stands that another call has made. One that was sent through an outbox is `sending` until its receiver has
 * accepted it, and `refused` when the receiver takes it by no means ([CALL7]).
 */
export type CausedStatus = CallStatus | "sending" | "refused";

/** A call that another call has made, without its request and response. */
export interface CausedCall extends CallKey {
  readonly cause: CallKey;
  readonly method: string;
  readonly status: CausedStatus;
  readonly attempts: number;
  /** Ms since the epoch; null for one that is not accepted. */
  readonly acceptedAt: number | null;
  readonly finishedAt: number | null;
  readonly error: WireError | null;
}

/** Calls that others have made. */
export interface CausedCalls {
  readonly calls: readonly CausedCall[];
  /** False when there may be more: than the limit, or than can be looked at. */
  readonly complete: boolean;
  /** Partitions that could not be asked: what they know is missing. */
  readonly unreachable?: readonly string[];
}

/** Characters of an error's message that are kept. */
const MESSAGE = 500;

/** Names a call, in memory and as a text: a call id has no space, and a type no slash. */
export function nameOfCall({ type, id, callId }: CallKey): string {
  return `${callId} ${type}/${id}`;
}

/** The call that made a call, by the JSON text of its caller. */
export function causeOf(caller: string | null): CallKey | undefined {
  return caller === null ? undefined : causeIn(JSON.parse(caller));
}

/** The same by the caller. Other programs may have put anything into the log's row. */
export function causeIn(caller: unknown): CallKey | undefined {
  const cause: unknown = (caller as { readonly cause?: unknown } | null)?.cause;
  if (typeof cause !== "object" || cause === null) return undefined;
  const { type, id, callId } = cause as Readonly<Record<keyof CallKey, unknown>>;
  if (typeof type !== "string" || typeof id !== "string" || typeof callId !== "string") return undefined;
  return { type, id, callId };
}

/** A call as a story has it, without what may be large. */
export function shortCall(call: Omit<CallRecord, "request" | "response" | "requestHash">) {
  const { type, id, callId, method, status, attempts, acceptedAt, finishedAt, error } = call;
  return { type, id, callId, method, status, attempts, acceptedAt, finishedAt, error: shortError(error) };
}

/** An error that takes little room, whatever a method has put into it. */
export function shortError(error: WireError | null): WireError | null {
  if (error === null) return null;
  const { code, message, reason, retryable } = error;
  return { code, message: message.slice(0, MESSAGE), retryable, ...(reason === undefined ? {} : { reason }) };
}

/** One list of several, each call once: the receiver knows more of a call than who has sent it, and one that has ended more than one that has not. */
export function mergedCalls(lists: readonly (readonly CausedCall[])[], limit: number): CausedCalls {
  const calls = new Map<string, CausedCall>();
  for (const call of lists.flat()) {
    const name = nameOfCall(call);
    const known = calls.get(name);
    if (known === undefined || rank(call) > rank(known)) calls.set(name, call);
  }
  const sorted = [...calls.values()].sort(byTime);
  return { calls: sorted.slice(0, limit), complete: sorted.length <= limit };
}

function rank({ status, acceptedAt, finishedAt, attempts }: CausedCall): number {
  if (finishedAt !== null) return Number.POSITIVE_INFINITY;
  return acceptedAt === null ? -1 : attempts + (status === "parked" ? 0.5 : 0);
}

function byTime(left: CausedCall, right: CausedCall): number {
  const [a, b] = [left.acceptedAt ?? Number.MAX_SAFE_INTEGER, right.acceptedAt ?? Number.MAX_SAFE_INTEGER];
  return a - b || (nameOfCall(left) < nameOfCall(right) ? -1 : 1);
}
