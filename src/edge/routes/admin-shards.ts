import { z } from "@hono/zod-openapi";
import { known } from "../ask-coordinator.ts";
import { ADMIN_LIMIT, askPartitions } from "../ask-partitions.ts";
import { describeRoute } from "../describe-route.ts";
import { parseQuery } from "../parse-query.ts";
import type { EdgeParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { type ShardView, shardSchema, shardTable } from "../shard-table.ts";

const querySchema = z.strictObject({ partition: z.string().optional() });

/** `GET /admin/v1/shards`: who owns what, for all shards or those of one partition. */
export function shardsRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "get",
      path: "/admin/v1/shards",
      summary: "Every shard and its owner",
      query: querySchema,
      answers: { 200: z.object({ shards: z.array(shardSchema) }) },
    }),
    handle: async (context) => {
      const { partition } = parseQuery(context, querySchema);
      await parts.router.refresh();
      const { map } = parts.router;
      const [answers, about] = await Promise.all([
        askPartitions(parts, ADMIN_LIMIT, (client) => client.shards()),
        known(parts),
      ]);
      const view = shardTable(map, answers, about);
      const shards: ShardView[] = [];
      for (let shard = 0; shard < map.shards; shard++) {
        const row = view(shard);
        if (partition === undefined || row.partition === partition) shards.push(row);
      }
      return respond(JSON.stringify({ shards }), context.env.requestId);
    },
  };
}
