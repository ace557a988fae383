import * as z from "zod";
import { requestText } from "../../object/request-text.ts";
import { commonHeaders, RELIABLE_HEADERS, refuseHeaders, timeoutHeader } from "../headers.ts";
import { parseBody } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { problem } from "../problem.ts";
import { charge, knownCaller } from "../rate-limits.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, jsonValue, objectId, objectParams } from "../schemas.ts";
import { ACCESS, TURN, unknownMember } from "./message.ts";

const createBody = z
  .strictObject({ request: jsonValue.optional() }, { error: unknownMember })
  .register(about, { examples: [{}, { request: { owner: "ann" } }] });
const deleteBody = z.strictObject({});
const NOT_RELIABLE = "creating and deleting are no reliable calls";
const identity = z.object({ id: objectId });

/** Creating and deleting objects. */
export function lifecycleRoutes(parts: HttpParts): Route[] {
  return [lifecycleRoute(parts, "create"), lifecycleRoute(parts, "delete")];
}

/** `POST /api/v1/objects/create/{type}/{id}` and `…/delete/{type}/{id}`. */
function lifecycleRoute(parts: HttpParts, action: "create" | "delete"): Route {
  return {
    doc: {
      id: action,
      tag: "objects",
      method: "post",
      path: `/api/v1/objects/${action}/{type}/{id}`,
      summary: action === "create" ? "Create an object" : "Delete an object",
      params: objectParams,
      headers: commonHeaders.pick({ "Edgeverse-Timeout": true }),
      body: action === "create" ? createBody : deleteBody,
      answers:
        action === "create"
          ? {
              200: { description: "It was there already", schema: identity },
              201: { description: "It was created", schema: identity },
            }
          : { 200: { description: "It is not there any more", schema: z.object({ success: z.literal(true) }) } },
      problems: [...ACCESS, "INVALID_ID", "TYPE_NOT_FOUND", ...TURN],
    },
    handle: async (context) => {
      const { registry, config, clock, router } = parts;
      const { requestId, ticket } = context;
      refuseHeaders(context.request.headers, RELIABLE_HEADERS, NOT_RELIABLE);
      const caller = await knownCaller(parts, context);
      const { type, timeout: declared } = registry.type(context.param("type"));
      charge(parts, context, caller, type);
      const id = context.param("id");
      const timeout = timeoutHeader(context.request.headers, config.maxCallTimeout) ?? declared ?? config.callTimeout;
      const body = await context.body.text();
      const message = { action, type, id, deadline: clock.now() + timeout, requestId, caller };
      const named = ticket === undefined ? message : { ...message, ticket };
      const request = action === "create" ? creation(body, config.maxMessage) : parseBody(body, deleteBody);
      const reply = await router.lifecycle({ ...named, ...request }, context.request.signal);
      if (reply.kind === "error") return problem(reply.error, requestId);
      if (action === "delete") return respond('{"success":true}', requestId);
      const created = reply.kind === "response" && (JSON.parse(reply.response) as { created: boolean }).created;
      return respond(JSON.stringify({ id }), requestId, created ? 201 : 200);
    },
  };
}

/** The part of the message that says what to create the object with. */
function creation(body: string, limit: number): { readonly request?: string } {
  const request = requestText(parseBody(body, createBody).request, limit, ["request"]);
  return request === undefined ? {} : { request };
}
