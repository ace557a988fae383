import type { ShardNote } from "../../coordinator/commands.ts";
import { command } from "../ask-coordinator.ts";
import { describeRoute } from "../describe-route.ts";
import { noteBody, noteSchema } from "../movement-schemas.ts";
import type { EdgeParts } from "../ports.ts";
import { NOTHING, readChange } from "../read-change.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { shardParams } from "../schemas.ts";
import { shardNumber } from "../shard-number.ts";

/** `POST /admin/v1/shards/{n}/unpin` ([PLAN2]). */
export function unpinShardRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "post",
      path: "/admin/v1/shards/{n}/unpin",
      summary: "Let plans move a shard again",
      params: shardParams,
      answers: { 200: noteSchema },
    }),
    handle: async (context) => {
      const { requestId } = context.env;
      await readChange(context, parts, NOTHING);
      const shard = await shardNumber(context, parts);
      const note = await command<ShardNote>(parts, { kind: "unpin-shard", shard }, requestId);
      return respond(JSON.stringify(noteBody(note)), requestId);
    },
  };
}
