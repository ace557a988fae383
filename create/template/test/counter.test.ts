import { TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { Counter } from "../src/counter.ts";

test("counters add, each for itself, and remember it after a crash", async () => {
  const cluster = new TestCluster({ objects: [Counter] });
  const a = cluster.object(Counter, "a");
  await a.add({ by: 2 });
  expect(await a.add({ by: 3 })).toEqual({ value: 5 });

  cluster.crash(cluster.ownerOf(Counter, "a"));
  expect(await a.get()).toEqual({ value: 5 });
  expect(await cluster.object(Counter, "b").get()).toEqual({ value: 0 });
});

test("a counter refuses what is no positive number", async () => {
  const cluster = new TestCluster({ objects: [Counter] });
  const adding = cluster.object(Counter, "a").add({ by: 0 });
  await expect(adding).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});
