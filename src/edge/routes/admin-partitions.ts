import { z } from "@hono/zod-openapi";
import { describeRoute } from "../describe-route.ts";
import { partitionSchema, partitionViews } from "../partition-views.ts";
import type { EdgeParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";

/** `GET /admin/v1/partitions`: what each says of itself, or why it says nothing. */
export function partitionsRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "get",
      path: "/admin/v1/partitions",
      summary: "The partitions, each with its load",
      answers: { 200: z.object({ partitions: z.array(partitionSchema) }) },
    }),
    handle: async (context) => {
      await parts.router.refresh();
      const partitions = await partitionViews(parts, parts.router.map.partitions);
      return respond(JSON.stringify({ partitions }), context.env.requestId);
    },
  };
}
