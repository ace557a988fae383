import * as z from "zod";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { publicError } from "../../errors/public-error.ts";
import type { CallMessage, FinalReply } from "../../object/message.ts";
import { traceParent } from "../../object/trace-parent.ts";
import { type CommonParts, clientCall, readCall } from "../../router/client-call.ts";
import { callIdText } from "../call-view.ts";
import { commonHeaders, RELIABLE_HEADERS, refuseHeaders, timeoutHeader } from "../headers.ts";
import { parseBody } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { charge, knownCaller } from "../rate-limits.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, errorSchema, jsonValue, objectId, typeName } from "../schemas.ts";
import { IDENTITY } from "./message.ts";

/** One call of a batch, as the OpenAPI document shows it. */
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
      const { requestId, ticket } = context;
      const { headers, signal } = context.request;
      refuseHeaders(headers, RELIABLE_HEADERS, "give its calls a callId each");
      const timeout = timeoutHeader(headers, parts.config.maxCallTimeout);
      const traceparent = traceParent(headers.get("traceparent"));
      const caller = await knownCaller(parts, context);
      const text = await context.body.text();
      const take = (type: string, method: string) => charge(parts, context, caller, type, method);
      const common = { caller, requestId, ticket, now: parts.clock.now(), timeout, traceparent, charge: take };
      const { count, messages, refused } = batchCalls(parts, text, common);
      const replies = messages.length === 0 ? [] : await parts.router.batchOf(messages, signal);
      return respond(write(count, refused, replies), requestId);
    },
  };
}

interface Calls {
  readonly count: number;
  readonly messages: readonly CallMessage[];
  /** By their number. */
  readonly refused: ReadonlyMap<number, EdgeverseError>;
}

/** What the body was parsed into is gone when this returns: it may be many times as large, and the calls may take long. */
function batchCalls(parts: Pick<HttpParts, "registry" | "config">, body: string, common: CommonParts): Calls {
  const { calls } = parseBody(body, bodySchema);
  const messages: CallMessage[] = [];
  const refused = new Map<number, EdgeverseError>();
  for (const [index, item] of calls.entries()) {
    try {
      messages.push(clientCall(parts, readCall(item, ["calls", index]), ["calls", index], common));
    } catch (error) {
      const why = EdgeverseError.from(error);
      if (why.code === "INTERNAL") throw error;
      refused.set(index, why);
    }
  }
  return { count: calls.length, messages, refused };
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
