import * as z from "zod";
import type { Plan } from "../../placement/plan-types.ts";
import { readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, count } from "../schemas.ts";
import { command, ORDERED } from "./coordinator.ts";

export const planSchema = z
  .object({
    dryRun: z.boolean(),
    moves: z.array(
      z.object({ shard: count, from: z.string(), to: z.string(), reason: z.string(), detail: z.string() }),
    ),
    skipped: z.array(z.object({ reason: z.string(), count, detail: z.string().optional() })),
    stats: z.object({
      members: z.array(z.object({ name: z.string(), shards: count, ideal: z.number(), load: z.number() })),
      imbalance: z.number(),
    }),
  })
  .register(about, { id: "Plan" });

const bodySchema = z.strictObject({
  dryRun: z.boolean().default(false),
  strategy: z.enum(["count", "load"]).optional(),
});
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
      const body = await readChange(context, parts, bodySchema);
      const plan = await command<Plan>(parts, { kind: "rebalance", ...body }, context.env.requestId);
      return respond(JSON.stringify(plan), context.env.requestId);
    },
  };
}
