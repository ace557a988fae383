import type { EdgeParts } from "./ports.ts";
import type { Route } from "./route.ts";
import { auditRoute } from "./routes/admin-audit.ts";
import { callsRoute } from "./routes/admin-calls.ts";
import { cleanupRoute } from "./routes/admin-cleanup.ts";
import { clusterRoute } from "./routes/admin-cluster.ts";
import { migrationsRoute } from "./routes/admin-migrations.ts";
import { objectRoute } from "./routes/admin-object.ts";
import { objectsRoute } from "./routes/admin-objects.ts";
import { partitionRoute } from "./routes/admin-partition.ts";
import { addPartitionRoute } from "./routes/admin-partition-add.ts";
import { changePartitionRoute } from "./routes/admin-partition-change.ts";
import { removePartitionRoute } from "./routes/admin-partition-remove.ts";
import { partitionStateRoute } from "./routes/admin-partition-state.ts";
import { partitionsRoute } from "./routes/admin-partitions.ts";
import { rebalanceRoute } from "./routes/admin-rebalance.ts";
import { shardRoute } from "./routes/admin-shard.ts";
import { shardCountRoute } from "./routes/admin-shard-count.ts";
import { moveShardRoute } from "./routes/admin-shard-move.ts";
import { pinShardRoute } from "./routes/admin-shard-pin.ts";
import { resizeRoute } from "./routes/admin-shard-resize.ts";
import { unpinShardRoute } from "./routes/admin-shard-unpin.ts";
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
    addPartitionRoute(parts),
    changePartitionRoute(parts),
    removePartitionRoute(parts),
    partitionStateRoute(parts, "drain"),
    partitionStateRoute(parts, "cordon"),
    partitionStateRoute(parts, "uncordon"),
    shardsRoute(parts),
    shardRoute(parts),
    moveShardRoute(parts),
    pinShardRoute(parts),
    unpinShardRoute(parts),
    shardCountRoute(parts),
    resizeRoute(parts),
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
