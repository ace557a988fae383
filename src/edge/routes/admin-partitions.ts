import { z } from "@hono/zod-openapi";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { coordinatorView } from "../ask-coordinator.ts";
import { ADMIN_LIMIT, askPartitions } from "../ask-partitions.ts";
import { describeRoute } from "../describe-route.ts";
import { memberBody, memberPart, NO_MEMBER } from "../movement-schemas.ts";
import type { EdgeParts } from "../ports.ts";
import { publicError } from "../problem.ts";
import { respond } from "../respond.ts";
import { param, type Route } from "../route.ts";
import { errorSchema } from "../schemas.ts";

const count = z.number().int();
const shipperSchema = z.object({
  state: z.enum(["idle", "waiting", "shipping", "backing off"]),
  failures: count,
  shipped: count,
  lastError: z.string().optional(),
});
const statusSchema = z
  .object({
    shards: count.openapi({ description: "Claimed by it" }),
    objectsInMemory: count,
    bytesInMemory: count,
    waitingTurns: count,
    commits: count,
    repliesCommitted: count,
    failedCommits: count,
    openCalls: count,
    log: shipperSchema.nullable(),
  })
  .partial();
const partitionSchema = z
  .object({ name: z.string(), reachable: z.boolean(), error: errorSchema.optional() })
  .extend(statusSchema.shape)
  .extend(memberPart.shape)
  .openapi("Partition");
type Partition = z.input<typeof partitionSchema>;

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
      return respond(JSON.stringify({ partitions: await partitionViews(parts) }), context.env.requestId);
    },
  };
}

/** `GET /admin/v1/partitions/{p}`. */
export function partitionRoute(parts: EdgeParts): Route {
  return {
    doc: describeRoute({
      method: "get",
      path: "/admin/v1/partitions/{p}",
      summary: "One partition, with its load and the progress of its drain",
      params: z.object({ p: z.string() }),
      answers: { 200: partitionSchema },
    }),
    handle: async (context) => {
      const name = param(context, "p");
      const found = (await partitionViews(parts)).find((partition) => partition.name === name);
      if (found === undefined) throw new EdgeverseError("NOT_FOUND", `There is no partition "${name.slice(0, 80)}"`);
      return respond(JSON.stringify(found), context.env.requestId);
    },
  };
}

/** What each partition says of itself, beside what the coordinator says of it; either may be missing. */
async function partitionViews(parts: EdgeParts): Promise<Partition[]> {
  await parts.router.refresh();
  const [answers, view] = await Promise.all([
    askPartitions(parts, ADMIN_LIMIT, (client) => client.status()),
    coordinatorView(parts),
  ]);
  const members = new Map(view?.members.map((member) => [member.name, memberBody(member)]));
  return answers.map((answer) => {
    const name = answer.partition;
    const member = members.get(name) ?? NO_MEMBER;
    if (answer.ok) return { ...member, ...answer.value, name, reachable: true };
    return { ...member, name, reachable: false, error: publicError(answer.error) };
  });
}
