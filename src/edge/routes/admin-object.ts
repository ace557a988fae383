import { z } from "@hono/zod-openapi";
import { checkType, placementOf } from "../../identity/object-id.ts";
import { known } from "../ask-coordinator.ts";
import { askOwner } from "../ask-owner.ts";
import { describeRoute } from "../describe-route.ts";
import { whyText } from "../movement-schemas.ts";
import type { EdgeParts } from "../ports.ts";
import { respond } from "../respond.ts";
import { param, type Route } from "../route.ts";
import { moment, objectParams } from "../schemas.ts";

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
        why: shard === null ? "fixed by the id" : await whyThere(parts, shard, found.partition),
        since: found.claimedAt === null ? null : new Date(found.claimedAt).toISOString(),
        region: parts.router.map.location(found.partition) ?? null,
      };
      return respond(JSON.stringify(view), context.env.requestId);
    },
  };
}

async function whyThere(parts: EdgeParts, shard: number, partition: string): Promise<string> {
  const { notes } = await known(parts);
  const note = notes.get(shard);
  if (note !== undefined && note.partition === partition) return whyText(note);
  await parts.router.refresh();
  const { map } = parts.router;
  return map.owner(shard) === partition ? "base map" : `claimed; the map says ${map.owner(shard)}`;
}
