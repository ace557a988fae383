import { z } from "@hono/zod-openapi";
import { checkType, placementOf } from "../../identity/object-id.ts";
import type { LoggedCall } from "../../reliable/ports.ts";
import { callView } from "../call-view.ts";
import { describeRoute } from "../describe-route.ts";
import { needLog } from "../need-log.ts";
import { parseQuery } from "../parse-query.ts";
import type { EdgeParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { callSchema, callStatus, jsonValue, pageLimit } from "../schemas.ts";

const seq = z.string().regex(/^\d{1,18}$/, "must be the next of another page");
const querySchema = z.strictObject({
  status: callStatus.optional(),
  type: z.string().optional(),
  id: z.string().optional(),
  before: seq.optional(),
  limit: pageLimit,
});
const loggedCallSchema = callSchema
  .extend({
    seq: z.string(),
    type: z.string(),
    id: z.string(),
    shard: z.number().int(),
    method: z.string(),
    epoch: z.number().int(),
    traceId: z.string().nullable(),
    request: jsonValue,
  })
  .openapi("LoggedCall");

/** `GET /admin/v1/calls`: the log of reliable calls, newest first. */
export function callsRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "get",
      path: "/admin/v1/calls",
      summary: "The log of reliable calls, newest first",
      query: querySchema,
      answers: { 200: z.object({ calls: z.array(loggedCallSchema), next: z.string().optional() }) },
    }),
    handle: async (context) => {
      const filter = parseQuery(context, querySchema);
      if (filter.type !== undefined) checkType(filter.type);
      if (filter.id !== undefined) placementOf(filter.id);
      const { calls, next } = await needLog(parts.log).list(filter);
      const rest = next === undefined ? "" : `,"next":${JSON.stringify(next)}`;
      return respond(`{"calls":[${calls.map(view).join(",")}]${rest}}`, context.env.requestId);
    },
  };
}

function view(call: LoggedCall): string {
  const { seq, type, id, shard, method, epoch, traceId } = call;
  const text = callView(call, { seq, type, id, shard, method, epoch, traceId });
  return `${text.slice(0, -1)},"request":${call.request ?? "null"}}`;
}
