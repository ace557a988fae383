import * as z from "zod";
import type { ReadableLog } from "../../reliable/ports.ts";
import { callStatus } from "../call-view.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, count, moment } from "../schemas.ts";

const statsSchema = z
  .object({
    counts: z.array(
      z.object({
        type: z.string(),
        status: callStatus,
        count,
        oldest: moment.nullable().register(about, { description: "When the first of them was accepted" }),
        bytes: count.register(about, { description: "What requests, responses and errors take where they are stored" }),
      }),
    ),
    unreachable: z
      .array(z.string())
      .optional()
      .register(about, { description: "Partitions that could not be asked, or have too many calls to count" }),
  })
  .register(about, { id: "CallStats" });

/** `GET /admin/v1/calls/stats` ([CALL15]): how many calls the log has, by type and status. */
export function statsRoute(log: ReadableLog): Route {
  return {
    doc: {
      id: "callStats",
      tag: "call log",
      method: "get",
      path: "/admin/v1/calls/stats",
      summary: "Count the reliable calls of the log",
      answers: {
        200: { description: "By type and status. All calls are counted: this is not cheap", schema: statsSchema },
      },
      problems: ["LOG_UNAVAILABLE"],
    },
    handle: async (context) => {
      const { counts, unreachable } = await log.stats();
      const view = counts.map(({ oldest, ...rest }) => ({
        ...rest,
        oldest: oldest === null ? null : new Date(oldest).toISOString(),
      }));
      return respond(JSON.stringify({ counts: view, unreachable }), context.requestId);
    },
  };
}
