import * as z from "zod";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { Caller } from "../../object/call.ts";
import type { CallMessage, FinalReply } from "../../object/message.ts";
import { traceParent } from "../../object/trace-parent.ts";
import { checkCallId } from "../../reliable/call-id.ts";
import { callerOf } from "../authentication.ts";
import { callIdText } from "../call-view.ts";
import { commonHeaders, RELIABLE_HEADERS, refuseHeaders, timeoutHeader } from "../headers.ts";
import { parseBody, validationError } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { publicError } from "../problem.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, errorSchema, jsonValue, objectId, typeName } from "../schemas.ts";
import { IDENTITY, requestText } from "./message.ts";

/** One call of a batch. The grammar of names is checked where they are looked up, with better codes than a misfit. */
const itemSchema = z
  .strictObject({
    type: z.string(),
    id: z.string(),
    method: z.string(),
    request: jsonValue.optional(),
    callId: z.string().optional(),
    expiresIn: z.number().int().min(1).max(1e15).optional(),
    log: z.enum(["write-ahead", "write-behind"]).optional(),
  })
  .refine((item) => item.callId !== undefined || (item.expiresIn === undefined && item.log === undefined), {
    message: "expiresIn and log need a callId",
  });

/** The same, as the OpenAPI document shows it. */
const batchCallSchema = z
  .strictObject({
    type: typeName,
    id: objectId,
    method: z.string(),
    request: jsonValue.optional(),
    callId: callIdText.optional().register(about, { description: "Makes the call reliable" }),
    expiresIn: z
      .number()
      .int()
      .min(1)
      .optional()
      .register(about, { description: "Milliseconds the call may stay pending" }),
    log: z.enum(["write-ahead", "write-behind"]).optional(),
  })
  .register(about, { id: "BatchCall" });

const MOST = 1_000;
const EXAMPLE = {
  calls: [
    { type: "Counter", id: "visits", method: "get" },
    { type: "Counter", id: "visits", method: "add", request: { by: 1 }, callId: "visit-17" },
  ],
};
/** Items are looked at one by one, so that a bad one spoils only its own place. */
const bodySchema = z.strictObject({ calls: z.array(z.unknown()).min(1).max(MOST) });
const replayed = z.literal(true).optional();
const resultSchema = z
  .union([z.object({ response: jsonValue, replayed }), z.object({ error: errorSchema, replayed })])
  .register(about, { id: "BatchResult" });

/** `POST /api/v1/objects/batch`: many calls in one request, answered in order. */
export function batchRoute(parts: HttpParts): Route {
  return {
    doc: {
      id: "batch",
      tag: "objects",
      method: "post",
      path: "/api/v1/objects/batch",
      summary: "Call many methods at once; each has its own outcome",
      headers: commonHeaders,
      body: z
        .strictObject({ calls: z.array(batchCallSchema).min(1).max(MOST) })
        .register(about, { examples: [EXAMPLE] }),
      answers: {
        200: {
          description: "The outcomes, in the order of the calls",
          schema: z.object({ results: z.array(resultSchema) }),
        },
      },
      problems: IDENTITY,
    },
    handle: async (context) => {
      const { requestId } = context;
      const { headers } = context.request;
      refuseHeaders(headers, RELIABLE_HEADERS, "give its calls a callId each");
      const timeout = timeoutHeader(headers, parts.config.maxCallTimeout);
      const traceparent = traceParent(headers.get("traceparent"));
      const caller = await callerOf(parts, context.request);
      const text = await context.body.text();
      const common = { caller, requestId, now: parts.clock.now(), timeout, traceparent };
      const { count, messages, refused } = batchCalls(parts, text, common);
      const replies = messages.length === 0 ? [] : await parts.router.batch(messages);
      return respond(write(count, refused, replies), requestId);
    },
  };
}

interface Common {
  readonly caller: Caller;
  readonly requestId: string;
  readonly now: number;
  readonly timeout: number | undefined;
  readonly traceparent: string | undefined;
}

interface Calls {
  readonly count: number;
  readonly messages: readonly CallMessage[];
  /** By their number. */
  readonly refused: ReadonlyMap<number, EdgeverseError>;
}

/** What the body was parsed into is gone when this returns: it may be many times as large, and the calls may take long. */
function batchCalls(parts: Pick<HttpParts, "registry" | "config">, body: string, common: Common): Calls {
  const { calls } = parseBody(body, bodySchema);
  const messages: CallMessage[] = [];
  const refused = new Map<number, EdgeverseError>();
  for (const [index, item] of calls.entries()) {
    try {
      messages.push(batchCall(parts, item, index, common));
    } catch (error) {
      const why = EdgeverseError.from(error);
      if (why.code === "INTERNAL") throw error;
      refused.set(index, why);
    }
  }
  return { count: calls.length, messages, refused };
}

/**
 * The message of item number `index`.
 * @throws EdgeverseError `INVALID_ARGUMENT`, `INVALID_ID`, `TYPE_NOT_FOUND`, `METHOD_NOT_FOUND` or `PAYLOAD_TOO_LARGE`
 */
function batchCall(
  { registry, config }: Pick<HttpParts, "registry" | "config">,
  raw: unknown,
  index: number,
  { caller, requestId, now, timeout, traceparent }: Common,
): CallMessage {
  const parsed = itemSchema.safeParse(raw);
  if (!parsed.success) throw validationError("The call", parsed.error, ["calls", index]);
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
    caller,
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

function write(count: number, refused: ReadonlyMap<number, EdgeverseError>, replies: readonly FinalReply[]): string {
  let text = '{"results":[';
  let next = 0;
  for (let index = 0; index < count; index++) {
    if (index > 0) text += ",";
    const error = refused.get(index);
    text += error === undefined ? result(replies[next++] as FinalReply) : failed(error);
  }
  return `${text}]}`;
}

function result(reply: FinalReply): string {
  const mark = reply.kind !== "accepted" && reply.replayed === true ? ',"replayed":true}' : "}";
  if (reply.kind === "response") return `{"response":${reply.response}${mark}`;
  if (reply.kind === "error") return `{"error":${JSON.stringify(publicError(reply.error))}${mark}`;
  return failed(new EdgeverseError("INTERNAL", "a batch waits for outcomes"));
}

function failed(error: EdgeverseError): string {
  return `{"error":${JSON.stringify(publicError(error.toWire()))}}`;
}
