import { ApiKeys } from "../../src/coordinator/api-keys.ts";
import { createHandler } from "../../src/http/handler.ts";
import type { HttpParts } from "../../src/http/ports.ts";
import { partitionClient } from "../../src/partition/client.ts";
import { maintenanceOf } from "../../src/reliable/maintenance.ts";
import type { TestCluster } from "../../src/testing/test-cluster.ts";
import { coordinatorPort } from "../support/coordinator-port.ts";

/** The HTTP interface of a host over a test's cluster. */
export function httpOf(cluster: TestCluster, changes: Partial<HttpParts> = {}) {
  return createHandler(partsOf(cluster, changes));
}

/** What it is made of. */
export function partsOf(cluster: TestCluster, changes: Partial<HttpParts> = {}): HttpParts {
  const { registry, config, router, coordinator, clock, log } = cluster;
  const connect = (name: string) => partitionClient(cluster.partition(name));
  return {
    registry,
    config,
    settings: { live: cluster.settings, follower: undefined },
    router,
    clock,
    log,
    basePath: "",
    maintenance: maintenanceOf({ log, router, config, registry, clock, connect }),
    connect,
    authenticate: undefined,
    gates: undefined,
    adminToken: "t",
    coordinator: coordinatorPort(coordinator, new ApiKeys(cluster.storage("coordinator"), clock)),
    random: { uuid: () => crypto.randomUUID() },
    onError: () => undefined,
    ...changes,
  };
}
