import { z } from "@hono/zod-openapi";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CallMessage } from "../../object/message.ts";
import type { FinalReply } from "../../router/router.ts";
import { batchCall, batchCallSchema } from "../batch-call.ts";
import { readBody } from "../body.ts";
import { timeoutHeader } from "../call-headers.ts";
import { describeRoute } from "../describe-route.ts";
import { parseBody } from "../parse-body.ts";
import type { EdgeParts } from "../ports.ts";
import { publicError } from "../problem.ts";
import { refuseHeaders } from "../refuse-headers.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { errorSchema, jsonValue } from "../schemas.ts";
import { traceParent } from "../trace-parent.ts";

const MOST = 1_000;
/** Items are looked at one by one, so that a bad one spoils only its own place. */
const bodySchema = z.strictObject({ calls: z.array(z.unknown()).min(1).max(MOST) });
const replayed = z.literal(true).optional();
const resultSchema = z
  .union([z.object({ response: jsonValue, replayed }), z.object({ error: errorSchema, replayed })])
  .openapi("BatchResult");

/** `POST /api/v1/objects/batch`: many calls in one request, answered in order. */
export function batchRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "post",
      path: "/api/v1/objects/batch",
      summary: "Call many methods at once; each has its own outcome",
      headers: z.object({ "Edgeverse-Timeout": z.string().optional(), traceparent: z.string().optional() }),
      body: z.strictObject({ calls: z.array(batchCallSchema).min(1).max(MOST) }),
      answers: { 200: z.object({ results: z.array(resultSchema) }) },
    }),
    handle: async (context) => {
      const { raw } = context.req;
      const { requestId } = context.env;
      refuseHeaders(
        raw.headers,
        ["idempotency-key", "edgeverse-log", "edgeverse-expires-in"],
        "give its calls a callId each",
      );
      const timeout = timeoutHeader(raw.headers, parts.config.maxCallTimeout);
      const traceparent = traceParent(raw.headers.get("traceparent"));
      const { calls } = parseBody(await readBody(raw, parts.config.maxBody), bodySchema);
      const common = { requestId, now: parts.clock.now(), timeout, traceparent };
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
      const replies = messages.length === 0 ? [] : await parts.router.batch(messages);
      return respond(write(calls.length, refused, replies), requestId);
    },
  };
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
