import { describe, expect, test } from "vitest";
import { setup, votes } from "./coordinator-fixture.ts";

describe("a silent partition", () => {
  test("[MIG5] [PLAN2] moves out of it hold up no other drain, though each order fails at once", async () => {
    const { made, clock, counts, start } = setup({ stableFor: "1s" }, 4);
    await start();
    for (const name of ["p0", "p1", "p2", "p3"]) await made.partition(name).core();
    made.unreachable.add("p1");
    await made.command({ kind: "drain", name: "p1" });
    await clock.advance(100);
    await made.command({ kind: "drain", name: "p2" });
    // Sooner than the silent moves are given up.
    await clock.advance(20_000);
    expect(counts()["p2"]).toBeUndefined();
  });

  test("[MIG5] [MEM1] stops only its own moves: others go on, drains included, and it gets its shards when it answers", async () => {
    const { made, clock, counts, start } = setup({ stableFor: "1s" }, 3);
    made.unreachable.add("p3");
    await start();
    await made.command({ kind: "add-partition", name: "p3" });
    await clock.advance(180_000);
    expect(counts()["p3"]).toBeUndefined();
    await made.command({ kind: "drain", name: "p0" });
    await clock.advance(120_000);
    // What was on its way to p3 as well: its moves were taken back, though p3 has yet to hear of that.
    expect(counts()["p0"]).toBeUndefined();
    made.unreachable.delete("p3");
    await clock.advance(120_000);
    expect(counts()["p0"]).toBeUndefined();
    expect(counts()["p3"]).toBeGreaterThan(10);
    expect((await made.coordinator.moves({ limit: 100, active: true })).length).toBe(0);
  });
});

describe("what a plan leaves for later", () => {
  test("[PLAN1] [PLAN3] an operator's rebalance goes on, batch after batch, until nothing is left", async () => {
    const { made, clock, counts, shardsOf, start } = setup({ rebalance: "off" });
    await start();
    const mine = shardsOf("p0");
    for (const shard of mine.slice(0, 20)) await made.command({ kind: "move-shard", shard, to: "p1" });
    await clock.advance(60_000);
    expect(Math.abs((counts()["p0"] ?? 0) - (counts()["p1"] ?? 0))).toBeGreaterThan(20);
    await made.command({ kind: "rebalance", strategy: "count", dryRun: false });
    await clock.advance(60_000);
    // The rule acts beyond a fifth of the ideal, 32.
    expect(Math.abs((counts()["p0"] ?? 0) - (counts()["p1"] ?? 0))).toBeLessThanOrEqual(7);
  });

  test("[PLAN3] whatever else is planned in between", async () => {
    const { made, clock, counts, shardsOf, start } = setup({ rebalance: "off" });
    await start();
    const mine = shardsOf("p0");
    for (const shard of mine.slice(0, 20)) await made.command({ kind: "move-shard", shard, to: "p1" });
    await clock.advance(60_000);
    await made.command({ kind: "rebalance", strategy: "count", dryRun: false });
    await clock.advance(100);
    await made.command({ kind: "change-partition", name: "p1", labels: { disk: "ssd" } });
    await clock.advance(120_000);
    expect(Math.abs((counts()["p0"] ?? 0) - (counts()["p1"] ?? 0))).toBeLessThanOrEqual(7);
  });

  test("[PLAN2] a shard that is vetoed keeps no other from being drained", async () => {
    const { made, clock, shardsOf } = setup({}, 3);
    await made.call("Thing", "a", "touch");
    const kept = shardsOf("p1")[0] as number;
    votes.vetoed = kept;
    await made.call("Thing", `shard#${kept}/x`, "touch");
    await made.command({ kind: "drain", name: "p1" });
    await clock.advance(300_000);
    expect(shardsOf("p1")).toEqual([kept]);
  });

  test("[PLAN2] a pin to a silent partition is not planned again and again", async () => {
    const { made, clock, map, shardsOf, start } = setup({}, 3);
    await start();
    const [mine, theirs] = [shardsOf("p0")[0] as number, shardsOf("p1")[0] as number];
    made.unreachable.add("p1");
    await made.command({ kind: "move-shard", shard: theirs, to: "p2" });
    await clock.advance(20_000);
    await made.command({ kind: "pin-shard", shard: mine, partition: "p1" });
    await clock.advance(30_000);
    const before = (await made.coordinator.moves({ limit: 1_000 })).length;
    await clock.advance(600_000);
    expect((await made.coordinator.moves({ limit: 1_000 })).length).toBe(before);
    made.unreachable.delete("p1");
    await clock.advance(120_000);
    expect(map().owner(mine)).toBe("p1");
  });

  test("[PLAN1] a placement rule that a report shows as broken is acted on, whatever the strategy", async () => {
    const placement = JSON.stringify({ rules: [{ type: "Thing", on: { disk: "ssd" } }] });
    const { made, clock, map } = setup({ rebalance: "off", placement });
    await made.call("Thing", "a", "touch");
    await made.command({ kind: "change-partition", name: "p0", labels: { disk: "ssd" } });
    const shard = Array.from({ length: 64 }, (_, n) => n).find((n) => map().owner(n) === "p1") as number;
    for (let second = 0; second < 90; second++) {
      await made.call("Thing", `shard#${shard}/x`, "touch");
      await clock.advance(1_000);
    }
    expect(map().owner(shard)).toBe("p0");
  });
});

describe("a plan that can't be made", () => {
  test("[PLAN1] is made again soon, and nothing of it is left in memory", async () => {
    const { made, clock, counts, start } = setup({ rebalance: "off" });
    await start();
    let fails = true;
    made.storage("coordinator").onQuery = (sql) => {
      if (!fails || !sql.includes("INTO decisions")) return;
      fails = false;
      throw new Error("disk I/O error");
    };
    await made.command({ kind: "drain", name: "p1" });
    await clock.advance(1_000);
    expect(fails).toBe(false);
    expect(await made.coordinator.moves({ limit: 10 })).toEqual([]);
    await clock.advance(60_000);
    expect(counts()["p1"]).toBeUndefined();
    expect(made.warnings.map(({ event }) => event)).toEqual(["a plan failed; it is made again soon"]);
  });
});
