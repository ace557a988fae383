import * as z from "zod";
import type { Caller } from "../object/call.ts";
import type { CallMessage } from "../object/message.ts";
import type { LogPolicy } from "../object/method.ts";
import type { Registry } from "../object/registry.ts";
import { requestText } from "../object/request-text.ts";
import { validationError } from "../object/validation-error.ts";
import { checkCallId } from "../reliable/call-id.ts";

export const NEEDS_CALL_ID = "expiresIn and log need a callId";

/** A call among many, read but not looked up. */
export interface CallItem {
  readonly type: string;
  readonly id: string;
  readonly method: string;
  readonly request?: unknown;
  readonly callId?: string | undefined;
  readonly expiresIn?: number | undefined;
  readonly log?: LogPolicy | undefined;
}

/** Whether what only reliable calls have is in none but a reliable call. */
export function isWhole({ callId, expiresIn, log }: Pick<CallItem, "callId" | "expiresIn" | "log">): boolean {
  return callId !== undefined || (expiresIn === undefined && log === undefined);
}

/** One of them, as a batch has it. The grammar of names is checked where they are looked up, with better codes than a misfit. */
const schema = z
  .strictObject({
    type: z.string(),
    id: z.string(),
    method: z.string(),
    request: z.unknown().optional(),
    callId: z.string().optional(),
    expiresIn: z.number().int().min(1).max(1e15).optional(),
    log: z.enum(["write-ahead", "write-behind"]).optional(),
  })
  .refine(isWhole, { message: NEEDS_CALL_ID });

export interface ClientCallParts {
  readonly registry: Registry;
  readonly config: { readonly maxMessage: number; readonly callTimeout: number };
}

/** What calls that come together have in common. */
export interface CommonParts {
  readonly caller: Caller;
  readonly requestId: string;
  readonly ticket?: string | undefined;
  readonly now: number;
  /** Ms that the call may take; undefined for its method's. */
  readonly timeout: number | undefined;
  readonly traceparent: string | undefined;
  /** Takes what a call costs its client ([LIM4]). @throws EdgeverseError `RATE_LIMITED` */
  readonly charge?: ((type: string, method: string) => void) | undefined;
}

/** @param at the path of the item in what the client sent @throws EdgeverseError `INVALID_ARGUMENT` */
export function readCall(raw: unknown, at: readonly (string | number)[]): CallItem {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw validationError("The call", parsed.error, at);
}

/**
 * The message of a call that a client made in a batch or over a socket: the same rules for both.
 *
 * @param at the path of the item in what the client sent
 * @throws EdgeverseError `INVALID_ARGUMENT`, `TYPE_NOT_FOUND`, `METHOD_NOT_FOUND`, `RATE_LIMITED` or `PAYLOAD_TOO_LARGE`
 */
export function clientCall(
  { registry, config }: ClientCallParts,
  item: CallItem,
  at: readonly (string | number)[],
  { caller, requestId, ticket, now, timeout, traceparent, charge }: CommonParts,
): CallMessage {
  const definition = registry.type(item.type);
  const method = registry.method(definition, item.method);
  charge?.(definition.type, method.name);
  const request = requestText(item.request, config.maxMessage, [...at, "request"]);
  const message: { -readonly [Key in keyof CallMessage]: CallMessage[Key] } = {
    type: definition.type,
    id: item.id,
    method: method.name,
    deadline: now + (timeout ?? method.timeout ?? config.callTimeout),
    requestId,
    caller,
  };
  if (request !== undefined) message.request = request;
  if (traceparent !== undefined) message.traceparent = traceparent;
  if (ticket !== undefined) message.ticket = ticket;
  if (item.callId !== undefined) {
    checkCallId(item.callId);
    message.reliable = {
      callId: item.callId,
      answer: "outcome",
      ...(item.expiresIn === undefined ? {} : { expiresAt: now + item.expiresIn }),
      ...(item.log === undefined ? {} : { log: item.log }),
    };
  }
  return message;
}
