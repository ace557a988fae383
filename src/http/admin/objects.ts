import * as z from "zod";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { checkType } from "../../identity/object-id.ts";
import { readCursor, writeCursor } from "../../router/cursor.ts";
import type { ObjectCursor, ObjectListing } from "../../router/views.ts";
import { ADMIN_LIMIT, askOwner, askPartition } from "../ask-partitions.ts";
import { parseQuery } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, count, moment, objectParams, wholeNumber } from "../schemas.ts";
import { known } from "./coordinator.ts";
import { pageAnswer, pageQuery } from "./page.ts";
import { noteBody, unexplained } from "./shard-view.ts";

/** Questions to partitions one page may cost; a filter that matches little then gives a short page with a cursor. */
const QUESTIONS = 32;

const querySchema = z.strictObject({
  type: z.string().optional(),
  shard: wholeNumber(0, 65_535).optional(),
  ...pageQuery,
});
const listingSchema = z.object({
  type: z.string(),
  id: z.string(),
  shard: count.nullable().register(about, { description: "Null for an object fixed to a partition" }),
  partition: z.string(),
});
const answerSchema = z.object({ objects: z.array(listingSchema), ...pageAnswer });

/** Where the walk over all partitions goes on: in `partition`, after `after` or at its start. */
const placeSchema = z.strictObject({
  partition: z.string(),
  after: z
    .strictObject({
      position: z
        .number()
        .int()
        .min(-1)
        .max(2 ** 32),
      type: z.string().max(64),
      id: z.string().max(512),
    })
    .optional(),
});
type Place = z.output<typeof placeSchema>;

/** `/admin/v1/objects`: what is stored, and where. */
export function objectRoutes(parts: HttpParts): Route[] {
  return [list(parts), read(parts)];
}

/** `GET /admin/v1/objects`: the stored objects, partition by partition. A page may be short and still have a cursor. */
function list(parts: HttpParts): Route {
  return {
    doc: {
      id: "listObjects",
      tag: "cluster",
      method: "get",
      path: "/admin/v1/objects",
      summary: "List the stored objects",
      query: querySchema,
      answers: { 200: { description: "A page; it may be short and still have a cursor", schema: answerSchema } },
      problems: ["INVALID_ID", "OVERLOADED", "UNAVAILABLE"],
    },
    handle: async (context) => {
      const query = parseQuery(context, querySchema);
      await parts.router.refresh();
      const { map } = parts.router;
      if (query.type !== undefined) checkType(query.type);
      if (query.shard !== undefined && query.shard >= map.shards) {
        throw new EdgeverseError("NOT_FOUND", `There is no shard ${query.shard}: the cluster has ${map.shards}`);
      }
      const names =
        query.shard === undefined ? map.partitions : [parts.router.owner({ type: "", id: `shard#${query.shard}/-` })];
      const objects: z.input<typeof listingSchema>[] = [];
      let next: Place | undefined = start(names, query.cursor);
      for (let asked = 0; next !== undefined && asked < QUESTIONS && objects.length < query.limit; asked++) {
        const { partition, after } = next;
        const page = await pageOf(parts, partition, { ...query, cursor: after, limit: query.limit - objects.length });
        for (const { type, id, shard } of page.objects) {
          objects.push({ type, id, shard: shard < 0 ? null : shard, partition });
        }
        next = following(names, partition, page.cursor);
      }
      const answer = next === undefined ? { objects } : { objects, cursor: writeCursor(next) };
      return respond(JSON.stringify(answer), context.requestId);
    },
  };
}

function start(names: readonly string[], text: string | undefined): Place | undefined {
  const cursor = readCursor(text, placeSchema);
  if (cursor === undefined) return following(names, undefined, undefined);
  if (names.includes(cursor.partition)) return cursor;
  throw new EdgeverseError("INVALID_ARGUMENT", "Cannot use the cursor: it belongs to another listing");
}

function following(
  names: readonly string[],
  partition: string | undefined,
  after: ObjectCursor | undefined,
): Place | undefined {
  if (partition !== undefined && after !== undefined) return { partition, after };
  const name = names[partition === undefined ? 0 : names.indexOf(partition) + 1];
  return name === undefined ? undefined : { partition: name };
}

function pageOf(
  parts: HttpParts,
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

const objectSchema = z
  .object({
    type: z.string(),
    id: z.string(),
    hash: z
      .string()
      .nullable()
      .register(about, { description: "FNV-1a of the id, hex; null when the id itself names its place" }),
    shard: count.nullable(),
    partition: z.string(),
    epoch: count,
    exists: z.boolean(),
    inMemory: z.boolean(),
    why: z.string().register(about, { examples: ["base map"] }),
    decidedAt: moment.nullable().register(about, { description: "When the shard last moved; null when it never has" }),
    since: moment.nullable().register(about, { description: "When the partition claimed the shard" }),
    location: z.string().nullable().register(about, { description: "The location hint of its partition" }),
  })
  .register(about, { id: "Object" });

/** `GET /admin/v1/objects/{type}/{id}`: where an object is, and why there ([MAP4]). */
function read(parts: HttpParts): Route {
  return {
    doc: {
      id: "getObject",
      tag: "cluster",
      method: "get",
      path: "/admin/v1/objects/{type}/{id}",
      summary: "See where an object is, and why",
      params: objectParams,
      answers: { 200: { description: "The object's place", schema: objectSchema } },
      problems: ["INVALID_ID", "OVERLOADED", "UNAVAILABLE"],
    },
    handle: async (context) => {
      const [type, id] = [context.param("type"), context.param("id")];
      checkType(type);
      const placement = parts.registry.placement(type, id);
      const found = await askOwner(parts, { type, id }, async (client) => {
        const described = await client.describe(type, id);
        return "movedTo" in described ? described : { ...described, partition: (await client.status()).name };
      });
      const shard = found.shard < 0 ? null : found.shard;
      const view: z.input<typeof objectSchema> = {
        type,
        id,
        hash: placement.kind === "hash" ? placement.hash.toString(16).padStart(8, "0") : null,
        shard,
        partition: found.partition,
        epoch: found.epoch,
        exists: found.exists,
        inMemory: found.inMemory,
        ...(shard === null
          ? { why: "fixed by the id", decidedAt: null }
          : await decision(parts, shard, found.partition)),
        since: found.claimedAt === null ? null : new Date(found.claimedAt).toISOString(),
        location: parts.router.map.location(found.partition) ?? null,
      };
      return respond(JSON.stringify(view), context.requestId);
    },
  };
}

async function decision(parts: HttpParts, shard: number, partition: string) {
  const note = (await known(parts, shard))?.notes.get(shard);
  if (note?.partition === partition) {
    const { movedAt: decidedAt, why } = noteBody(note);
    return { why, decidedAt };
  }
  await parts.router.refresh();
  const { map } = parts.router;
  const planned = map.owner(shard);
  const why = planned === partition ? unexplained(map, shard) : `claimed; the map says ${planned}`;
  return { why, decidedAt: null };
}
