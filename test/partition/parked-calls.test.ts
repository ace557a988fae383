import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { partitionClient } from "../../src/partition/client.ts";
import type { CallKey } from "../../src/reliable/call-record.ts";

class Job extends VirtualObject<{ total: number }> {
  static override readonly type = "Job";
  static override readonly state = z.object({ total: z.number().default(0) });
  static override readonly methods = { add: method({ request: z.object({ text: z.string() }) }) };
  add({ text }: { text: string }) {
    this.state.total += text.length;
    return this.state.total;
  }
}

/** A cluster of one partition, where every reliable call of an object without a usable row is parked. */
async function setup(ids: readonly string[]) {
  const made = new TestCluster({ objects: [Job] });
  for (const id of ids) await made.call("Job", id, "add", { text: "a" });
  made.crash("p0");
  made.storage("p0").query(`UPDATE objects SET state = '{"total":"many"}'`);
  const client = () => partitionClient(made.partition("p0"));
  const park = (id: string, callId: string, text = "b") =>
    expect(made.call("Job", id, "add", { text }, { callId })).rejects.toMatchObject({
      code: "STATE_INVALID",
      details: { status: "parked" },
    });
  return { made, client, park };
}

const ids = ["a", "b", "shard#5/c", "partition#p0/d"];

test("[CALL12] parked calls are listed in pages, with their requests and errors", async () => {
  const { made, client, park } = await setup(ids);
  for (const id of ids) for (const callId of ["c1", "c2"]) await park(id, callId);
  await made.call("Job", "fine", "add", { text: "a" }, { callId: "c" });
  const listed: string[] = [];
  for (let after: CallKey | undefined, pages = 0; pages < 10; pages++) {
    const { calls, next } = await client().parkedCalls({ limit: 3, after });
    listed.push(...calls.map(({ id, callId }) => `${id} ${callId}`));
    for (const call of calls)
      expect(call).toMatchObject({ status: "parked", request: '{"text":"b"}', error: { code: "STATE_INVALID" } });
    if (next === null) break;
    after = next;
  }
  expect(new Set(listed).size).toBe(listed.length);
  expect(listed.sort()).toEqual(ids.flatMap((id) => [`${id} c1`, `${id} c2`]).sort());
  expect((await client().parkedCalls({ limit: 10, id: "a" })).calls).toHaveLength(2);
  expect(await client().parkedCalls({ limit: 10, type: "Other" })).toEqual({ calls: [], next: null });
});

test("[CALL12] a page of large calls is short", async () => {
  const { client, park } = await setup(["a"]);
  for (let index = 0; index < 6; index++) await park("a", `c${index}`, "x".repeat(900_000));
  const { calls, next } = await client().parkedCalls({ limit: 10 });
  expect([calls.length, next?.callId]).toEqual([4, "c3"]);
  expect((await client().parkedCalls({ limit: 10, after: next as CallKey })).calls).toHaveLength(2);
});

test("[CALL12] a call that was retried or ended is no longer listed", async () => {
  const { made, client, park } = await setup(["a"]);
  await park("a", "c1");
  await park("a", "c2");
  // The trouble is mended, by a new deployment.
  made.crash("p0");
  made.storage("p0").query(`UPDATE objects SET state = '{"total":1}'`);
  expect(await client().unpark("Job", "a", "c1")).toMatchObject({ status: "pending" });
  expect(await client().failCall("Job", "a", "c2")).toMatchObject({ status: "failed" });
  expect(await client().unpark("Job", "a", "c2")).toMatchObject({ refused: expect.any(String) });
  expect(await client().unpark("Job", "a", "none")).toBeNull();
  await made.clock.advance(1_000);
  expect(await client().parkedCalls({ limit: 10 })).toEqual({ calls: [], next: null });
  expect(await made.log.find("Job", "a", "c1")).toMatchObject({ status: "success", response: "2" });
  expect(await made.log.find("Job", "a", "c2")).toMatchObject({ status: "failed" });
});

test("[CALL12][OWN1] a look at parked calls bootstraps nothing, nor does a sweep of marks", async () => {
  const made = new TestCluster({ objects: [Job] });
  const client = partitionClient(made.partition("p0"));
  expect(await client.parkedCalls({ limit: 10 })).toEqual({ calls: [], next: null });
  expect(await client.unpark("Job", "a", "c")).toBeNull();
  expect(await client.sweepMarks({ before: 0, after: null, dryRun: false })).toMatchObject({
    removed: { success: 0 },
    next: null,
  });
  expect(made.partition("p0").bootstrapped).toBe(false);
});
