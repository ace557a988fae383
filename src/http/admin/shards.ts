import * as z from "zod";
import type { MoveView, ShardNote } from "../../coordinator/commands.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { readCursor, writeCursor } from "../../router/cursor.ts";
import { ADMIN_LIMIT, askPartitions } from "../ask-partitions.ts";
import { NOTHING, parseQuery, readChange } from "../parse.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { HttpContext, Route } from "../route.ts";
import { partitionName, shardParams } from "../schemas.ts";
import { command, known, ORDERED } from "./coordinator.ts";
import { moveBody, moveSchema } from "./moves.ts";
import { numberPlace, pageAnswer, pageQuery } from "./page.ts";
import { noPartition } from "./partition-view.ts";
import { noteBody, noteSchema, shardSchema, shardTable } from "./shard-view.ts";

const querySchema = z.strictObject({ partition: z.string().optional(), ...pageQuery });
const pageSchema = z.object({ shards: z.array(shardSchema), ...pageAnswer });

/** `/admin/v1/shards`: who owns what, and orders about single shards. */
export function shardRoutes(parts: HttpParts): Route[] {
  return [list(parts), read(parts), move(parts), pin(parts), unpin(parts)];
}

/** `GET /admin/v1/shards`: who owns what, for all shards or those of one partition. */
function list(parts: HttpParts): Route {
  return {
    doc: {
      id: "listShards",
      tag: "shards",
      method: "get",
      path: "/admin/v1/shards",
      summary: "List the shards and their owners",
      query: querySchema,
      answers: { 200: { description: "A page, by number", schema: pageSchema } },
    },
    handle: async (context) => {
      const { partition, limit, cursor } = parseQuery(context, querySchema);
      const first = readCursor(cursor, numberPlace) ?? 0;
      await parts.router.refresh();
      const { map } = parts.router;
      if (partition !== undefined && !map.partitions.includes(partition)) throw noPartition(partition);
      const [answers, noted] = await Promise.all([
        askPartitions(parts, ADMIN_LIMIT, (client) => client.shards()),
        known(parts),
      ]);
      const view = shardTable(map, answers, noted);
      const page: z.input<typeof pageSchema> = { shards: [] };
      for (let shard = first; shard < map.shards && page.cursor === undefined; shard++) {
        const row = view(shard);
        if (partition !== undefined && row.partition !== partition) continue;
        if (page.shards.length < limit) page.shards.push(row);
        else page.cursor = writeCursor(shard);
      }
      return respond(JSON.stringify(page), context.requestId);
    },
  };
}

/** `GET /admin/v1/shards/{shard}`. */
function read(parts: HttpParts): Route {
  return {
    doc: {
      id: "getShard",
      tag: "shards",
      method: "get",
      path: "/admin/v1/shards/{shard}",
      summary: "See one shard and its owner",
      params: shardParams,
      answers: { 200: { description: "The shard", schema: shardSchema } },
    },
    handle: async (context) => {
      const shard = await shardNumber(context, parts);
      const { map } = parts.router;
      const [answers, noted] = await Promise.all([
        askPartitions(parts, ADMIN_LIMIT, (client) => client.shards()),
        known(parts, shard),
      ]);
      return respond(JSON.stringify(shardTable(map, answers, noted)(shard)), context.requestId);
    },
  };
}

const orderSchema = z.strictObject({ partition: partitionName });

/** `POST /admin/v1/shards/{shard}/move`: answers with the move as it was ordered ([MIG1]). */
function move(parts: HttpParts): Route {
  return {
    doc: {
      id: "moveShard",
      tag: "shards",
      method: "post",
      path: "/admin/v1/shards/{shard}/move",
      summary: "Move a shard to a partition",
      params: shardParams,
      body: orderSchema,
      answers: { 202: { description: "The move, as it was ordered", schema: moveSchema } },
      problems: ORDERED,
    },
    handle: async (context) => {
      const { requestId } = context;
      const { partition: to } = await readChange(context, orderSchema);
      const shard = await shardNumber(context, parts);
      const ordered = await command<MoveView>(parts, { kind: "move-shard", shard, to }, context);
      return respond(JSON.stringify(moveBody(ordered, parts.clock.now())), requestId, 202);
    },
  };
}

const pinSchema = z.strictObject({ partition: partitionName.optional() });

/** `POST /admin/v1/shards/{shard}/pin` ([PLAN2]). */
function pin(parts: HttpParts): Route {
  return {
    doc: {
      id: "pinShard",
      tag: "shards",
      method: "post",
      path: "/admin/v1/shards/{shard}/pin",
      summary: "Keep a shard where it is, or at a partition",
      params: shardParams,
      body: pinSchema,
      answers: { 200: { description: "The shard, as it is now", schema: noteSchema } },
      problems: ORDERED,
    },
    handle: async (context) => {
      const { requestId } = context;
      const { partition } = await readChange(context, pinSchema);
      const shard = await shardNumber(context, parts);
      const note = await command<ShardNote>(parts, { kind: "pin-shard", shard, partition }, context);
      return respond(JSON.stringify(noteBody(note)), requestId);
    },
  };
}

/** `POST /admin/v1/shards/{shard}/unpin` ([PLAN2]). */
function unpin(parts: HttpParts): Route {
  return {
    doc: {
      id: "unpinShard",
      tag: "shards",
      method: "post",
      path: "/admin/v1/shards/{shard}/unpin",
      summary: "Let plans move a shard again",
      params: shardParams,
      answers: { 200: { description: "The shard, as it is now", schema: noteSchema } },
      problems: ORDERED,
    },
    handle: async (context) => {
      const { requestId } = context;
      await readChange(context, NOTHING);
      const shard = await shardNumber(context, parts);
      const note = await command<ShardNote>(parts, { kind: "unpin-shard", shard }, context);
      return respond(JSON.stringify(noteBody(note)), requestId);
    },
  };
}

/** The shard that a path names, by the newest map. @throws EdgeverseError `NOT_FOUND` when there is none of that number */
async function shardNumber(context: HttpContext, { router }: Pick<HttpParts, "router">): Promise<number> {
  await router.refresh();
  const { shards } = router.map;
  const text = context.param("shard");
  const shard = Number(text);
  if (/^(0|[1-9]\d{0,5})$/.test(text) && shard < shards) return shard;
  throw new EdgeverseError("NOT_FOUND", `No such shard: the cluster has ${shards}, numbered from 0`);
}
