import { z } from "@hono/zod-openapi";
import type { ResizeView } from "../../coordinator/commands.ts";
import { command } from "../ask-coordinator.ts";
import { describeRoute } from "../describe-route.ts";
import { resizeBody, resizeSchema, shardCount } from "../movement-schemas.ts";
import type { EdgeParts } from "../ports.ts";
import { readChange } from "../read-change.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";

const bodySchema = z.strictObject({ count: shardCount, dryRun: z.boolean().default(false) });

/** `POST /admin/v1/shard-count` ([SPLIT1]). */
export function resizeRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "post",
      path: "/admin/v1/shard-count",
      summary: "Double or halve the shards until there are so many",
      body: bodySchema,
      answers: { 200: resizeSchema, 202: resizeSchema },
    }),
    handle: async (context) => {
      const { requestId } = context.env;
      const body = await readChange(context, parts, bodySchema);
      const view = await command<ResizeView>(parts, { kind: "shard-count", ...body }, requestId);
      return respond(JSON.stringify(resizeBody(view)), requestId, body.dryRun ? 200 : 202);
    },
  };
}
