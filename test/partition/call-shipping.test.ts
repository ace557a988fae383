import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { CallShipping } from "../../src/partition/calls/call-shipping.ts";
import { CallTable } from "../../src/partition/calls/call-table.ts";
import { ChangeTracker } from "../../src/partition/storage/change-tracker.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { keyOfCall, type StoredCall } from "../../src/partition/storage/stored-call.ts";
import { NOW, pendingCall } from "./call-entry-fixture.ts";

const INTERVAL = 250;

function setup() {
  const storage = new SqliteStorage();
  migrate(storage);
  const time = { now: NOW };
  let barriers = 0;
  const now = () => time.now;
  const shardAt = (position: number) => position * 10;
  const changes = new ChangeTracker(storage, now);
  const table = new CallTable(storage, { name: "p0", now, shardAt, changes, fence: () => {}, logs: true });
  const barrier = async () => void barriers++;
  const shipping = new CallShipping({ table, now, shardAt, barrier, config: { logInterval: INTERVAL } });
  const accept = (call: StoredCall, bytes = 0) => {
    table.accept([call]);
    shipping.add(call.record.callId, { key: keyOfCall(call), bytes, since: call.record.acceptedAt });
  };
  const finish = (call: StoredCall) => {
    const record = { ...call.record, status: "success", response: "1", finishedAt: time.now } as const;
    table.finish([{ ...call, record, accepted: true }]);
  };
  /** Call ids of the next batch, with their statuses. */
  const next = async () => (await shipping.next())?.records.map(({ callId, status }) => `${callId} ${status}`);
  return { time, storage, table, shipping, accept, finish, next, barriers: () => barriers };
}

describe("[CALL5] what the log is to hear of", () => {
  test("is nothing while there is nothing", async () => {
    const { shipping, next, barriers } = setup();
    expect([await next(), shipping.waits, barriers()]).toEqual([undefined, false, 0]);
  });

  test("is outcomes first, then calls that have been pending for an interval; all of it durable", async () => {
    const { time, shipping, accept, finish, next, barriers } = setup();
    const [a, b, c] = [pendingCall("a", 1), pendingCall("b", 2), pendingCall("c", 3, { acceptedAt: NOW + 1 })];
    for (const call of [a, b, c]) accept(call);
    expect([await next(), shipping.waits]).toEqual([undefined, true]);
    time.now += INTERVAL - 1;
    expect(await next()).toBeUndefined();
    time.now++;
    finish(a);
    shipping.delete("a");
    shipping.delete("unknown");
    const outcomes = await shipping.next();
    expect(outcomes?.records).toMatchObject([{ callId: "a", status: "success", shard: 70 }]);
    expect(outcomes?.records[0]).not.toHaveProperty("position");
    expect(outcomes?.records[0]).not.toHaveProperty("ahead");
    expect(barriers()).toBe(1);
    if (outcomes !== undefined) shipping.shipped(outcomes);
    const calls = await shipping.next();
    expect(calls?.records.map(({ callId, request }) => [callId, request])).toEqual([["b", b.record.request]]);
    if (calls !== undefined) shipping.shipped(calls);
    expect([await next(), shipping.waits]).toEqual([undefined, true]);
    time.now++;
    expect(await next()).toEqual(["c pending"]);
  });

  test("is asked for again until the log has it", async () => {
    const { time, accept, finish, next } = setup();
    accept(pendingCall("a", 1));
    time.now += INTERVAL;
    expect([await next(), await next()]).toEqual([["a pending"], ["a pending"]]);
    finish(pendingCall("a", 1));
    expect([await next(), await next()]).toEqual([["a success"], ["a success"]]);
  });

  test("is the last outcome of a call that has come back and ended again", async () => {
    const { shipping, finish } = setup();
    finish(pendingCall("a", 1, { epoch: 1 }));
    finish(pendingCall("a", 1, { epoch: 2 }, 8));
    finish(pendingCall("a", 1, { id: "other" }, 8));
    const batch = await shipping.next();
    expect(batch?.records.map(({ id, epoch, shard }) => [id, epoch, shard])).toEqual([
      ["a", 2, 80],
      ["other", 1, 80],
    ]);
  });

  test("is no call that has ended or left since", async () => {
    const { time, table, shipping, accept, next } = setup();
    for (const [n, id] of ["a", "b", "c"].entries()) accept(pendingCall(id, n, {}, 5 + n));
    time.now += INTERVAL;
    shipping.leave((position) => position === 6);
    expect(await next()).toEqual(["a pending", "c pending"]);
    table.now(() => table.update(pendingCall("c", 3, { status: "parked" }, 7)));
    expect(await next()).toEqual(["a pending", "c parked"]);
  });

  test("is no call that has ended, and to hear of pending calls writes nothing", async () => {
    const { time, storage, shipping, accept } = setup();
    accept(pendingCall("a", 1));
    shipping.delete("a");
    expect(shipping.waits).toBe(false);
    accept(pendingCall("b", 2));
    time.now += INTERVAL;
    const batch = await shipping.next();
    storage.onQuery = (sql) => expect.fail(sql);
    if (batch !== undefined) shipping.shipped(batch);
    expect(shipping.waits).toBe(false);
  });

  test("goes on about a call that was put aside while the log heard of it", async () => {
    const { time, shipping, accept, next } = setup();
    const call = pendingCall("a", 1);
    accept(call);
    time.now += INTERVAL;
    const batch = await shipping.next();
    shipping.add("a", { key: keyOfCall(call), bytes: 0, since: NOW });
    if (batch !== undefined) shipping.shipped(batch);
    expect(await next()).toEqual(["a pending"]);
  });

  test("comes 500 calls at a time, or until so many bytes are reached, and one at least", async () => {
    const { time, shipping, accept } = setup();
    for (let n = 0; n < 501; n++) accept(pendingCall(`c${n}`, n));
    time.now += INTERVAL;
    const sizes: (number | undefined)[] = [];
    const ship = async () => {
      const batch = await shipping.next();
      sizes.push(batch?.records.length);
      if (batch !== undefined) shipping.shipped(batch);
    };
    await ship();
    await ship();
    expect(sizes).toEqual([500, 1]);
    const [third, most] = [300 * 1024, 1024 * 1024];
    for (const [n, bytes] of [third, third, third, third, 2 * most, most, 0, 1].entries())
      accept(pendingCall(`large${n}`, n), bytes);
    for (let n = 0; n < 5; n++) await ship();
    expect(sizes.slice(2)).toEqual([3, 1, 1, 2, 1]);
  });
});
