import { EdgeverseError, type WireError } from "../../errors/edgeverse-error.ts";
import type { Failed, Responded } from "../../object/message.ts";
import type { CallRecord } from "../../reliable/call-record.ts";

/** The error of a call whose process ended at each attempt. */
export const CRASHED: WireError = {
  code: "UNAVAILABLE",
  message: "the partition's process ended every time while the call ran",
  retryable: false,
};

/** The error of a call that an operator has ended. */
export const GIVEN_UP: WireError = {
  code: "CALL_FAILED",
  message: "The call was ended by an operator",
  retryable: false,
  reason: "ENDED_BY_OPERATOR",
};

/** The answer of a call that is not driven: it has ended, or is parked. */
export function outcomeReply(record: CallRecord): Responded | Failed {
  if (record.status === "success") return { kind: "response", response: record.response ?? "null" };
  if (record.status === "parked" && record.error !== null)
    return { kind: "error", error: parked(record, record.error) };
  if (record.error !== null) return { kind: "error", error: record.error };
  return { kind: "error", error: new EdgeverseError("UNAVAILABLE", "The call is pending").toWire() };
}

function parked(record: CallRecord, error: WireError): WireError {
  const message = `The call is parked until an operator retries or ends it: ${error.message}`;
  return { ...error, message, retryable: false, details: { callId: record.callId, status: "parked" } };
}

/** [CALL6] The answer of a `write-ahead` call that has run, but whose outcome the log does not hold yet. */
export function loggedLater(record: CallRecord, cause: EdgeverseError): Failed {
  const error = new EdgeverseError("LOG_UNAVAILABLE", `${cause.message}; the call has run, repeat it for its outcome`, {
    retryAfter: cause.retryAfter,
    details: { callId: record.callId, status: record.status },
  });
  return { kind: "error", error: error.toWire() };
}

/** The answer of a caller who waits no longer. */
export function stillPending(callId: string, accepted: boolean): Failed {
  const message = accepted
    ? "The deadline passed; the call is accepted and will be driven to an end"
    : "The deadline passed before the call was durably taken; repeat it to learn what became of it";
  const details = { callId, status: accepted ? "pending" : "unknown" };
  return { kind: "error", error: new EdgeverseError("DEADLINE_EXCEEDED", message, { details }).toWire() };
}
