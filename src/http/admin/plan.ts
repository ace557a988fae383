import * as z from "zod";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { Plan } from "../../placement/plan-types.ts";
import { readCursor, writeCursor } from "../../router/cursor.ts";
import { about, count } from "../schemas.ts";
import { pageAnswer, pageBody } from "./page.ts";

export const planSchema = z
  .object({
    dryRun: z.boolean(),
    total: count.clone().register(about, { description: "Moves of the whole plan" }),
    moves: z.array(
      z.object({ shard: count, from: z.string(), to: z.string(), reason: z.string(), detail: z.string() }),
    ),
    skipped: z.array(z.object({ reason: z.string(), count, detail: z.string().optional() })),
    stats: z.object({
      members: z.array(z.object({ name: z.string(), shards: count, ideal: z.number(), load: z.number() })),
      imbalance: z.number(),
    }),
    ...pageAnswer,
  })
  .register(about, { id: "Plan" });

/** What every change that a plan follows takes in its body. The plan of a dry run may move every shard: it comes in pages. */
export const dryRunBody = {
  dryRun: z
    .boolean()
    .default(false)
    .register(about, { description: "Change nothing, and answer with the moves that would follow" }),
  ...pageBody,
};

export interface DryRun {
  readonly dryRun: boolean;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** Whether the page asked for is one of a dry run: it would be ignored otherwise. */
export function isDryPage({ dryRun, limit, cursor }: DryRun): boolean {
  return dryRun || (limit === undefined && cursor === undefined);
}
export const DRY_PAGE = "limit and cursor need dryRun";

const placeSchema = z.strictObject({ from: z.number().int().nonnegative(), total: z.number().int().nonnegative() });

/**
 * A plan as it is answered: of a dry run the page asked for. The plan is made anew for each.
 * @throws EdgeverseError `CONFLICT` when it is not the plan of the page before
 */
export function planBody(plan: Plan & { readonly dryRun?: boolean }, asked: DryRun): z.input<typeof planSchema> {
  const { limit = asked.dryRun ? 100 : plan.moves.length } = asked;
  const total = plan.moves.length;
  const place = readCursor(asked.cursor, placeSchema) ?? { from: 0, total };
  if (place.total !== total) {
    throw new EdgeverseError(
      "CONFLICT",
      "Cannot go on with the plan: it has changed since the page before; begin anew",
    );
  }
  const end = place.from + limit;
  return {
    ...plan,
    dryRun: asked.dryRun,
    total,
    moves: plan.moves.slice(place.from, end),
    skipped: [...plan.skipped],
    stats: { ...plan.stats, members: [...plan.stats.members] },
    ...(end < total ? { cursor: writeCursor({ from: end, total }) } : {}),
  };
}
