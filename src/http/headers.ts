import * as z from "zod";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { ReliableOptions } from "../object/message.ts";
import type { LogPolicy } from "../object/method.ts";
import { checkCallId } from "../reliable/call-id.ts";
import { about } from "./schemas.ts";

const duration = (description: string) =>
  z
    .string()
    .optional()
    .register(about, { type: "integer", minimum: 1, description: `Milliseconds ${description}` });

/** Headers of anything that is called, as the OpenAPI document shows them. */
export const commonHeaders = z.object({
  "Edgeverse-Timeout": duration("until the deadline"),
  traceparent: z
    .string()
    .optional()
    .register(about, { description: "W3C trace context: reaches the method, its calls and the log" }),
});

/** The same with those that make a call reliable. */
export const callHeaders = commonHeaders.extend({
  "Idempotency-Key": z
    .string()
    .optional()
    .register(about, {
      description: "The call id: makes the call reliable, so that it runs exactly once",
      examples: ["order-7-pay"],
    }),
  "Edgeverse-Expires-In": duration("a reliable call may stay pending"),
  "Edgeverse-Log": z
    .enum(["write-ahead", "write-behind"])
    .optional()
    .register(about, { description: "Whether the log has a reliable call before it runs, or soon after" }),
  Prefer: z
    .string()
    .optional()
    .register(about, {
      description: "`respond-async` answers with 202 once a reliable call is accepted",
      examples: ["respond-async"],
    }),
});

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

const QUOTED = /^"((?:[ !\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * The call id in an `Idempotency-Key`: bare, or a quoted string as draft-ietf-httpapi-idempotency-key-header writes it.
 * @throws EdgeverseError `INVALID_ARGUMENT`
 */
function idempotencyKey(header: string): string {
  let callId = header;
  if (header.startsWith('"')) {
    const match = QUOTED.exec(header);
    if (match === null)
      throw new EdgeverseError("INVALID_ARGUMENT", "Cannot read Idempotency-Key: a quote is not closed");
    callId = (match[1] as string).replace(/\\(.)/g, "$1");
  }
  checkCallId(callId);
  return callId;
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
  if (text === "write-ahead" || text === "write-behind") return text;
  throw new EdgeverseError("INVALID_ARGUMENT", 'Cannot use Edgeverse-Log: it must be "write-ahead" or "write-behind"');
}

/** Refuses headers of reliable calls where they would be ignored: who sends one relies on it. */
export function refuseHeaders(headers: Headers, names: readonly string[], instead: string): void {
  const name = names.find((each) => headers.has(each));
  if (name === undefined) return;
  throw new EdgeverseError("INVALID_ARGUMENT", `Cannot use the header ${name} here: ${instead}`);
}
