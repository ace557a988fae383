import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { ReliableOptions } from "../object/message.ts";
import type { LogPolicy } from "../object/method.ts";
import { idempotencyKey } from "./idempotency-key.ts";

const RESPOND_ASYNC = /(?:^|,)\s*respond-async\s*(?:[,;]|$)/i;

/**
 * `Edgeverse-Timeout` in ms; undefined when absent. More than `most` is `most`.
 * @throws EdgeverseError `INVALID_ARGUMENT`
 */
export function timeoutHeader(headers: Headers, most: number): number | undefined {
  const text = headers.get("edgeverse-timeout");
  return text === null ? undefined : Math.min(most, milliseconds("Edgeverse-Timeout", text));
}

/**
 * What makes a call reliable, from `Idempotency-Key`, `Prefer: respond-async`, `Edgeverse-Expires-In` and `Edgeverse-Log`;
 * undefined for a plain call. A plain call with one of the last two is refused: it would not be what its sender thinks.
 * @throws EdgeverseError `INVALID_ARGUMENT`
 */
export function reliableHeaders(headers: Headers, now: () => number): ReliableOptions | undefined {
  const key = headers.get("idempotency-key");
  const expiresIn = headers.get("edgeverse-expires-in");
  const log = headers.get("edgeverse-log");
  if (key === null) {
    if (expiresIn === null && log === null) return undefined;
    const name = expiresIn === null ? "Edgeverse-Log" : "Edgeverse-Expires-In";
    throw new EdgeverseError("INVALID_ARGUMENT", `Cannot use ${name} without an Idempotency-Key`);
  }
  return {
    callId: idempotencyKey(key),
    answer: RESPOND_ASYNC.test(headers.get("prefer") ?? "") ? "accepted" : "outcome",
    ...(expiresIn === null ? {} : { expiresAt: now() + milliseconds("Edgeverse-Expires-In", expiresIn) }),
    ...(log === null ? {} : { log: logPolicy(log) }),
  };
}

function milliseconds(name: string, text: string): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= 1) return value;
  throw new EdgeverseError(
    "INVALID_ARGUMENT",
    `Cannot use ${name}: it must be a whole number of milliseconds from 1 up`,
  );
}

function logPolicy(text: string): LogPolicy {
  if (text === "before" || text === "batched") return text;
  throw new EdgeverseError("INVALID_ARGUMENT", 'Cannot use Edgeverse-Log: it must be "before" or "batched"');
}
