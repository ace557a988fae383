import { expect, it } from "vitest";
import { CallCounters } from "../../src/observe/call-counters.ts";
import { httpFixture, patiently } from "./http-fixture.ts";

const ACCEPTED = Date.UTC(2026, 10, 21, 12);

it("[CALL17] counters are of each partition and of all; one that is silent is named", async () => {
  const http = httpFixture({ names: ["p0", "p1", "p2"] });
  const [p0, p1, p2] = [...http.partitions.values()];
  if (p0 === undefined || p1 === undefined || p2 === undefined) throw new Error("no partitions");
  p2.state = "silent";
  const counters = new CallCounters();
  counters.ended("success", 7);
  const shards = [{ shard: 3, pending: 2, oldest: ACCEPTED }];
  const pending = { pending: 2, parked: 1, oldest: ACCEPTED, shards, complete: false };
  const backlog = { records: 5, bytes: 500, oldest: ACCEPTED + 1_000, failures: 2 };
  p0.counters = { pending, backlog, since: counters.values };
  p1.counters = { ...p1.counters, since: counters.values };
  const answer = await patiently(http, http.admin("calls/counters"));
  expect(answer.status).toBe(200);
  const { total, partitions, unreachable } = (await answer.json()) as Record<string, object[]>;
  expect(total).toMatchObject({
    pending: 2,
    parked: 1,
    oldest: "2026-11-21T12:00:00.000Z",
    complete: false,
    backlog: { records: 5, bytes: 500, oldest: "2026-11-21T12:00:01.000Z", failures: 2 },
    since: { success: 2, failed: 0, latency: { sum: 14 } },
  });
  expect(partitions).toMatchObject([
    { partition: "p0", shards: [{ shard: 3, pending: 2, oldest: "2026-11-21T12:00:00.000Z" }], since: { success: 1 } },
    { partition: "p1", pending: 0, oldest: null, shards: [], backlog: { oldest: null }, since: { success: 1 } },
  ]);
  expect(unreachable).toEqual(["p2"]);
});
