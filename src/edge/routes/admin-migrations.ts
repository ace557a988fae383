import { z } from "@hono/zod-openapi";
import { askCoordinator } from "../ask-coordinator.ts";
import { describeRoute } from "../describe-route.ts";
import { moveBody, moveCounts, moveSchema } from "../movement-schemas.ts";
import { parseQuery } from "../parse-query.ts";
import type { EdgeParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { moment, pageLimit, wholeNumber } from "../schemas.ts";

const count = z.number().int();
const querySchema = z.strictObject({
  active: z.enum(["true", "false"]).optional(),
  shard: wholeNumber(0, 65_535).optional(),
  before: z
    .string()
    .regex(/^\d{1,15}$/, "must be the next of another page")
    .transform(Number)
    .optional(),
  limit: pageLimit,
});
const decisionSchema = z.object({
  at: moment,
  trigger: z.string(),
  moves: count,
  skipped: z.array(z.object({ reason: z.string(), count, detail: z.string().optional() })),
});
const answerSchema = z.object({
  migrations: z.array(moveSchema),
  counts: moveCounts,
  decisions: z.array(decisionSchema),
  decisionCounts: z.record(z.string(), count),
  next: z.string().optional(),
});

/** `GET /admin/v1/migrations`: moves, newest first, and what the planner decided last ([PLAN3], [MIG6]). */
export function migrationsRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      ...{ method: "get", path: "/admin/v1/migrations", summary: "Moves of shards, and the planner's decisions" },
      query: querySchema,
      answers: { 200: answerSchema },
    }),
    handle: async (context) => {
      const { active, shard, before, limit } = parseQuery(context, querySchema);
      const query = { limit, before, shard, active: active === "true" };
      const [moves, view] = await Promise.all([
        askCoordinator(parts, (coordinator) => coordinator.moves(query)),
        askCoordinator(parts, (coordinator) => coordinator.view()),
      ]);
      const last = moves.at(-1);
      const answer: z.input<typeof answerSchema> = {
        migrations: moves.map((move) => moveBody(move, parts.clock.now())),
        counts: view.moves,
        decisions: view.decisions.map(({ at, skipped, ...rest }) => ({
          ...rest,
          at: new Date(at).toISOString(),
          skipped: [...skipped],
        })),
        decisionCounts: view.decisionCounts,
        ...(last === undefined || moves.length < limit ? {} : { next: String(last.id) }),
      };
      return respond(JSON.stringify(answer), context.env.requestId);
    },
  };
}
