import * as z from "zod";
import type { PartitionStatus } from "../../router/views.ts";
import { ADMIN_LIMIT, askPartitions } from "../ask-partitions.ts";
import type { HttpParts } from "../ports.ts";
import { respond } from "../respond.ts";
import type { Route } from "../route.ts";
import { about, count, moment } from "../schemas.ts";
import { askCoordinator, coordinatorView } from "./coordinator.ts";
import { moveCounts } from "./moves.ts";
import { memberSchema } from "./partition-view.ts";
import { shardCountBody, shardCountSchema } from "./shard-count.ts";

/** Version of Edgeverse, as an operator and the OpenAPI document see it. A test keeps it equal to `package.json`. */
export const VERSION = "0.1.0";

const methodSchema = z.object({
  name: z.string(),
  readonly: z.boolean(),
  log: z.enum(["write-ahead", "write-behind"]),
});
const clusterSchema = z
  .object({
    version: z.string(),
    shards: count,
    mapVersion: count,
    partitions: z.array(
      z.object({
        name: z.string(),
        weight: z.number(),
        state: memberSchema.shape.state.optional(),
        labels: memberSchema.shape.labels.optional(),
        reachable: z.boolean(),
      }),
    ),
    coordinator: z.object({
      reachable: z.boolean(),
      bootstrapped: z.boolean().optional(),
      bootstrappedAt: moment.optional(),
    }),
    moves: moveCounts.nullable().register(about, { description: "Null when the coordinator can't be asked" }),
    shardCount: shardCountSchema.nullable(),
    log: z.enum(["postgres", "local"]).register(about, { description: "Where the log of reliable calls is" }),
    totals: z.object({
      claimedShards: count,
      objectsInMemory: count,
      bytesInMemory: count,
      waitingTurns: count,
      openCalls: count,
    }),
    types: z.array(z.object({ type: z.string(), methods: z.array(methodSchema) })),
  })
  .register(about, { id: "Cluster" });

/** `GET /admin/v1/cluster`: the whole at a glance. Totals are of the partitions that answered. */
export function clusterRoute(parts: HttpParts): Route {
  return {
    doc: {
      id: "getCluster",
      tag: "cluster",
      method: "get",
      path: "/admin/v1/cluster",
      summary: "See the cluster at a glance",
      answers: { 200: { description: "The cluster, as far as it can be reached", schema: clusterSchema } },
    },
    handle: async (context) => {
      await parts.router.refresh();
      const [coordinator, view, answers] = await Promise.all([
        statusOf(parts),
        coordinatorView(parts),
        askPartitions(parts, ADMIN_LIMIT, (client) => client.status()),
      ]);
      const { document, shards } = parts.router.map;
      const members = new Map(
        view?.members.map(({ name, weight, state, labels }) => [name, { weight, state, labels }]),
      );
      const statuses = answers.filter((answer) => answer.ok).map((answer) => answer.value);
      const cluster: z.input<typeof clusterSchema> = {
        version: VERSION,
        shards,
        mapVersion: document.version,
        partitions: parts.router.map.members.map(({ name, weight }, index) => {
          const member = members.get(name);
          return { name, ...(member ?? { weight }), reachable: answers[index]?.ok === true };
        }),
        coordinator,
        moves: view?.moves ?? null,
        shardCount: view === undefined ? null : shardCountBody(view.reshard),
        log: parts.log === undefined ? "local" : "postgres",
        totals: totals(statuses),
        types: parts.registry.types.map(({ type, methods }) => ({
          type,
          methods: [...methods.values()].map(({ name, readonly, log }) => ({ name, readonly, log })),
        })),
      };
      return respond(JSON.stringify(cluster), context.requestId);
    },
  };
}

function totals(statuses: readonly PartitionStatus[]) {
  const sum = (pick: (status: PartitionStatus) => number) => statuses.reduce((all, status) => all + pick(status), 0);
  return {
    claimedShards: sum((status) => status.shards),
    objectsInMemory: sum((status) => status.objectsInMemory),
    bytesInMemory: sum((status) => status.bytesInMemory),
    waitingTurns: sum((status) => status.waitingTurns),
    openCalls: sum((status) => status.openCalls),
  };
}

async function statusOf(parts: HttpParts) {
  try {
    const { bootstrapped, bootstrappedAt } = await askCoordinator(parts, (coordinator) => coordinator.status());
    const since = bootstrappedAt === null ? {} : { bootstrappedAt: new Date(bootstrappedAt).toISOString() };
    return { reachable: true, bootstrapped, ...since };
  } catch {
    return { reachable: false };
  }
}
