import * as z from "zod";
import type { ReshardView } from "../../coordinator/commands.ts";
import { MAX_SHARDS } from "../../identity/object-id.ts";
import { readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, count } from "../schemas.ts";
import { askCoordinator, command, ORDERED } from "./coordinator.ts";

const shardCount = count
  .min(1)
  .max(MAX_SHARDS)
  .refine((value) => (value & (value - 1)) === 0, "must be a power of two");

export const shardCountSchema = z
  .object({
    shards: count,
    target: count.nullable(),
    phase: z.enum(["joining", "settling", "counting"]).nullable(),
    pairsLeft: count,
    partitionsLeft: count,
    trouble: z.string().nullable(),
    dryRun: z.boolean(),
  })
  .register(about, { id: "ShardCount" });

export function shardCountBody(view: ReshardView & { readonly dryRun?: boolean }): z.input<typeof shardCountSchema> {
  return { ...view, dryRun: view.dryRun ?? false };
}

/** `/admin/v1/shard-count`: how many shards there are, and the order to change it. */
export function shardCountRoutes(parts: HttpParts): Route[] {
  return [read(parts), change(parts)];
}

/** `GET /admin/v1/shard-count` ([SPLIT1]). */
function read(parts: HttpParts): Route {
  return {
    doc: {
      id: "getShardCount",
      tag: "shards",
      method: "get",
      path: "/admin/v1/shard-count",
      summary: "See the shard count, and how far a change of it is",
      answers: { 200: { description: "The shard count", schema: shardCountSchema } },
      problems: ["UNAVAILABLE"],
    },
    handle: async (context) => {
      const { reshard } = await askCoordinator(parts, (coordinator) => coordinator.view());
      return respond(JSON.stringify(shardCountBody(reshard)), context.requestId);
    },
  };
}

const bodySchema = z.strictObject({ count: shardCount, dryRun: z.boolean().default(false) });

/** `POST /admin/v1/shard-count` ([SPLIT1]). */
function change(parts: HttpParts): Route {
  return {
    doc: {
      id: "changeShardCount",
      tag: "shards",
      role: "admin",
      method: "post",
      path: "/admin/v1/shard-count",
      summary: "Double or halve the shards until there are so many",
      body: bodySchema,
      answers: {
        200: { description: "A dry run: what would be done", schema: shardCountSchema },
        202: { description: "It is being done", schema: shardCountSchema },
      },
      problems: ORDERED,
    },
    handle: async (context) => {
      const { requestId } = context;
      const body = await readChange(context, bodySchema);
      const view = await command<ReshardView>(parts, { kind: "shard-count", ...body }, context);
      return respond(JSON.stringify(shardCountBody(view)), requestId, body.dryRun ? 200 : 202);
    },
  };
}
