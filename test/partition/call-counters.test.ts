import { method, VirtualObject } from "edgeverse";
import { ManualClock, TestCluster } from "edgeverse/testing";
import { afterEach, expect, test } from "vitest";
import * as z from "zod";
import { pendingCounts } from "../../src/partition/calls/pending-counts.ts";
import { partitionClient } from "../../src/partition/client.ts";
import { storePending } from "../../src/partition/storage/call-rows.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { SqliteStorage } from "../../src/testing/sqlite-storage.ts";
import { callRecord } from "../support/call-records.ts";

let release = () => {};

class Job extends VirtualObject {
  static override readonly type = "Job";
  static override readonly methods = {
    work: method(),
    refuse: method({ request: z.object({ why: z.string() }) }),
    wait: method({ timeout: "1m" }),
  };
  work() {}
  refuse({ why }: { why: string }) {
    this.fail("NO", why);
  }
  async wait() {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
  }
}

let cluster: TestCluster;
afterEach(() => cluster.stop());

const counters = () => partitionClient(cluster.partition("p0")).callCounters();

test.each(["postgres", "local"])("[CALL17] a partition counts outcomes, repetitions and time; log %s", async (log) => {
  const clock = new ManualClock();
  cluster = new TestCluster({ objects: [Job], clock, ...(log === "local" ? { log: false } : {}) });
  for (let n = 0; n < 3; n++) await cluster.object(Job, "a", { callId: "same" }).work();
  await cluster.object(Job, "b", { callId: "c" }).work();
  for (let n = 0; n < 2; n++)
    await cluster
      .object(Job, "a", { callId: "no" })
      .refuse({ why: "no" })
      .catch(() => undefined);
  await cluster.object(Job, "a").work();
  const { since } = await counters();
  expect(since).toMatchObject({ success: 2, failed: 1, expired: 0, parked: 0, retried: 0, replayed: 3 });
  expect(since.latency.counts.reduce((total, count) => total + count, 0)).toBe(3);
  await clock.advance(5_000);
  const { batch, lag } = (await counters()).since;
  expect(batch.sum).toBe(log === "local" ? 0 : 3);
  expect(lag.sum > 0).toBe(log === "postgres");
});

test("[CALL17] a partition counts what waits: calls by shard, and outcomes for a log that is away", async () => {
  const clock = new ManualClock();
  cluster = new TestCluster({ objects: [Job], clock, config: { shards: 4 } });
  cluster.log.down = true;
  const began = clock.now();
  const [first, second] = ["shard#1/a", "shard#2/b"] as const;
  await cluster.object(Job, first, { callId: "done" }).work();
  const waiting = [cluster.object(Job, first, { callId: "w" }).wait()];
  waiting.push(
    cluster.object(Job, first, { callId: "line" }).work(),
    cluster.object(Job, second, { callId: "w" }).wait(),
  );
  await clock.advance(100);
  const { pending, backlog } = await counters();
  expect(pending).toMatchObject({ pending: 3, parked: 0, complete: true });
  expect(pending.shards).toMatchObject([
    { shard: 1, pending: 2 },
    { shard: 2, pending: 1 },
  ]);
  expect(pending.oldest).toBeGreaterThanOrEqual(began);
  expect(pending.oldest).toBeLessThanOrEqual(clock.now());
  expect(backlog).toMatchObject({ records: 1, oldest: expect.any(Number) });
  await clock.advance(2_000);
  expect((await counters()).backlog.failures).toBeGreaterThan(0);
  for (const call of waiting) call.catch(() => undefined);
  release();
});

test("[CALL17] looks at a bounded number of calls, and names the 100 shards with the most", () => {
  cluster = new TestCluster({ objects: [Job] });
  const storage = new SqliteStorage();
  migrate(storage);
  const open = { status: "pending", response: null, finishedAt: null } as const;
  storePending(
    storage,
    Array.from({ length: 150 }, (_, n) => ({
      seq: n + 1,
      position: n,
      log: "write-behind" as const,
      crashes: 0,
      logged: true,
      record: callRecord({ ...open, acceptedAt: 1_000 + n, ...(n === 3 ? { status: "parked" } : {}) }),
    })),
  );
  const all = pendingCounts(storage, (position) => (position < 10 ? 0 : position));
  expect(all).toMatchObject({ pending: 149, parked: 1, oldest: 1_000, complete: true });
  expect(all.shards).toHaveLength(100);
  expect(all.shards[0]).toEqual({ shard: 0, pending: 9, oldest: 1_000 });
  expect(pendingCounts(storage, () => 0, 50)).toMatchObject({ pending: 49, parked: 1, complete: false });
});
