import { method, VirtualObject } from "edgeverse";
import { describe, expect, test } from "vitest";
import type { MoveOrder } from "../../src/placement/move.ts";
import type { ShardMap } from "../../src/placement/shard-map.ts";
import { Auto, Box, clock, idOn, setup } from "./move-fixture.ts";

describe("halving with autoLoad shard", () => {
  test("[SPLIT1] [LIFE4] halving ends", async () => {
    const { made } = setup([Box, Auto], 8);
    for (let i = 0; i < 40; i++) await made.call("Box", `b${i}`, "add");
    await clock.advance(1_000);
    await made.command({ kind: "shard-count", count: 4, dryRun: false });
    await clock.advance(600_000);
    const view = (await made.coordinator.view()).reshard;
    expect(view).toMatchObject({ shards: 4, target: null });
  });
});

describe("late words of an old count", () => {
  test("[MIG4] [SPLIT1] a late drop of a move from before a halving harms no shard", async () => {
    const { made, map } = setup([Box], 8);
    const ids = Array.from({ length: 80 }, (_, i) => `b${i}`);
    for (const id of ids) await made.call("Box", id, "add");
    // A shard at or above 4 goes away and back, which ends properly.
    const shard = 5;
    const from = map().owner(shard);
    const to = from === "p0" ? "p1" : "p0";
    const p = await made.partition(to).core();
    // The target refuses, so that the move is undone and dropped.
    const { incoming } = p.moves;
    const real = incoming.transfer.bind(incoming);
    incoming.transfer = async () => ({ kind: "refused", reason: "test" });
    const dropped: [MoveOrder, number][] = [];
    const drop = incoming.drop.bind(incoming);
    incoming.drop = (order, epoch) => {
      dropped.push([structuredClone(order), epoch]);
      return drop(order, epoch);
    };
    await made.command({ kind: "move-shard", shard, to });
    await clock.advance(1_000);
    expect((await made.coordinator.moves({ limit: 1 }))[0]).toMatchObject({ phase: "undone" });
    incoming.transfer = real;
    await clock.advance(30_000);
    await made.command({ kind: "shard-count", count: 4, dryRun: false });
    await clock.advance(60_000);
    expect((await made.coordinator.view()).reshard).toMatchObject({ shards: 4, target: null });
    for (const id of ids) expect(await made.call("Box", id, "get")).toBe(1);
    // The network repeats a message it had kept.
    await expect(drop(...(dropped[0] as [MoveOrder, number]))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await clock.advance(5_000);
    made.crash("p0");
    made.crash("p1");
    await clock.advance(5_000);
    const lost: string[] = [];
    for (const id of ids) if ((await made.call("Box", id, "get")) !== 1) lost.push(id);
    expect(lost).toEqual([]);
    await made.command({ kind: "shard-count", count: 8, dryRun: false });
    await clock.advance(10_000);
    const owners = new Map<number, string[]>();
    for (const name of ["p0", "p1"])
      for (const [s] of (await made.partition(name).core()).ownership.owned())
        owners.set(s, [...(owners.get(s) ?? []), name]);
    expect([...owners].filter(([, names]) => names.length > 1)).toEqual([]);
  });
});

describe("a drain whose move was undone", () => {
  test("[CALL3] [SPLIT1] a doubling meanwhile leaves no reliable call behind", async () => {
    const { made, other } = setup([Box], 1, 2, { callTimeout: "60s" });
    const x = idOn(0, 2, "x");
    const y = idOn(1, 2, "y");
    await made.call("Box", x, "add");
    await made.call("Box", y, "add");
    void made.send("Box", x, "slow", { ms: 300_000 }, { timeout: 600_000 });
    const long2 = made.send("Box", y, "slow", { ms: 75_000 }, { timeout: 600_000 });
    await clock.advance(1);
    const once = made.send("Box", y, "add", undefined, { callId: "once", timeout: 590_000 });
    await clock.advance(10);
    await made.command({ kind: "move-shard", shard: 0, to: other(x) });
    await clock.advance(1_000);
    await made.command({ kind: "shard-count", count: 2, dryRun: false });
    await clock.advance(180_000);
    await long2;
    const second = made.send("Box", y, "add", undefined, { callId: "two", timeout: 100_000 });
    await clock.advance(300_000);
    expect(await Promise.all([once, second])).toMatchObject([{ kind: "response" }, { kind: "response" }]);
  });

  test("[MIG5] it lets callers in when the move is undone", async () => {
    const { made, other } = setup([Box], 1, 2, { callTimeout: "60s", moveLimit: "60s" });
    await made.call("Box", "a", "add");
    void made.send("Box", "x", "slow", { ms: 300_000 }, { timeout: 600_000 });
    await clock.advance(10);
    await made.command({ kind: "move-shard", shard: 0, to: other("a") });
    let undoneAt = 0;
    for (let t = 0; t < 900 && undoneAt === 0; t++) {
      await clock.advance(100);
      if ((await made.coordinator.moves({ limit: 1 }))[0]?.phase === "undone") undoneAt = clock.now();
    }
    expect(undoneAt).toBeGreaterThan(0);
    let at = 0;
    void made.send("Box", "a", "get").then(() => {
      at = clock.now();
    });
    await clock.advance(50_000);
    expect(at - undoneAt).toBeLessThan(3_100);
  });
});

/** A pair of shards of 8 that one partition has: neither moves when they become one. */
function pairOf(map: () => ShardMap) {
  for (let low = 0; low < 4; low++) if (map().owner(low) === map().owner(low + 4)) return low + 4;
  throw new Error("no pair");
}

describe("halving and objects named after a shard that are not in the table yet", () => {
  test("[SPLIT1] [TURN3] an acknowledged turn can be seen", async () => {
    const { made, map } = setup([Box], 8);
    await made.call("Box", "a", "add");
    const n = pairOf(map);
    const id = `shard#${n}/x`;
    const reply = made.send("Box", id, "slow", { ms: 8_000 }, { timeout: 60_000 });
    await clock.advance(10);
    await made.command({ kind: "shard-count", count: 4, dryRun: false });
    await clock.advance(20_000);
    expect(await reply).toMatchObject({ kind: "response", response: "1" });
    expect(await made.call("Box", id, "get")).toBe(1);
    expect((await made.coordinator.view()).reshard.trouble).toContain(id);
  });

  test("[SPLIT1] [CALL7] what the object of a shard has only sent is not lost", async () => {
    let told = 0;
    class Herald extends VirtualObject {
      static override readonly type = "Herald";
      static override readonly autoLoad = "shard";
      static override readonly methods = { tell: method() };
      tell() {
        // What leaves later is stored, where what is for this partition would be done at once.
        this.outbox(Box, "a", { delay: 500 }).add();
        told++;
      }
    }
    const { made } = setup([Box, Herald], 8, 1);
    const id = "shard#5/auto";
    await made.call("Herald", id, "tell");
    await clock.advance(1_000);
    const core = await made.partition("p0").core();
    const sent = made.send("Herald", id, "tell");
    for (let wait = 0; told < 2 && wait < 1_000; wait++) await Promise.resolve();
    // The turn has ended, and its commit is yet to come.
    expect([told, made.storage("p0").query("SELECT 1 FROM outbox")]).toEqual([2, []]);
    expect(await core.reshard(4, 2)).toEqual({ kind: "refused", reason: expect.stringContaining(id) });
    await clock.advance(1_000);
    expect(await sent).toMatchObject({ kind: "response" });
    expect(await made.call("Box", "a", "get")).toBe(2);
  });

  test("[SPLIT1] [CALL2] [MEM2] a pending call on such an object ends, and the process has peace then", async () => {
    const { made, map } = setup([Box], 8, 2);
    await made.call("Box", "a", "add");
    const n = pairOf(map);
    const owner = map().owner(n);
    const id = `shard#${n}/x`;
    void made.send("Box", id, "slow", { ms: 8_000 }, { callId: "k", timeout: 60_000 });
    await clock.advance(10);
    await made.command({ kind: "shard-count", count: 4, dryRun: false });
    await clock.advance(5_000);
    expect((await made.coordinator.view()).reshard).toMatchObject({ shards: 8, target: 4 });
    // The process ends for good; the alarm makes the next.
    made.crash(owner);
    await clock.advance(60_000);
    expect((await made.partition(owner).core()).reliable.open).toBe(0);
    const calls = made.storage(owner).query("SELECT id, call_id, status FROM calls");
    expect(calls).toMatchObject([{ status: "success" }]);
  });
});
