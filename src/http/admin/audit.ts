import * as z from "zod";
import { readCursor } from "../../router/cursor.ts";
import { parseQuery } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, count, jsonValue, moment } from "../schemas.ts";
import { askCoordinator } from "./coordinator.ts";
import { cursorAfter, numberPlace, pageAnswer, pageQuery } from "./page.ts";

const querySchema = z.strictObject(pageQuery);
const answerSchema = z.object({
  entries: z.array(
    z.object({
      seq: count,
      at: moment,
      actor: z.string(),
      requestId: z.string(),
      command: z.string(),
      details: jsonValue,
      outcome: z.string().register(about, { description: '"done", or the code it was refused with' }),
    }),
  ),
  ...pageAnswer,
});

/** `GET /admin/v1/audit`: who ordered what, newest first. */
export function auditRoute(parts: HttpParts): Route {
  return {
    doc: {
      id: "listAudit",
      tag: "cluster",
      method: "get",
      path: "/admin/v1/audit",
      summary: "List the changes that operators ordered",
      query: querySchema,
      answers: { 200: { description: "A page, newest first", schema: answerSchema } },
      problems: ["UNAVAILABLE"],
    },
    handle: async (context) => {
      const { limit, cursor } = parseQuery(context, querySchema);
      const before = readCursor(cursor, numberPlace);
      const rows = await askCoordinator(parts, (coordinator) => coordinator.audit({ limit, before }));
      const entries = rows.map(({ at, details, ...rest }) => ({
        ...rest,
        at: new Date(at).toISOString(),
        details: parse(details),
      }));
      const page = { entries, ...cursorAfter(rows.at(-1)?.seq, rows.length, limit) };
      return respond(JSON.stringify(page), context.requestId);
    },
  };
}

/** Long details were cut. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
