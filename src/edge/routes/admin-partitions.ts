import { z } from "@hono/zod-openapi";
import { ADMIN_LIMIT, askPartitions } from "../ask-partitions.ts";
import { describeRoute } from "../describe-route.ts";
import type { EdgeParts } from "../ports.ts";
import { publicError } from "../problem.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { errorSchema } from "../schemas.ts";

const count = z.number().int();
const shipperSchema = z.object({
  state: z.enum(["idle", "waiting", "shipping", "backing off"]),
  failures: count,
  shipped: count,
  lastError: z.string().optional(),
});
const partitionSchema = z
  .union([
    z.object({
      name: z.string(),
      reachable: z.literal(true),
      shards: count,
      objectsInMemory: count,
      bytesInMemory: count,
      waitingTurns: count,
      commits: count,
      repliesCommitted: count,
      failedCommits: count,
      openCalls: count,
      log: shipperSchema.nullable(),
    }),
    z.object({ name: z.string(), reachable: z.literal(false), error: errorSchema }),
  ])
  .openapi("Partition");

/** `GET /admin/v1/partitions`: what each says of itself, or why it says nothing. */
export function partitionsRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "get",
      path: "/admin/v1/partitions",
      summary: "The partitions, each with its load",
      answers: { 200: z.object({ partitions: z.array(partitionSchema) }) },
    }),
    handle: async (context) => {
      const answers = await askPartitions(parts, ADMIN_LIMIT, (client) => client.status());
      const partitions = answers.map((answer) =>
        answer.ok
          ? { ...answer.value, name: answer.partition, reachable: true }
          : { name: answer.partition, reachable: false, error: publicError(answer.error) },
      );
      return respond(JSON.stringify({ partitions }), context.env.requestId);
    },
  };
}
