import { z } from "@hono/zod-openapi";
import { command } from "../ask-coordinator.ts";
import { describeRoute } from "../describe-route.ts";
import type { EdgeParts } from "../ports.ts";
import { NOTHING, readChange } from "../read-change.ts";
import { respond } from "../respond.ts";
import { param, type Route } from "../route.ts";
import { partitionParams } from "../schemas.ts";

/** `DELETE /admin/v1/partitions/{p}` ([MEM1]). */
export function removePartitionRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "delete",
      path: "/admin/v1/partitions/{p}",
      summary: "Remove a drained partition",
      params: partitionParams,
      answers: { 200: z.object({ removed: z.literal(true), name: z.string() }) },
    }),
    handle: async (context) => {
      const { requestId } = context.env;
      const name = param(context, "p");
      await readChange(context, parts, NOTHING);
      await command(parts, { kind: "remove-partition", name }, requestId);
      return respond(JSON.stringify({ removed: true, name }), requestId);
    },
  };
}
