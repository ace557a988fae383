import { z } from "@hono/zod-openapi";
import type { MoveView } from "../../coordinator/commands.ts";
import { command } from "../ask-coordinator.ts";
import { describeRoute } from "../describe-route.ts";
import { moveBody, moveSchema, partitionName } from "../movement-schemas.ts";
import type { EdgeParts } from "../ports.ts";
import { readChange } from "../read-change.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { shardParams } from "../schemas.ts";
import { shardNumber } from "../shard-number.ts";

const bodySchema = z.strictObject({ partition: partitionName });

/** `POST /admin/v1/shards/{n}/move`: answers with the move as it was ordered ([MIG1]). */
export function moveShardRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "post",
      path: "/admin/v1/shards/{n}/move",
      summary: "Move a shard to a partition",
      params: shardParams,
      body: bodySchema,
      answers: { 202: moveSchema },
    }),
    handle: async (context) => {
      const { requestId } = context.env;
      const { partition: to } = await readChange(context, parts, bodySchema);
      const shard = await shardNumber(context, parts);
      const move = await command<MoveView>(parts, { kind: "move-shard", shard, to }, requestId);
      return respond(JSON.stringify(moveBody(move, parts.clock.now())), requestId, 202);
    },
  };
}
