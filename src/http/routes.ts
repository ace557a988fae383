import { explainAccessRoute } from "./admin/access.ts";
import { apiKeyRoutes } from "./admin/api-keys.ts";
import { auditRoute } from "./admin/audit.ts";
import { loggedCallRoutes } from "./admin/calls.ts";
import { clusterRoute } from "./admin/cluster.ts";
import { configRoutes } from "./admin/config.ts";
import { eventRoutes } from "./admin/events.ts";
import { gateRoutes } from "./admin/gates.ts";
import { moveRoutes } from "./admin/moves.ts";
import { objectRoutes } from "./admin/objects.ts";
import { partitionRoutes } from "./admin/partitions.ts";
import { rebalanceRoute } from "./admin/rebalance.ts";
import { shardCountRoutes } from "./admin/shard-count.ts";
import { shardRoutes } from "./admin/shards.ts";
import { batchRoute } from "./api/batch.ts";
import { callRoute } from "./api/call.ts";
import { callStatusRoute, cancelCallRoute } from "./api/calls.ts";
import { eventStreamRoute } from "./api/event-stream.ts";
import { socketRoute } from "./api/events.ts";
import { healthRoutes } from "./api/health.ts";
import { lifecycleRoutes } from "./api/lifecycle.ts";
import { openApiRoute } from "./api/openapi.ts";
import { queryRoute } from "./api/query.ts";
import { rootRoute } from "./api/root.ts";
import type { HttpParts } from "./ports.ts";
import type { Route } from "./route.ts";

/** Every route. */
export function httpRoutes(parts: HttpParts): Route[] {
  const routes = [
    callRoute(parts),
    batchRoute(parts),
    ...lifecycleRoutes(parts),
    callStatusRoute(parts),
    cancelCallRoute(parts),
    queryRoute(parts),
    socketRoute(parts),
    eventStreamRoute(parts),
    rootRoute(parts),
    ...healthRoutes(parts),
    clusterRoute(parts),
    ...partitionRoutes(parts),
    ...gateRoutes(parts),
    ...shardRoutes(parts),
    ...shardCountRoutes(parts),
    ...moveRoutes(parts),
    rebalanceRoute(parts),
    auditRoute(parts),
    ...configRoutes(parts),
    explainAccessRoute(parts),
    ...apiKeyRoutes(parts),
    ...loggedCallRoutes(parts),
    ...eventRoutes(parts),
    ...objectRoutes(parts),
  ];
  return [...routes, openApiRoute(parts, routes)];
}
