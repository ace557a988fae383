import * as z from "zod";
import { parseDuration } from "../../config/duration.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { checkType, placementOf } from "../../identity/object-id.ts";
import type { CallRecord } from "../../reliable/call-record.ts";
import { LocalLog } from "../../reliable/local-log.ts";
import type { LoggedCall, ReadableLog } from "../../reliable/ports.ts";
import { readCursor, writeCursor } from "../../router/cursor.ts";
import { callStatus } from "../call-view.ts";
import { NOTHING, parseQuery, readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, count, moment } from "../schemas.ts";
import { countersRoute } from "./call-counters.ts";
import { statsRoute } from "./call-stats.ts";
import { storyRoute } from "./call-story.ts";
import { loggedCallSchema, loggedView } from "./logged-call.ts";
import { pageAnswer, pageQuery } from "./page.ts";
import { decisionRoutes, parkedPage } from "./parked-calls.ts";

/** A page's `next`, which the log alone understands. */
const logPlace = z.string();
const querySchema = z.strictObject({
  status: callStatus.optional(),
  type: z.string().optional(),
  id: z.string().optional(),
  ...pageQuery,
});

/** `/admin/v1/calls`: the log of reliable calls, and its upkeep. */
export function loggedCallRoutes(parts: HttpParts): Route[] {
  const log = parts.log ?? new LocalLog(parts);
  return [
    list(parts, log),
    statsRoute(log),
    countersRoute(parts),
    storyRoute(parts),
    cleanUp(parts),
    wake(parts),
    ...decisionRoutes(parts),
  ];
}

/** `GET /admin/v1/calls`: the log of reliable calls, newest first. */
function list(parts: HttpParts, log: ReadableLog): Route {
  return {
    doc: {
      id: "listCalls",
      tag: "call log",
      method: "get",
      path: "/admin/v1/calls",
      summary: "List the reliable calls of the log",
      query: querySchema,
      answers: {
        200: {
          description: "A page, newest first; parked calls by partition, and such a page may be short",
          schema: z.object({
            calls: z.array(loggedCallSchema),
            unreachable: z
              .array(z.string())
              .optional()
              .register(about, { description: "Partitions that could not be asked: their calls are missing here" }),
            ...pageAnswer,
          }),
        },
      },
      problems: ["INVALID_ID", "LOG_UNAVAILABLE", "OVERLOADED", "UNAVAILABLE"],
    },
    handle: async (context) => {
      const { cursor, ...filter } = parseQuery(context, querySchema);
      if (filter.type !== undefined) checkType(filter.type);
      if (filter.id !== undefined) placementOf(filter.id);
      if (filter.status === "parked") {
        const page = await parkedPage(parts, filter, cursor);
        const { unreachable } = page;
        return respond(body(page.calls.map(parkedView), { unreachable, cursor: page.cursor }), context.requestId);
      }
      const { calls, next, unreachable } = await log.list({ ...filter, before: readCursor(cursor, logPlace) });
      const rest = { unreachable, cursor: next === undefined ? undefined : writeCursor(next) };
      return respond(body(calls.map(view), rest), context.requestId);
    },
  };
}

/** The texts of calls stay as they are: what is in them may be large. */
function body(calls: readonly string[], rest: Readonly<Record<string, unknown>>): string {
  const members = JSON.stringify(rest).slice(1, -1);
  return `{"calls":[${calls.join(",")}]${members === "" ? "" : ","}${members}}`;
}

function view(call: LoggedCall): string {
  return loggedView(call, { seq: Number(call.seq) });
}

function parkedView(call: CallRecord): string {
  return loggedView(call);
}

const cleanupBody = z.strictObject({
  olderThan: z
    .string()
    .optional()
    .register(about, { examples: ["30d"], description: "Default: the configured retention" }),
  dryRun: z.boolean().default(false),
});
const cleanupReport = z
  .object({
    dryRun: z.boolean(),
    before: moment,
    counts: z.object({ success: count, failed: count, expired: count }),
    marks: count,
    silent: z.array(z.string()).register(about, { description: "Partitions that did not answer" }),
    complete: z.boolean(),
  })
  .register(about, { id: "CleanupReport" });

/** `POST /admin/v1/calls/cleanup` ([CALL9]). */
function cleanUp(parts: HttpParts): Route {
  return {
    doc: {
      id: "cleanUpCalls",
      tag: "call log",
      role: "admin",
      method: "post",
      path: "/admin/v1/calls/cleanup",
      summary: "Remove finished calls from the log",
      body: cleanupBody,
      answers: { 200: { description: "What was removed, or would be", schema: cleanupReport } },
      problems: ["LOG_UNAVAILABLE"],
    },
    handle: async (context) => {
      const body = await readChange(context, cleanupBody);
      const olderThan = body.olderThan === undefined ? null : (parseDuration(body.olderThan) ?? refuse());
      const report = await parts.maintenance.cleanUp({ olderThan, dryRun: body.dryRun });
      const view = { ...report, before: new Date(report.before).toISOString() };
      return respond(JSON.stringify(view), context.requestId);
    },
  };
}

function refuse(): never {
  const message = 'must be a duration like "12h" or "30d"';
  throw new EdgeverseError("INVALID_ARGUMENT", `The body does not fit at olderThan: it ${message}`, {
    details: { issues: [{ path: ["olderThan"], message, code: "custom" }] },
  });
}

const reconcileReport = z
  .object({
    seen: count,
    driven: count,
    completed: count,
    pending: count,
    refused: count,
    unreachable: count,
    left: count,
    silent: z.array(z.string()).register(about, { description: "Partitions that did not answer" }),
    complete: z.boolean(),
  })
  .register(about, { id: "ReconcileReport" });

/** `POST /admin/v1/calls/wake` ([CALL11]): drives pending rows now instead of with the next cron. */
function wake(parts: HttpParts): Route {
  return {
    doc: {
      id: "wakeCalls",
      tag: "call log",
      method: "post",
      path: "/admin/v1/calls/wake",
      summary: "Drive pending calls now",
      body: NOTHING,
      answers: { 200: { description: "What became of the pending calls", schema: reconcileReport } },
      problems: ["LOG_UNAVAILABLE"],
    },
    handle: async (context) => {
      await readChange(context, NOTHING);
      const report = await parts.maintenance.reconcile();
      return respond(JSON.stringify(report), context.requestId);
    },
  };
}
