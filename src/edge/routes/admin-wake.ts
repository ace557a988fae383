import { z } from "@hono/zod-openapi";
import { describeRoute } from "../describe-route.ts";
import { needLog } from "../need-log.ts";
import type { EdgeParts } from "../ports.ts";
import { NOTHING, readChange } from "../read-change.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";

const count = z.number().int();
const reportSchema = z
  .object({
    seen: count,
    driven: count,
    completed: count,
    pending: count,
    refused: count,
    unreachable: count,
    complete: z.boolean(),
  })
  .openapi("ReconcileReport");

/** `POST /admin/v1/calls/wake` ([CALL11]): drives pending rows now instead of with the next cron. */
export function wakeRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "post",
      path: "/admin/v1/calls/wake",
      summary: "Drive pending calls now",
      body: NOTHING,
      answers: { 200: reportSchema },
    }),
    handle: async (context) => {
      await readChange(context, parts, NOTHING);
      const report = await needLog(parts.maintenance).reconcile();
      return respond(JSON.stringify(report), context.env.requestId);
    },
  };
}
