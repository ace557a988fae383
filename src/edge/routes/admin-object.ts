import { z } from "@hono/zod-openapi";
import { checkType, placementOf } from "../../identity/object-id.ts";
import { known } from "../ask-coordinator.ts";
import { askOwner } from "../ask-owner.ts";
import { describeRoute } from "../describe-route.ts";
import { noteBody } from "../movement-schemas.ts";
import type { EdgeParts } from "../ports.ts";
import { respond } from "../respond.ts";
import { param, type Route } from "../route.ts";
import { moment, objectParams } from "../schemas.ts";
import { unexplained } from "../shard-table.ts";

const objectSchema = z
  .object({
    type: z.string(),
    id: z.string(),
    hash: z
      .string()
      .nullable()
      .openapi({ description: "FNV-1a of the id, hex; null when the id itself names its place" }),
    shard: z.number().int().nullable(),
    partition: z.string(),
    epoch: z.number().int(),
    exists: z.boolean(),
    inMemory: z.boolean(),
    why: z.string().openapi({ example: "base map" }),
    decidedAt: moment.nullable().openapi({ description: "When the shard last moved; null when it never has" }),
    since: moment.nullable().openapi({ description: "When the partition claimed the shard" }),
    region: z.string().nullable(),
  })
  .openapi("Object");

/** `GET /admin/v1/objects/{type}/{id}`: where an object is, and why there ([MAP4]). */
export function objectRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "get",
      path: "/admin/v1/objects/{type}/{id}",
      summary: "Where an object is, and why",
      params: objectParams,
      answers: { 200: objectSchema },
    }),
    handle: async (context) => {
      const [type, id] = [param(context, "type"), param(context, "id")];
      checkType(type);
      const placement = placementOf(id);
      const found = await askOwner(parts, id, async (client) => {
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
        region: parts.router.map.location(found.partition) ?? null,
      };
      return respond(JSON.stringify(view), context.env.requestId);
    },
  };
}

async function decision(parts: EdgeParts, shard: number, partition: string) {
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
