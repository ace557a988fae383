import { z } from "@hono/zod-openapi";
import type { AdminCommand, MemberView } from "../../coordinator/commands.ts";
import { command } from "../ask-coordinator.ts";
import { readBody } from "../body.ts";
import { describeRoute } from "../describe-route.ts";
import { labels, location, memberBody, memberSchema, partitionName, weight } from "../movement-schemas.ts";
import { parseBody } from "../parse-body.ts";
import type { EdgeParts } from "../ports.ts";
import { respond } from "../respond.ts";
import { type EdgeContext, param, type Route } from "../route.ts";

const params = z.object({ p: z.string() });
const addSchema = z.strictObject({
  name: partitionName,
  weight: weight.default(1),
  labels: labels.default({}),
  location: location.optional(),
});
const changeSchema = z
  .strictObject({ weight: weight.optional(), labels: labels.optional() })
  .refine((body) => body.weight !== undefined || body.labels !== undefined, "must change weight or labels");

/** Routes that change who takes part ([MEM1]). */
export function memberRoutes(parts: EdgeParts): Route[] {
  const answer = async (context: EdgeContext, order: AdminCommand, status = 200) => {
    const member = await command<MemberView>(parts, order, context.env.requestId);
    return respond(JSON.stringify(memberBody(member)), context.env.requestId, status);
  };
  const body = <Schema extends z.ZodType>(context: EdgeContext, schema: Schema) =>
    readBody(context.req.raw, parts.config.maxBody).then((text) => parseBody(text, schema));
  const state = (kind: "drain" | "cordon" | "uncordon", summary: string): Route => ({
    doc: describeRoute({
      ...{ method: "post", path: `/admin/v1/partitions/{p}/${kind}`, summary, params },
      answers: { 200: memberSchema },
    }),
    handle: (context) => answer(context, { kind, name: param(context, "p") }),
  });
  return [
    {
      doc: describeRoute({
        ...{ method: "post", path: "/admin/v1/partitions", summary: "Add a partition", body: addSchema },
        answers: { 201: memberSchema },
      }),
      handle: async (context) => answer(context, { kind: "add-partition", ...(await body(context, addSchema)) }, 201),
    },
    {
      doc: describeRoute({
        ...{ method: "patch", path: "/admin/v1/partitions/{p}", summary: "Change a partition's weight or labels" },
        ...{ params, body: changeSchema },
        answers: { 200: memberSchema },
      }),
      handle: async (context) => {
        const change = await body(context, changeSchema);
        return answer(context, { kind: "change-partition", name: param(context, "p"), ...change });
      },
    },
    {
      doc: describeRoute({
        ...{ method: "delete", path: "/admin/v1/partitions/{p}", summary: "Remove a drained partition", params },
        answers: { 200: z.object({ removed: z.literal(true), name: z.string() }) },
      }),
      handle: async (context) => {
        const name = param(context, "p");
        await command(parts, { kind: "remove-partition", name }, context.env.requestId);
        return respond(JSON.stringify({ removed: true, name }), context.env.requestId);
      },
    },
    state("drain", "Move every shard away from a partition"),
    state("cordon", "Give a partition no more shards"),
    state("uncordon", "Take a partition back into use"),
  ];
}
