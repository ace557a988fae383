import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorkerdCluster, type WorkerdCluster } from "../support/workerd-cluster.ts";
import { notPassed, reportOf, verify } from "./verify-process.ts";

const TOKEN = "very-secret-token";
const PARTITIONS = ["p0", "p1", "p2", "p3"];
let cluster: WorkerdCluster;

beforeAll(async () => {
  const settings = { EDGEVERSE_PARTITIONS: "4", EDGEVERSE_SHARDS: "64", EDGEVERSE_REBALANCE: "off" };
  cluster = await startWorkerdCluster(resolve("workers/index.ts"), 2, { ...settings, EDGEVERSE_ADMIN_TOKEN: TOKEN });
  // A Durable Object runs where it is first used: half of them at each instance.
  for (const [at, name] of PARTITIONS.entries()) {
    const id = encodeURIComponent(`partition#${name}/first`);
    const answer = await fetch(`${cluster.urls[at % 2]}/api/v1/objects/call/Counter/${id}/reset`, { method: "POST" });
    expect(answer.status).toBe(200);
  }
}, 120_000);
afterAll(() => cluster?.stop());

test("two workerd processes that share the Durable Objects keep every rule", { timeout: 180_000 }, async () => {
  for (const said of cluster.logs) expect(said().match(/Partition\/\w+ epoch 1 opens new/g)).toHaveLength(2);
  const verified = await verify([cluster.urls[0] as string, "--allow-reshard", "--json"], {
    EDGEVERSE_ADMIN_TOKEN: TOKEN,
  });
  const missing = new Set(notPassed(reportOf(verified)).map((line) => line.replace(/^.*?: /, "")));
  const expected = ["the cluster has several partitions that take shards", "the log of the cluster is local"];
  expect([...missing].sort()).toEqual(expected);
  expect(verified.code).toBe(0);
});
