import { ManualClock, TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { partitionClient } from "../../src/partition/client.ts";
import { newCallId } from "../../src/reliable/call-id.ts";
import { Clock, clocks, START } from "./reminders-fixture.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

/** Clocks that clients ask over the router, to ring under a call id at a time. */
function scheduling(...setting: Parameters<typeof clocks>) {
  return around(clocks(...setting));
}

function around(made: ReturnType<typeof clocks>) {
  const { cluster } = made;
  const { clock } = cluster;
  const ring = (id: string, callId: string, notBefore?: number, text = callId, expiresAt?: number) => {
    const message = cluster.message("Clock", id, "ring", { text }, { callId });
    const reliable = { callId, answer: notBefore === undefined ? "outcome" : "accepted" } as const;
    const times = {
      ...(notBefore === undefined ? {} : { notBefore }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
    return clock.until(cluster.router.call({ ...message, reliable: { ...reliable, ...times } }));
  };
  const owner = (id: string) => partitionClient(cluster.partition(cluster.ownerOf(Clock, id)));
  const status = (id: string, callId: string) => owner(id).callRecord("Clock", id, callId);
  const hashOf = async (id: string, callId: string) => {
    const found = await clock.until(owner(id).callRecord("Clock", id, callId));
    return found !== null && "requestHash" in found ? found.requestHash : "none";
  };
  const cancel = async (id: string, callId: string, hash?: string) =>
    clock.until(owner(id).cancelCall("Clock", id, callId, hash ?? (await hashOf(id, callId))));
  const rang = async (id: string) => (await cluster.object(Clock, id).read()).length;
  return { ...made, ring, status, hashOf, cancel, rang };
}

const accepted = (callId: string, notBefore: number) => ({ kind: "accepted", callId, notBefore });

test("[TIME7] a call waits for its time, is shown as waiting, and then runs once, as its caller's", async () => {
  const { cluster, ring, status, rang, rows } = scheduling();
  const at = START + HOUR;
  for (let copy = 0; copy < 3; copy++) expect(await ring("ann", "k", at)).toEqual(accepted("k", at));
  expect([rows(), await cluster.object(Clock, "ann").list()]).toEqual([[{ name: " k", due: at }], []]);
  expect(await status("ann", "k")).toMatchObject({
    status: "pending",
    notBefore: at,
    acceptedAt: START,
    caller: '{"kind":"worker"}',
  });
  await cluster.clock.advance(HOUR - SECOND);
  expect(await rang("ann")).toBe(0);
  await cluster.clock.advance(2 * SECOND);
  expect([await rang("ann"), rows()]).toEqual([1, []]);
  expect(await status("ann", "k")).toMatchObject({ status: "success" });
  expect(await cluster.object(Clock, "ann").read()).toEqual(["undefined undefined undefined"]);
  expect(await ring("ann", "k", at)).toMatchObject({ kind: "response", replayed: true });
  await cluster.clock.advance(DAY);
  expect(await rang("ann")).toBe(1);
});

test("[TIME7] a time that has passed is now; another time takes the place of the first; without one it is called at once", async () => {
  const { cluster, ring, status, rang, rows } = scheduling();
  expect(await ring("ann", "past", START - HOUR)).toEqual({ kind: "accepted", callId: "past" });
  await ring("ann", "later", START + HOUR);
  await ring("ann", "later", START + 2 * HOUR);
  await Promise.all([ring("ann", "now", START + DAY), ring("ann", "now")]);
  expect(rows()).toEqual([{ name: " later", due: START + 2 * HOUR }]);
  expect(await status("ann", "now")).toMatchObject({ status: "success" });
  await cluster.clock.advance(HOUR);
  expect(await rang("ann")).toBe(2);
  await cluster.clock.advance(2 * DAY);
  expect(await rang("ann")).toBe(3);
});

test("[TIME7] [CALL1] its id stands for one method and request, while it waits too", async () => {
  const { ring, rows } = scheduling();
  await ring("ann", "k", START + HOUR, "one");
  const reused = { kind: "error", error: { code: "CALL_ID_REUSED" } };
  expect(await ring("ann", "k", START + HOUR, "other")).toMatchObject(reused);
  expect(await ring("ann", "k", undefined, "other")).toMatchObject(reused);
  await ring("ann", "done", undefined, "one");
  expect(await ring("ann", "done", START + HOUR, "other")).toMatchObject(reused);
  expect(await ring("ann", "done", START + HOUR, "one")).toMatchObject({ kind: "response", replayed: true });
  expect(rows()).toHaveLength(1);
});

test("[TIME7] [CALL9] an id that grows old while it waits is not refused, though marks of its age are gone", async () => {
  const { cluster, ring, rang } = scheduling(1, { retention: "1d" });
  const [old, fresh] = [START - 2 * DAY, START].map((time) => newCallId(time, "00000000-0000-4000-8000-000000000000"));
  expect(await ring("ann", old as string, START + HOUR)).toMatchObject({ error: { code: "EXPIRED_CALL_ID" } });
  await ring("ann", fresh as string, START + 3 * DAY);
  await cluster.clock.advance(4 * DAY);
  expect(await rang("ann")).toBe(1);
  expect(await ring("ann", fresh as string, START + 3 * DAY)).toMatchObject({ kind: "response" });
});

test("[TIME7] it survives a crash at any commit, and moves with its object", async () => {
  for (let afterCommits = 0; afterCommits < 5; afterCommits++) {
    const { cluster, ring, rang, rows, on } = scheduling(2);
    const id = on("p0", "ann");
    await cluster.object(Clock, id).read();
    cluster.crash("p0", { afterCommits });
    for (let copy = 0; copy < 2; copy++) await ring(id, "k", START + HOUR);
    await cluster.clock.until(cluster.move(Clock, id, { to: "p1" }));
    await cluster.clock.advance(10 * SECOND);
    expect([rows("p0"), rows("p1")]).toEqual([[], [{ name: " k", due: START + HOUR }]]);
    // What came with the shard is known there: it does not run beside itself.
    expect(await ring(id, "k")).toMatchObject({ kind: "response" });
    await cluster.clock.advance(DAY);
    expect([await rang(id), rows("p1")]).toEqual([1, []]);
    cluster.stop();
  }
});

test("[TIME7] it runs when its partition is back, and expires if that is too late", async () => {
  const made = scheduling();
  await made.ring("ann", "k", START + HOUR);
  await made.ring("ann", "short", START + HOUR, "short", START + HOUR + SECOND);
  made.cluster.stop();
  const later = around(made.again(START + DAY));
  expect(await later.cluster.object(Clock, "ann").list()).toEqual([]);
  await later.cluster.clock.advance(60 * SECOND);
  expect(await later.rang("ann")).toBe(1);
  expect(await later.status("ann", "k")).toMatchObject({ status: "success" });
  expect(await later.status("ann", "short")).toMatchObject({ status: "expired" });
});

test("[TIME7] it stays when its object is deleted, as any reliable call does", async () => {
  const { cluster, ring, rang, rows } = scheduling();
  const ann = cluster.object(Clock, "ann");
  await ann.set({ name: "tea", time: { after: HOUR } });
  await ring("ann", "k", START + HOUR);
  await cluster.delete(Clock, "ann");
  expect(rows()).toEqual([{ name: " k", due: START + HOUR }]);
  await cluster.clock.advance(2 * HOUR);
  expect(await rang("ann")).toBe(1);
});

test("[TIME8] it can be cancelled as long as it waits", async () => {
  const { cluster, ring, status, cancel, rang, rows } = scheduling();
  await ring("ann", "k", START + HOUR);
  expect(await cancel("ann", "k")).toMatchObject({ callId: "k", notBefore: START + HOUR });
  expect([await cancel("ann", "k"), await status("ann", "k"), rows()]).toEqual([null, null, []]);
  await ring("ann", "done", START + SECOND);
  await cluster.clock.advance(DAY);
  expect(await cancel("ann", "done")).toEqual({ refused: "the call is success" });
  expect(await rang("ann")).toBe(1);
});

test("[TIME8] only the call that was looked at is cancelled, not another of its id", async () => {
  const { ring, cancel, hashOf, rows } = scheduling();
  await ring("ann", "k", START + HOUR, "one");
  const hash = await hashOf("ann", "k");
  expect(await cancel("ann", "k")).toMatchObject({ callId: "k" });
  await ring("ann", "k", START + HOUR, "another");
  expect(await cancel("ann", "k", hash)).toBeNull();
  expect(rows()).toHaveLength(1);
});

test("[TIME7] a thousand calls of an object may wait, and no more; those of others do", async () => {
  const { ring, rows } = scheduling();
  const calls = Array.from({ length: 1_005 }, (_, n) => ring("ann", `k${n}`, START + HOUR));
  const refused = (await Promise.all(calls)).filter(({ kind }) => kind === "error");
  expect(refused).toHaveLength(5);
  expect(refused[0]).toMatchObject({ error: { code: "OVERLOADED", retryable: true } });
  expect(await ring("ann", "k1", START + 2 * HOUR)).toEqual(accepted("k1", START + 2 * HOUR));
  expect(await ring("bob", "k", START + HOUR)).toEqual(accepted("k", START + HOUR));
  expect(rows()).toHaveLength(1_001);
});

test("[TIME7] [TIME6] what is too late, or too much, is refused", async () => {
  const { ring, rows } = scheduling(1, { reminders: 2_000 });
  expect(await ring("ann", "k", START + 101 * 366 * DAY)).toMatchObject({ error: { code: "INVALID_ARGUMENT" } });
  for (const callId of ["a", "b", "c"]) await ring("ann", callId, START + HOUR);
  expect(await ring("ann", "d", START + HOUR)).toMatchObject({ error: { code: "OVERLOADED" } });
  expect(rows()).toHaveLength(3);
});

test("[TIME7] [CALL6] without a log that could have it first, a write-ahead call is refused at once", async () => {
  const cluster = new TestCluster({ objects: [Clock], log: false, clock: new ManualClock(START) });
  const message = cluster.message("Clock", "ann", "ring", { text: "a" }, { callId: "k" });
  const reliable = { callId: "k", answer: "accepted", log: "write-ahead", notBefore: START + HOUR } as const;
  const reply = await cluster.clock.until(cluster.router.call({ ...message, reliable }));
  expect(reply).toMatchObject({ error: { code: "LOG_UNAVAILABLE", retryable: false } });
  expect(cluster.storage("p0").query("SELECT name FROM reminders")).toEqual([]);
});

test("[TIME8] a call that is sent again without a time, and so runs, is not cancelled", async () => {
  const { ring, cancel, hashOf, rang } = scheduling();
  await ring("ann", "k", START + HOUR);
  const hash = await hashOf("ann", "k");
  const [reply, cancelled] = await Promise.all([ring("ann", "k"), cancel("ann", "k", hash)]);
  expect([reply.kind, cancelled]).toEqual(["response", { refused: "the call is pending" }]);
  expect(await rang("ann")).toBe(1);
});

test("[TIME8] a call that is sent again while it is cancelled waits anew", async () => {
  const { cluster, ring, hashOf, rang } = scheduling();
  const { clock } = cluster;
  await ring("ann", "k", START + HOUR);
  const partition = cluster.partition("p0");
  const { calls } = await partition.core();
  const message = cluster.message("Clock", "ann", "ring", { text: "k" }, { callId: "k" });
  const again = { ...message, reliable: { callId: "k", answer: "accepted", notBefore: START + HOUR } } as const;
  const hash = await hashOf("ann", "k");
  await clock.until(Promise.all([calls.cancel("Clock", "ann", "k", hash), partition.call(again)]));
  await clock.advance(2 * HOUR);
  expect(await rang("ann")).toBe(1);
});

test("[TIME7] a call that is on its way into the table is known when a shard comes, and ends its waiting as it runs", async () => {
  const { cluster, ring, rows } = scheduling();
  const partition = cluster.partition("p0");
  const { work } = await partition.core();
  const message = cluster.message("Clock", "ann", "ring", { text: "k" }, { callId: "k" });
  const waits = { callId: "k", answer: "accepted", notBefore: START + HOUR } as const;
  const kept = partition.call({ ...message, reliable: waits });
  work.reminders.resume();
  await Promise.all([cluster.clock.until(kept), ring("bob", "other")]);
  expect(await ring("ann", "k")).toMatchObject({ kind: "response" });
  expect(rows()).toEqual([]);
});
