import { z } from "@hono/zod-openapi";
import type { ShardNote } from "../../coordinator/commands.ts";
import { command } from "../ask-coordinator.ts";
import { describeRoute } from "../describe-route.ts";
import { noteBody, noteSchema, partitionName } from "../movement-schemas.ts";
import type { EdgeParts } from "../ports.ts";
import { readChange } from "../read-change.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { shardParams } from "../schemas.ts";
import { shardNumber } from "../shard-number.ts";

const bodySchema = z.strictObject({ partition: partitionName.optional() });

/** `POST /admin/v1/shards/{n}/pin` ([PLAN2]). */
export function pinShardRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "post",
      path: "/admin/v1/shards/{n}/pin",
      summary: "Keep a shard where it is, or at a partition",
      params: shardParams,
      body: bodySchema,
      answers: { 200: noteSchema },
    }),
    handle: async (context) => {
      const { requestId } = context.env;
      const { partition } = await readChange(context, parts, bodySchema);
      const shard = await shardNumber(context, parts);
      const note = await command<ShardNote>(parts, { kind: "pin-shard", shard, partition }, requestId);
      return respond(JSON.stringify(noteBody(note)), requestId);
    },
  };
}
