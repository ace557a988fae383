import type { EdgeParts } from "./ports.ts";
import type { Route } from "./route.ts";
import { auditRoute } from "./routes/admin-audit.ts";
import { callsRoute } from "./routes/admin-calls.ts";
import { cleanupRoute } from "./routes/admin-cleanup.ts";
import { clusterRoute } from "./routes/admin-cluster.ts";
import { memberRoutes } from "./routes/admin-members.ts";
import { migrationsRoute } from "./routes/admin-migrations.ts";
import { objectRoute } from "./routes/admin-object.ts";
import { objectsRoute } from "./routes/admin-objects.ts";
import { partitionRoute, partitionsRoute } from "./routes/admin-partitions.ts";
import { rebalanceRoute } from "./routes/admin-rebalance.ts";
import { shardRoute } from "./routes/admin-shard.ts";
import { shardMoveRoutes } from "./routes/admin-shard-moves.ts";
import { shardsRoute } from "./routes/admin-shards.ts";
import { wakeRoute } from "./routes/admin-wake.ts";
import { batchRoute } from "./routes/batch.ts";
import { callRoute } from "./routes/call.ts";
import { callStatusRoute } from "./routes/calls.ts";
import { healthRoute } from "./routes/health.ts";
import { lifecycleRoute } from "./routes/lifecycle.ts";
import { readyRoute } from "./routes/ready.ts";

/** Every route the edge serves, but for the document that lists them. */
export function edgeRoutes(parts: EdgeParts): Route[] {
  return [
    callRoute(parts),
    batchRoute(parts),
    lifecycleRoute(parts, "create"),
    lifecycleRoute(parts, "delete"),
    callStatusRoute(parts),
    healthRoute(),
    readyRoute(parts),
    clusterRoute(parts),
    partitionsRoute(parts),
    partitionRoute(parts),
    ...memberRoutes(parts),
    shardsRoute(parts),
    shardRoute(parts),
    ...shardMoveRoutes(parts),
    migrationsRoute(parts),
    rebalanceRoute(parts),
    auditRoute(parts),
    callsRoute(parts),
    objectsRoute(parts),
    objectRoute(parts),
    cleanupRoute(parts),
    wakeRoute(parts),
  ];
}
