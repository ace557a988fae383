import * as z from "zod";
import type { CallMessage, FinalReply } from "../../object/message.ts";
import { requestText } from "../../object/request-text.ts";
import { traceParent } from "../../object/trace-parent.ts";
import { callIdText, callPath, waiting } from "../call-view.ts";
import { callHeaders, reliableHeaders, timeoutHeader } from "../headers.ts";
import { parseBody } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { problem } from "../problem.ts";
import { charge, knownCaller } from "../rate-limits.ts";
import { respond, respondToCall } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, jsonValue, moment, objectParams } from "../schemas.ts";
import { ACCESS, ADDRESS, RELIABLE, TURN, unknownMember } from "./message.ts";

const bodySchema = z
  .strictObject({ request: jsonValue.optional() }, { error: unknownMember })
  .register(about, { examples: [{ request: { by: 1 } }] });
/** With a `response`, though it never has one: so a typed client reads the response without asking for the status first. */
const acceptedSchema = z.object({
  callId: callIdText,
  status: z.enum(["pending", "waiting"]),
  notBefore: moment.optional().register(about, { description: "When a call that is `waiting` is made" }),
  response: jsonValue.optional().register(about, { description: "Not there yet" }),
});

/**
 * `POST /api/v1/objects/call/{type}/{id}/{method}`: the product. The body is parsed once, the request goes on as JSON text and
 * the response comes back as one, so nothing here looks into either.
 */
export function callRoute(parts: HttpParts): Route {
  const { registry, router, clock } = parts;
  return {
    doc: {
      id: "call",
      tag: "objects",
      method: "post",
      path: "/api/v1/objects/call/{type}/{id}/{method}",
      summary: "Call a method of an object",
      params: objectParams.extend({ method: z.string().register(about, { examples: ["add"] }) }),
      headers: callHeaders,
      body: bodySchema,
      answers: {
        200: {
          description: "The method's response",
          schema: z.object({ response: jsonValue }).register(about, { examples: [{ response: 3 }] }),
          headers: ["Idempotency-Replayed"],
        },
        202: {
          description: "The reliable call is accepted and goes on, or waits for its time",
          schema: acceptedSchema,
          headers: ["Location", "Preference-Applied"],
        },
      },
      problems: [...ACCESS, ...ADDRESS, ...TURN, ...RELIABLE],
      problemHeaders: ["Idempotency-Replayed"],
    },
    handle: async (context) => {
      const { requestId, body, ticket } = context;
      const { headers, signal } = context.request;
      const { config } = parts;
      const caller = await knownCaller(parts, context);
      const definition = registry.type(context.param("type"));
      const method = registry.method(definition, context.param("method"));
      charge(parts, context, caller, definition.type, method.name);
      const timeout = timeoutHeader(headers, config.maxCallTimeout) ?? method.timeout ?? config.callTimeout;
      const reliable = reliableHeaders(headers, () => clock.now());
      const request = requestOf(await body.text(), config.maxMessage);
      const traceparent = traceParent(headers.get("traceparent"));
      const message: { -readonly [Key in keyof CallMessage]: CallMessage[Key] } = {
        type: definition.type,
        id: context.param("id"),
        method: method.name,
        deadline: clock.now() + timeout,
        requestId,
        caller,
      };
      if (request !== undefined) message.request = request;
      if (traceparent !== undefined) message.traceparent = traceparent;
      if (reliable !== undefined) message.reliable = reliable;
      if (ticket !== undefined) message.ticket = ticket;
      return answer(parts.basePath, message, await router.call(message, signal), requestId);
    },
  };
}

/** What the body was parsed into is gone when this returns: it may be many times as large, and the call may take long. */
function requestOf(body: string, limit: number): string | undefined {
  return requestText(parseBody(body, bodySchema).request, limit, ["request"]);
}

function answer(basePath: string, { type, id }: CallMessage, reply: FinalReply, requestId: string): Response {
  if (reply.kind === "accepted") {
    const { callId, notBefore } = reply;
    const headers = { location: callPath(basePath, type, id, callId) };
    if (notBefore !== undefined)
      return respond(JSON.stringify({ callId, ...waiting(notBefore) }), requestId, 202, headers);
    const text = JSON.stringify({ callId, status: "pending" });
    return respond(text, requestId, 202, { ...headers, "preference-applied": "respond-async" });
  }
  const extra = reply.replayed === true ? { "idempotency-replayed": "true" } : undefined;
  if (reply.kind === "error") return problem(reply.error, requestId, extra);
  return respondToCall(`{"response":${reply.response}}`, requestId, extra);
}
