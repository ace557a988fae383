import * as z from "zod";
import type { Plan } from "../../placement/plan-types.ts";
import { readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { command, ORDERED } from "./coordinator.ts";
import { DRY_PAGE, dryRunBody, isDryPage, planBody, planSchema } from "./plan.ts";

const bodySchema = z
  .strictObject({ ...dryRunBody, strategy: z.enum(["count", "load"]).optional() })
  .refine(isDryPage, DRY_PAGE);

/** `POST /admin/v1/rebalance`: plans now, and unless it is a dry run carries it out ([PLAN3]). */
export function rebalanceRoute(parts: HttpParts): Route {
  return {
    doc: {
      id: "rebalance",
      tag: "shards",
      method: "post",
      path: "/admin/v1/rebalance",
      summary: "Plan moves and carry them out, or only show them",
      body: bodySchema,
      answers: { 200: { description: "The plan, carried out unless it is a dry run", schema: planSchema } },
      problems: ORDERED,
    },
    handle: async (context) => {
      const { requestId } = context;
      const { limit, cursor, ...order } = await readChange(context, bodySchema);
      const plan = await command<Plan>(parts, { kind: "rebalance", ...order }, context);
      return respond(JSON.stringify(planBody(plan, { ...order, limit, cursor })), requestId);
    },
  };
}
