import { z } from "@hono/zod-openapi";
import { coordinatorView } from "./ask-coordinator.ts";
import { ADMIN_LIMIT, askPartitions } from "./ask-partitions.ts";
import { memberBody, memberPart, NO_MEMBER } from "./movement-schemas.ts";
import type { EdgeParts } from "./ports.ts";
import { publicError } from "./problem.ts";
import { errorSchema } from "./schemas.ts";

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
export const partitionSchema = z
  .object({ name: z.string(), reachable: z.boolean(), error: errorSchema.optional() })
  .extend(statusSchema.shape)
  .extend(memberPart.shape)
  .openapi("Partition");
type Partition = z.input<typeof partitionSchema>;

/** What each of these partitions says of itself, beside what the coordinator says of it; either may be missing. */
export async function partitionViews(parts: EdgeParts, names: readonly string[]): Promise<Partition[]> {
  const [answers, view] = await Promise.all([
    askPartitions(parts, ADMIN_LIMIT, (client) => client.status(), names),
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
