import * as z from "zod";
import type { MemberView } from "../../coordinator/commands.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { publicError } from "../../errors/public-error.ts";
import { ADMIN_LIMIT, askPartitions } from "../ask-partitions.ts";
import type { HttpParts } from "../ports.ts";
import { about, count, errorSchema, moment } from "../schemas.ts";
import { coordinatorView } from "./coordinator.ts";

export const memberSchema = z
  .object({
    name: z.string(),
    weight: z.number(),
    labels: z.record(z.string(), z.string()),
    state: z.enum(["active", "cordoned", "draining"]),
    location: z.string().nullable(),
    assignedShards: count
      .clone()
      .register(about, { description: "Shards it owns by the map; of a draining one, what is left" }),
    incoming: count,
    outgoing: count,
    drained: z.boolean(),
    since: moment,
  })
  .register(about, { id: "Member" });

/** Beside what a partition says of itself; all null when the coordinator can't be asked, or doesn't know it. */
const memberPart = z.object({
  weight: memberSchema.shape.weight.nullable(),
  labels: memberSchema.shape.labels.nullable(),
  state: memberSchema.shape.state.nullable(),
  location: memberSchema.shape.location,
  assignedShards: memberSchema.shape.assignedShards.nullable(),
  incoming: count.nullable(),
  outgoing: count.nullable(),
  drained: memberSchema.shape.drained.nullable(),
  since: moment.nullable(),
});

const NO_MEMBER: z.input<typeof memberPart> = {
  weight: null,
  labels: null,
  state: null,
  location: null,
  assignedShards: null,
  incoming: null,
  outgoing: null,
  drained: null,
  since: null,
};

export function memberBody({ shards, since, ...view }: MemberView): z.input<typeof memberSchema> {
  return { ...view, assignedShards: shards, since: new Date(since).toISOString() };
}

const shipperSchema = z.object({
  state: z.enum(["idle", "waiting", "shipping", "backing off"]),
  failures: count,
  shipped: count,
  lastError: z.string().optional(),
});
const sinkSchema = z
  .object({
    sink: z.string(),
    waiting: count,
    dead: count.clone().register(about, { description: "Set aside, for an operator to decide on" }),
    bytes: count,
    trouble: z.string().nullable().register(about, { description: "Why it did not take what it was given last" }),
  })
  .register(about, { id: "SinkStatus" });
const statusSchema = z
  .object({
    shards: count.clone().register(about, { description: "Claimed by it" }),
    objectsInMemory: count,
    bytesInMemory: count,
    waitingTurns: count,
    commits: count,
    repliesCommitted: count,
    failedCommits: count,
    openCalls: count,
    messages: count.clone().register(about, { description: "Calls that objects have sent and that are not delivered" }),
    messageBytes: count.clone(),
    reminders: count
      .clone()
      .register(about, { description: "That its objects have set, and calls that wait for their time" }),
    remindersRefused: count
      .clone()
      .register(about, { description: "Of these, how many could not call when they were due; counted to 10,000" }),
    backlogBytes: count.clone().register(about, { description: "Of outcomes that the log has not seen" }),
    sinks: z
      .array(sinkSchema)
      .register(about, { description: "What its objects have emitted and sinks have yet to get" }),
    refused: z.record(z.string(), count).register(about, {
      description: "Calls of clients that limits refused, by limit: here, and at routers that report here",
    }),
    log: shipperSchema.nullable(),
  })
  .partial();
export const partitionSchema = z
  .object({ name: z.string(), reachable: z.boolean(), error: errorSchema.optional() })
  .extend(statusSchema.shape)
  .extend(memberPart.shape)
  .register(about, { id: "Partition" });
type Partition = z.input<typeof partitionSchema>;

export function noPartition(name: string): EdgeverseError {
  return new EdgeverseError("NOT_FOUND", `There is no partition "${name.slice(0, 80)}"`);
}

/** What each of these partitions says of itself, beside what the coordinator says of it; either may be missing. */
export async function partitionViews(parts: HttpParts, names: readonly string[]): Promise<Partition[]> {
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
