import * as z from "zod";
import { parseQuery } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, jsonValue, moment, pageLimit, wholeNumber } from "../schemas.ts";
import { askCoordinator } from "./coordinator.ts";

const querySchema = z.strictObject({ limit: pageLimit, before: wholeNumber(0, 999_999_999).optional() });
const answerSchema = z.object({
  entries: z.array(
    z.object({
      seq: z.number().int(),
      at: moment,
      actor: z.string(),
      requestId: z.string(),
      command: z.string(),
      details: jsonValue,
      outcome: z.string().register(about, { description: '"done", or the code it was refused with' }),
    }),
  ),
  next: z.string().optional(),
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
      const query = parseQuery(context, querySchema);
      const rows = await askCoordinator(parts, (coordinator) => coordinator.audit(query));
      const last = rows.at(-1);
      const entries = rows.map(({ at, details, ...rest }) => ({
        ...rest,
        at: new Date(at).toISOString(),
        details: parse(details),
      }));
      const next = last === undefined || rows.length < query.limit ? {} : { next: String(last.seq) };
      return respond(JSON.stringify({ entries, ...next }), context.env.requestId);
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
