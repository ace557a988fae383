import type { WireError } from "../errors/edgeverse-error.ts";
import { type CallRecord, type FinalStatus, isFinal } from "./call-record.ts";
import { shortError } from "./caused-calls.ts";

/** Something that happened to a call, and when, ms since the epoch; null when nobody noted it. */
export interface CallMoment {
  readonly at: number | null;
  readonly what: "accepted" | "parked" | FinalStatus | "logged";
  readonly error?: WireError;
}

/** What happened to a call, in order. @param loggedAt when the log heard of it as it is now */
export function timelineOf(call: CallRecord, loggedAt: number | null): CallMoment[] {
  const error = shortError(call.error);
  const told = error === null ? {} : { error };
  const moments: CallMoment[] = [{ at: call.acceptedAt, what: "accepted" }];
  if (call.status === "parked") moments.push({ at: null, what: "parked", ...told });
  if (isFinal(call.status)) moments.push({ at: call.finishedAt, what: call.status, ...told });
  if (loggedAt !== null) moments.push({ at: loggedAt, what: "logged" });
  return moments;
}
