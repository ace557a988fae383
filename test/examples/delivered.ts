import type { TestCluster } from "edgeverse/testing";

/** Lets all messages arrive that are on their way between objects, and what they lead to. */
export async function delivered(cluster: TestCluster): Promise<void> {
  const underWay = () =>
    [...cluster.storages]
      .filter(([name]) => /^p\d+$/.test(name))
      .some(([, storage]) => storage.query("SELECT 1 FROM outbox UNION ALL SELECT 1 FROM pending").length > 0);
  while (underWay()) await cluster.clock.advance(100);
}
