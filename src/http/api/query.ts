import * as z from "zod";
import type { Identity } from "../../access/identity.ts";
import { ObjectQueries } from "../../router/object-queries.ts";
import { adminOf, tokenHolder } from "../admin/auth.ts";
import { pageAnswer, pageQuery } from "../admin/page.ts";
import { parseQuery } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { chargedCaller } from "../rate-limits.ts";
import { respond } from "../respond.ts";
import type { HttpContext, Route } from "../route.ts";
import { about, typeName } from "../schemas.ts";
import { ACCESS } from "./message.ts";

/** A value in a query: JSON, or else the text as it is. */
function bound(which: string) {
  const description = `${which}. JSON such as true, 12 or "12"; anything else is a text`;
  return z.string().transform(read).optional().register(about, { type: "string", description });
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const querySchema = z.strictObject({
  index: z.string(),
  value: bound("Objects with this value"),
  from: bound("Objects with this value or one behind it, of the same kind"),
  to: bound("Objects with a value before this one, of the same kind"),
  prefix: z.string().optional().register(about, { description: "Objects with a text that begins so" }),
  order: z.enum(["asc", "desc"]).optional(),
  ...pageQuery,
});
const indexValue = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .register(about, { description: "What the object was found by" });
const answerSchema = z.object({
  objects: z.array(z.object({ id: z.string(), value: indexValue })),
  ...pageAnswer,
  unreachable: z
    .array(z.string())
    .register(about, { description: "Partitions that did not answer: their objects are missing" }),
});

/** `GET /api/v1/objects/query/{type}`: objects by an index of their type ([IDX2]). Operators find all, clients what they may. */
export function queryRoute(parts: HttpParts): Route {
  const queries = new ObjectQueries(parts);
  return {
    doc: {
      id: "queryObjects",
      tag: "objects",
      method: "get",
      path: "/api/v1/objects/query/{type}",
      summary: "Find objects by an index of their type",
      params: z.object({ type: typeName }),
      query: querySchema,
      answers: { 200: { description: "A page; it may be short and still have a cursor", schema: answerSchema } },
      problems: [...ACCESS, "INVALID_ID", "TYPE_NOT_FOUND"],
    },
    handle: async (context) => {
      const identity = await asking(parts, context);
      const query = parseQuery(context, querySchema);
      const found = await queries.find(context.param("type"), { ...query, identity }, context.request.signal);
      return respond(JSON.stringify(found), context.requestId);
    },
  };
}

/** The client that asks; undefined for an operator, who may look at everything. @throws EdgeverseError `UNAUTHENTICATED` */
async function asking(parts: HttpParts, context: HttpContext): Promise<Identity | null | undefined> {
  if ((await tokenHolder(context.request, parts)) !== undefined) return undefined;
  const { identity = null } = await chargedCaller(parts, context, context.param("type"));
  return identity !== null && adminOf(identity, parts.adminRoles) !== undefined ? undefined : identity;
}
