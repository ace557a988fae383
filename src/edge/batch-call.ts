import { z } from "@hono/zod-openapi";
import type { CallMessage } from "../object/message.ts";
import { checkCallId } from "../reliable/call-id.ts";
import { CLIENT } from "./caller.ts";
import { misfit } from "./misfit.ts";
import type { EdgeParts } from "./ports.ts";
import { requestText } from "./request-text.ts";
import { callIdText, jsonValue, objectId, typeName } from "./schemas.ts";

/** One call of a batch. The grammar of names is checked where they are looked up, with better codes than a misfit. */
const itemSchema = z
  .strictObject({
    type: z.string(),
    id: z.string(),
    method: z.string(),
    request: jsonValue.optional(),
    callId: z.string().optional(),
    expiresIn: z.number().int().min(1).max(1e15).optional(),
    log: z.enum(["before", "batched"]).optional(),
  })
  .refine((item) => item.callId !== undefined || (item.expiresIn === undefined && item.log === undefined), {
    message: "expiresIn and log need a callId",
  });

/** The same, as the OpenAPI document shows it. */
export const batchCallSchema = z
  .strictObject({
    type: typeName,
    id: objectId,
    method: z.string(),
    request: jsonValue.optional(),
    callId: callIdText.optional().openapi({ description: "Makes the call reliable" }),
    expiresIn: z.number().int().min(1).optional().openapi({ description: "Milliseconds the call may stay pending" }),
    log: z.enum(["before", "batched"]).optional(),
  })
  .openapi("BatchCall");

interface Common {
  readonly requestId: string;
  readonly now: number;
  readonly timeout: number | undefined;
  readonly traceparent: string | undefined;
}

/**
 * The message of item number `index`.
 * @throws EdgeverseError `INVALID_ARGUMENT`, `INVALID_ID`, `TYPE_NOT_FOUND`, `METHOD_NOT_FOUND` or `PAYLOAD_TOO_LARGE`
 */
export function batchCall(
  { registry, config }: Pick<EdgeParts, "registry" | "config">,
  raw: unknown,
  index: number,
  { requestId, now, timeout, traceparent }: Common,
): CallMessage {
  const parsed = itemSchema.safeParse(raw);
  if (!parsed.success) throw misfit("The call", parsed.error, ["calls", index]);
  const item = parsed.data;
  const definition = registry.type(item.type);
  const method = registry.method(definition, item.method);
  const request = requestText(item.request, config.maxMessage, ["calls", index, "request"]);
  const message: { -readonly [Key in keyof CallMessage]: CallMessage[Key] } = {
    type: definition.type,
    id: item.id,
    method: method.name,
    deadline: now + (timeout ?? method.timeout ?? config.callTimeout),
    requestId,
    caller: CLIENT,
  };
  if (request !== undefined) message.request = request;
  if (traceparent !== undefined) message.traceparent = traceparent;
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
