import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { CallOptions } from "./call.ts";
import { copyJson, JsonTooLargeError, NotJsonError } from "./json.ts";
import type { ReliableOptions } from "./message.ts";

/* What every caller with a stub does before its call leaves, whether it is an object or the author's own code. */

/** @throws EdgeverseError `INVALID_ARGUMENT` */
export function checkCallOptions({ callId, timeout, expiresIn, log }: CallOptions): void {
  checkMilliseconds("timeout", timeout);
  checkMilliseconds("expiresIn", expiresIn);
  if (log !== undefined && log !== "write-behind" && log !== "write-ahead") {
    throw new EdgeverseError(
      "INVALID_ARGUMENT",
      'Cannot use the option log: it must be "write-ahead" or "write-behind"',
    );
  }
  const useless = callId !== undefined ? undefined : expiresIn !== undefined ? "expiresIn" : log && "log";
  if (useless === undefined) return;
  throw new EdgeverseError(
    "INVALID_ARGUMENT",
    `Cannot use the option ${useless} without a callId: it is for reliable calls`,
  );
}

function checkMilliseconds(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isFinite(value) && value >= 1)) return;
  throw new EdgeverseError("INVALID_ARGUMENT", `Cannot use the option ${name}: it must be a number of ms from 1 up`);
}

/** What makes the call reliable; undefined for a plain one. Its caller waits for the outcome. */
export function reliableOptions({ callId, log, expiresIn }: CallOptions, now: number): ReliableOptions | undefined {
  if (callId === undefined) return undefined;
  return {
    callId,
    answer: "outcome",
    ...(log === undefined ? {} : { log }),
    ...(expiresIn === undefined ? {} : { expiresAt: now + expiresIn }),
  };
}

/**
 * A copy of a request ([OBJ3]).
 *
 * @param limit bytes of JSON
 * @throws EdgeverseError `PAYLOAD_TOO_LARGE`, or `INVALID_ARGUMENT` for what is not JSON
 */
export function copyRequest(request: unknown, limit: number): unknown {
  if (request === undefined) return undefined;
  try {
    return copyJson(request, limit);
  } catch (error) {
    if (error instanceof JsonTooLargeError) {
      throw new EdgeverseError("PAYLOAD_TOO_LARGE", `The request is over ${limit} bytes of JSON`);
    }
    if (!(error instanceof NotJsonError)) throw error;
    throw new EdgeverseError("INVALID_ARGUMENT", `The request is not a JSON value: ${error.message}`);
  }
}
