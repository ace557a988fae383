import { z } from "@hono/zod-openapi";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { checkType } from "../../identity/object-id.ts";
import type { ObjectCursor, ObjectListing } from "../../router/views.ts";
import { ADMIN_LIMIT, askPartition } from "../ask-partitions.ts";
import { describeRoute } from "../describe-route.ts";
import { type PageCursor, readCursor, writeCursor } from "../page-cursor.ts";
import { parseQuery } from "../parse-query.ts";
import type { EdgeParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { pageLimit, wholeNumber } from "../schemas.ts";

/** Questions to partitions one page may cost; a filter that matches little then gives a short page with a cursor. */
const QUESTIONS = 32;

const querySchema = z.strictObject({
  type: z.string().optional(),
  shard: wholeNumber(0, 65_535).optional(),
  cursor: z.string().max(4_096).optional(),
  limit: pageLimit,
});
const listingSchema = z.object({
  type: z.string(),
  id: z.string(),
  shard: z.number().int().nullable().openapi({ description: "Null for an object fixed to a partition" }),
  partition: z.string(),
});
const answerSchema = z.object({ objects: z.array(listingSchema), cursor: z.string().optional() });

/** `GET /admin/v1/objects`: the stored objects, partition by partition. A page may be short and still have a cursor. */
export function objectsRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "get",
      path: "/admin/v1/objects",
      summary: "The stored objects",
      query: querySchema,
      answers: { 200: answerSchema },
    }),
    handle: async (context) => {
      const query = parseQuery(context, querySchema);
      await parts.router.refresh();
      const { map } = parts.router;
      if (query.type !== undefined) checkType(query.type);
      if (query.shard !== undefined && query.shard >= map.shards) {
        throw new EdgeverseError("INVALID_ARGUMENT", `Cannot list shard ${query.shard}: there are ${map.shards}`);
      }
      const names = query.shard === undefined ? map.partitions : [parts.router.owner(`shard#${query.shard}/-`)];
      const objects: z.input<typeof listingSchema>[] = [];
      let next: PageCursor | undefined = start(names, query.cursor);
      for (let asked = 0; next !== undefined && asked < QUESTIONS && objects.length < query.limit; asked++) {
        const { partition, after } = next;
        const page = await list(parts, partition, { ...query, cursor: after, limit: query.limit - objects.length });
        for (const { type, id, shard } of page.objects) {
          objects.push({ type, id, shard: shard < 0 ? null : shard, partition });
        }
        next = following(names, partition, page.cursor);
      }
      const answer = next === undefined ? { objects } : { objects, cursor: writeCursor(next) };
      return respond(JSON.stringify(answer), context.env.requestId);
    },
  };
}

function start(names: readonly string[], text: string | undefined): PageCursor | undefined {
  if (text === undefined) return following(names, undefined, undefined);
  const cursor = readCursor(text);
  if (names.includes(cursor.partition)) return cursor;
  throw new EdgeverseError("INVALID_ARGUMENT", "Cannot use the cursor: it belongs to another listing");
}

function following(
  names: readonly string[],
  partition: string | undefined,
  after: ObjectCursor | undefined,
): PageCursor | undefined {
  if (partition !== undefined && after !== undefined) return { partition, after };
  const name = names[partition === undefined ? 0 : names.indexOf(partition) + 1];
  return name === undefined ? undefined : { partition: name };
}

function list(
  parts: EdgeParts,
  partition: string,
  {
    type,
    shard,
    cursor,
    limit,
  }: { type?: string | undefined; shard?: number | undefined; cursor: ObjectCursor | undefined; limit: number },
): Promise<{ objects: ObjectListing[]; cursor?: ObjectCursor }> {
  return askPartition(parts, partition, ADMIN_LIMIT, (client) => client.objects({ type, shard, cursor, limit }));
}
