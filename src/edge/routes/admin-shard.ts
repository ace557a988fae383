import { z } from "@hono/zod-openapi";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { ADMIN_LIMIT, askPartitions } from "../ask-partitions.ts";
import { describeRoute } from "../describe-route.ts";
import type { EdgeParts } from "../ports.ts";
import { respond } from "../respond.ts";
import { param, type Route } from "../route.ts";
import { shardSchema, shardTable } from "../shard-table.ts";

/** `GET /admin/v1/shards/{n}`. */
export function shardRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "get",
      path: "/admin/v1/shards/{n}",
      summary: "One shard and its owner",
      params: z.object({ n: z.string().openapi({ type: "integer", minimum: 0 }) }),
      answers: { 200: shardSchema },
    }),
    handle: async (context) => {
      const text = param(context, "n");
      const { map } = parts.router;
      const shard = Number(text);
      if (!/^(0|[1-9]\d{0,5})$/.test(text) || shard >= map.shards) {
        throw new EdgeverseError("NOT_FOUND", `No such shard: the cluster has ${map.shards}, numbered from 0`);
      }
      const answers = await askPartitions(parts, ADMIN_LIMIT, (client) => client.shards());
      return respond(JSON.stringify(shardTable(map, answers)(shard)), context.env.requestId);
    },
  };
}
