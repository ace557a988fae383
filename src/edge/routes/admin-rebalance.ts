import { z } from "@hono/zod-openapi";
import type { Plan } from "../../placement/plan-types.ts";
import { command } from "../ask-coordinator.ts";
import { describeRoute } from "../describe-route.ts";
import { planSchema } from "../movement-schemas.ts";
import type { EdgeParts } from "../ports.ts";
import { readChange } from "../read-change.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";

const bodySchema = z.strictObject({
  dryRun: z.boolean().default(false),
  strategy: z.enum(["count", "load"]).optional(),
});
/** `POST /admin/v1/rebalance`: plans now, and unless it is a dry run carries it out ([PLAN3]). */
export function rebalanceRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      ...{ method: "post", path: "/admin/v1/rebalance", summary: "Plan moves and carry them out, or only show them" },
      body: bodySchema,
      answers: { 200: planSchema },
    }),
    handle: async (context) => {
      const body = await readChange(context, parts, bodySchema);
      const plan = await command<Plan>(parts, { kind: "rebalance", ...body }, context.env.requestId);
      return respond(JSON.stringify(plan), context.env.requestId);
    },
  };
}
