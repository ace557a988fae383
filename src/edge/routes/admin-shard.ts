import { known } from "../ask-coordinator.ts";
import { ADMIN_LIMIT, askPartitions } from "../ask-partitions.ts";
import { describeRoute } from "../describe-route.ts";
import type { EdgeParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { shardParams } from "../schemas.ts";
import { shardNumber } from "../shard-number.ts";
import { shardSchema, shardTable } from "../shard-table.ts";

/** `GET /admin/v1/shards/{n}`. */
export function shardRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "get",
      path: "/admin/v1/shards/{n}",
      summary: "One shard and its owner",
      params: shardParams,
      answers: { 200: shardSchema },
    }),
    handle: async (context) => {
      const shard = await shardNumber(context, parts);
      const { map } = parts.router;
      const [answers, about] = await Promise.all([
        askPartitions(parts, ADMIN_LIMIT, (client) => client.shards()),
        known(parts, shard),
      ]);
      return respond(JSON.stringify(shardTable(map, answers, about)(shard)), context.env.requestId);
    },
  };
}
