import * as z from "zod";
import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { publicError } from "../errors/public-error.ts";
import { checkLevels } from "../object/json.ts";
import type { FinalReply } from "../object/message.ts";
import { validationError } from "../object/validation-error.ts";
import { type CallItem, isWhole, NEEDS_CALL_ID } from "../router/client-call.ts";

const ms = z.number().int().min(1).max(1e15).optional();

/** `id` is the client's number of the request; the object's is `object`. */
const schema = z
  .strictObject({
    kind: z.literal("call"),
    id: z.number(),
    type: z.string(),
    object: z.string(),
    method: z.string(),
    request: z.unknown().optional(),
    callId: z.string().optional(),
    timeout: ms,
    expiresIn: ms,
    log: z.enum(["write-ahead", "write-behind"]).optional(),
    traceparent: z.string().optional(),
  })
  .refine(isWhole, { message: NEEDS_CALL_ID });

/** A call of a client. What is wrong with it is answered under its number: the connection goes on. */
export interface CallFrame {
  readonly kind: "call";
  readonly id: number;
  readonly call:
    | { readonly item: CallItem; readonly timeout: number | undefined; readonly traceparent: string | undefined }
    | EdgeverseError;
}

/** Whether a frame is a call that can be answered. */
export function isCall(value: unknown): value is { readonly id: number } {
  if (typeof value !== "object" || value === null) return false;
  const { kind, id } = value as { readonly kind?: unknown; readonly id?: unknown };
  return kind === "call" && Number.isSafeInteger(id) && (id as number) >= 0;
}

export function readCallFrame(value: { readonly id: number }): CallFrame {
  return { kind: "call", id: value.id, call: read(value) };
}

function read(value: object): CallFrame["call"] {
  const call = readUsual(value) ?? readAny(value);
  if (call instanceof EdgeverseError) return call;
  try {
    checkLevels(call.item.request);
  } catch (error) {
    return new EdgeverseError("INVALID_ARGUMENT", `Cannot use the request: ${(error as Error).message}`);
  }
  return call;
}

/** A call without options, which nearly all are: the schema takes as long as all else that a gate does with a call. */
function readUsual(value: object): Exclude<CallFrame["call"], EdgeverseError> | undefined {
  for (const name in value) if (!USUAL.has(name)) return undefined;
  const { type, object: id, method, request, callId } = value as Readonly<Record<string, unknown>>;
  if (typeof type !== "string" || typeof id !== "string" || typeof method !== "string") return undefined;
  const item = { type, id, method, request };
  if (callId === undefined) return { item, timeout: undefined, traceparent: undefined };
  if (typeof callId !== "string") return undefined;
  return { item: { ...item, callId }, timeout: undefined, traceparent: undefined };
}

const USUAL: ReadonlySet<string> = new Set(["kind", "id", "type", "object", "method", "request", "callId"]);

function readAny(value: object): CallFrame["call"] {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return validationError("The call", parsed.error);
  const { kind: _, id: __, object, timeout, traceparent, ...rest } = parsed.data;
  return { item: { ...rest, id: object }, timeout, traceparent };
}

/** What a request came to, under the client's number. */
export function resultFrame(id: number, reply: FinalReply): string {
  const replayed = reply.kind !== "accepted" && reply.replayed === true ? ',"replayed":true}' : "}";
  if (reply.kind === "response") return `{"kind":"result","id":${id},"response":${reply.response}${replayed}`;
  const error =
    reply.kind === "error"
      ? reply.error
      : new EdgeverseError("INTERNAL", "a client's call waits for its outcome").toWire();
  return `{"kind":"result","id":${id},"error":${JSON.stringify(publicError(error))}${replayed}`;
}
