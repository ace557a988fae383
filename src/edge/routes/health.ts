import { z } from "@hono/zod-openapi";
import { describeRoute } from "../describe-route.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";

/** `GET /healthz`: this worker runs. It asks nobody. */
export function healthRoute(): Route {
  return {
    doc: describeRoute({
      method: "get",
      path: "/healthz",
      summary: "Whether the worker runs",
      answers: { 200: z.object({ status: z.literal("ok") }) },
    }),
    handle: (context) => respond('{"status":"ok"}', context.env.requestId),
  };
}
