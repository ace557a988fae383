import { z } from "@hono/zod-openapi";
import type { AdminCommand, MoveView, ResizeView, ShardNote } from "../../coordinator/commands.ts";
import { askCoordinator, command } from "../ask-coordinator.ts";
import { readBody } from "../body.ts";
import { describeRoute } from "../describe-route.ts";
import {
  moveBody,
  moveSchema,
  noteBody,
  noteSchema,
  partitionName,
  resizeBody,
  resizeSchema,
  shardCount,
} from "../movement-schemas.ts";
import { parseBody } from "../parse-body.ts";
import type { EdgeParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { EdgeContext, Route } from "../route.ts";
import { shardNumber } from "../shard-number.ts";

const params = z.object({ n: z.string().openapi({ type: "integer", minimum: 0 }) });
const moveRequest = z.strictObject({ partition: partitionName });
const pinRequest = z.strictObject({ partition: partitionName.optional() });
const countRequest = z.strictObject({ count: shardCount, dryRun: z.boolean().default(false) });

/** Routes that move and pin single shards, and change how many there are ([PLAN2], [SPLIT1]). */
export function shardMoveRoutes(parts: EdgeParts): Route[] {
  const body = <Schema extends z.ZodType>(context: EdgeContext, schema: Schema) =>
    readBody(context.req.raw, parts.config.maxBody).then((text) => parseBody(text, schema));
  const shardOf = async (context: EdgeContext) => {
    await parts.router.refresh();
    return shardNumber(context, parts.router.map.shards);
  };
  const note = async (context: EdgeContext, order: AdminCommand) => {
    const result = await command<ShardNote>(parts, order, context.env.requestId);
    return respond(JSON.stringify(noteBody(result)), context.env.requestId);
  };
  return [
    {
      doc: describeRoute({
        ...{ method: "post", path: "/admin/v1/shards/{n}/move", summary: "Move a shard to a partition" },
        ...{ params, body: moveRequest },
        answers: { 202: moveSchema },
      }),
      handle: async (context) => {
        const { partition } = await body(context, moveRequest);
        const order = { kind: "move-shard", shard: await shardOf(context), to: partition } as const;
        const move = await command<MoveView>(parts, order, context.env.requestId);
        return respond(JSON.stringify(moveBody(move, parts.clock.now())), context.env.requestId, 202);
      },
    },
    {
      doc: describeRoute({
        ...{ method: "post", path: "/admin/v1/shards/{n}/pin", summary: "Keep a shard where it is, or at a partition" },
        ...{ params, body: pinRequest },
        answers: { 200: noteSchema },
      }),
      handle: async (context) => {
        const { partition } = await body(context, pinRequest);
        return note(context, { kind: "pin-shard", shard: await shardOf(context), partition });
      },
    },
    {
      doc: describeRoute({
        ...{ method: "post", path: "/admin/v1/shards/{n}/unpin", summary: "Let plans move a shard again", params },
        answers: { 200: noteSchema },
      }),
      handle: async (context) => note(context, { kind: "unpin-shard", shard: await shardOf(context) }),
    },
    {
      doc: describeRoute({
        ...{
          method: "post",
          path: "/admin/v1/shard-count",
          summary: "Double or halve the shards until there are so many",
        },
        body: countRequest,
        answers: { 200: resizeSchema, 202: resizeSchema },
      }),
      handle: async (context) => {
        const { count, dryRun } = await body(context, countRequest);
        const result = await command<ResizeView>(parts, { kind: "shard-count", count, dryRun }, context.env.requestId);
        return respond(JSON.stringify(resizeBody(result)), context.env.requestId, dryRun ? 200 : 202);
      },
    },
    {
      doc: describeRoute({
        ...{ method: "get", path: "/admin/v1/shard-count", summary: "The shard count, and how far a change of it is" },
        answers: { 200: resizeSchema },
      }),
      handle: async (context) => {
        const { resize } = await askCoordinator(parts, (coordinator) => coordinator.view());
        return respond(JSON.stringify(resizeBody(resize)), context.env.requestId);
      },
    },
  ];
}
