import type { TestCluster } from "edgeverse/testing";

/** Lets all messages arrive that are on their way, and what they lead to. */
export async function delivered(cluster: TestCluster): Promise<void> {
  const underWay = () =>
    [...cluster.storages]
      .filter(([name]) => name !== "coordinator")
      .some(([, storage]) => storage.query("SELECT 1 FROM outbox UNION ALL SELECT 1 FROM pending").length > 0);
  while (underWay()) await cluster.clock.advance(100);
}
