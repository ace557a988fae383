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
  "Edgeverse-Not-Before": z
    .string()
    .optional()
    .register(about, {
      description: "When a reliable call is to be made, if that is later: a time by RFC 3339, or as HTTP writes it",
      examples: ["2030-01-31T12:00:00Z"],
    }),
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

/** Those that only a reliable call has. */
export const RELIABLE_HEADERS = [
  "idempotency-key",
  "edgeverse-log",
  "edgeverse-expires-in",
  "edgeverse-not-before",
] as const;

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
 * What makes a call reliable; undefined for a plain call. A plain call with a header of a reliable one is refused: it would not
 * be what its sender thinks.
 * @throws EdgeverseError `INVALID_ARGUMENT`
 */
export function reliableHeaders(headers: Headers, now: () => number): ReliableOptions | undefined {
  const key = headers.get("idempotency-key");
  const expiresIn = headers.get("edgeverse-expires-in");
  const log = headers.get("edgeverse-log");
  const time = headers.get("edgeverse-not-before");
  if (key === null) {
    const useless = { "Edgeverse-Log": log, "Edgeverse-Expires-In": expiresIn, "Edgeverse-Not-Before": time };
    const [name] = Object.entries(useless).find(([, value]) => value !== null) ?? [];
    if (name === undefined) return undefined;
    throw new EdgeverseError("INVALID_ARGUMENT", `Cannot use ${name} without an Idempotency-Key`);
  }
  const notBefore = time === null ? undefined : moment(time);
  const accepted = notBefore !== undefined || RESPOND_ASYNC.test(headers.get("prefer") ?? "");
  const start = Math.max(now(), notBefore ?? 0);
  return {
    callId: idempotencyKey(key),
    answer: accepted ? "accepted" : "outcome",
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(expiresIn === null ? {} : { expiresAt: start + milliseconds("Edgeverse-Expires-In", expiresIn) }),
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

const INTERNET_TIME = z.iso.datetime({ offset: true });

/** A time as RFC 3339 writes it, or HTTP: a number could be seconds or ms, and would be a wrong time instead of an error. */
function moment(text: string): number {
  const time = Date.parse(text);
  if (INTERNET_TIME.safeParse(text).success || (!Number.isNaN(time) && new Date(time).toUTCString() === text))
    return time;
  throw new EdgeverseError(
    "INVALID_ARGUMENT",
    "Cannot use Edgeverse-Not-Before: it must be a time such as 2030-01-31T12:00:00Z or Thu, 31 Jan 2030 12:00:00 GMT",
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
