import { EdgeverseError, type WireError } from "./edgeverse-error.ts";

const HIDDEN = "Something failed unexpectedly; the host's log has it under the request id";

/** What a client may read of an error. The text of an `INTERNAL` one is for the log alone. */
export function publicError(wire: WireError): WireError {
  const { code, message, retryable, reason, details, retryAfter } = EdgeverseError.from(wire).toWire();
  if (code === "INTERNAL") return { code, message: HIDDEN, retryable };
  return {
    code,
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    retryable,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}
