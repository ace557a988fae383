import { askCoordinator } from "../ask-coordinator.ts";
import { describeRoute } from "../describe-route.ts";
import { resizeBody, resizeSchema } from "../movement-schemas.ts";
import type { EdgeParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";

/** `GET /admin/v1/shard-count` ([SPLIT1]). */
export function shardCountRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "get",
      path: "/admin/v1/shard-count",
      summary: "The shard count, and how far a change of it is",
      answers: { 200: resizeSchema },
    }),
    handle: async (context) => {
      const { resize } = await askCoordinator(parts, (coordinator) => coordinator.view());
      return respond(JSON.stringify(resizeBody(resize)), context.env.requestId);
    },
  };
}
