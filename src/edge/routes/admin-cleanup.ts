import { z } from "@hono/zod-openapi";
import { parseDuration } from "../../config/duration.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { describeRoute } from "../describe-route.ts";
import { needLog } from "../need-log.ts";
import type { EdgeParts } from "../ports.ts";
import { readChange } from "../read-change.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { moment } from "../schemas.ts";

const count = z.number().int();
const bodySchema = z.strictObject({
  olderThan: z.string().optional().openapi({ example: "30d", description: "Default: the configured retention" }),
  dryRun: z.boolean().default(false),
});
const reportSchema = z
  .object({
    dryRun: z.boolean(),
    before: moment,
    counts: z.object({ success: count, failed: count, expired: count }),
    marks: count,
    complete: z.boolean(),
  })
  .openapi("CleanupReport");

/** `POST /admin/v1/calls/cleanup` ([CALL9]). */
export function cleanupRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "post",
      path: "/admin/v1/calls/cleanup",
      summary: "Remove finished calls from the log",
      body: bodySchema,
      answers: { 200: reportSchema },
    }),
    handle: async (context) => {
      const body = await readChange(context, parts, bodySchema);
      const olderThan = body.olderThan === undefined ? null : (parseDuration(body.olderThan) ?? refuse());
      // Cron has done so before it cleans up.
      await parts.router.refresh();
      const report = await needLog(parts.maintenance).cleanUp({ olderThan, dryRun: body.dryRun });
      const view = { ...report, before: new Date(report.before).toISOString() };
      return respond(JSON.stringify(view), context.env.requestId);
    },
  };
}

function refuse(): never {
  const message = 'must be a duration like "12h" or "30d"';
  throw new EdgeverseError("INVALID_ARGUMENT", `The body does not fit at olderThan: it ${message}`, {
    details: { issues: [{ path: ["olderThan"], message, code: "custom" }] },
  });
}
