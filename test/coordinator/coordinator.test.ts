import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { placementOf } from "../../src/identity/object-id.ts";
import type { MoveVote, ShardMove } from "../../src/object/virtual-object.ts";
import { rendezvousTable } from "../../src/placement/rendezvous.ts";
import { ShardMap } from "../../src/placement/shard-map.ts";

let vote: MoveVote;
/** A shard that may not move; -1 for none. */
let vetoed = -1;

class Thing extends VirtualObject {
  static override readonly type = "Thing";
  static override readonly methods = { touch: method() };
  static override onMove({ shard }: ShardMove): MoveVote {
    return shard === vetoed ? "veto" : vote;
  }
  touch() {}
}

function setup(config: Record<string, string | number> = {}, partitions = 2) {
  vote = "allow";
  vetoed = -1;
  const made = new TestCluster({
    objects: [Thing],
    partitions,
    config: { shards: 64, stableFor: "10ms", moveCooldown: "1ms", ...config },
  });
  const clock = made.clock;
  const map = () => new ShardMap(made.coordinator.map() as never);
  const counts = () => {
    const sums: Record<string, number> = {};
    for (let shard = 0; shard < map().shards; shard++) sums[map().owner(shard)] = (sums[map().owner(shard)] ?? 0) + 1;
    return sums;
  };
  const start = () => made.call("Thing", "a", "touch");
  return { made, clock, map, counts, start };
}

describe("membership", () => {
  test("[MEM1] [MAP2] a change of members changes no owner; moves then bring every shard to its base", async () => {
    // Balancing numbers would move a few more.
    const { made, clock, map, start } = setup({ rebalanceThreshold: 5 });
    await start();
    const before = Array.from({ length: 64 }, (_, shard) => map().owner(shard));
    await made.coordinator.execute({ kind: "add-partition", name: "p2" }, { actor: "t", requestId: "r" });
    expect(Array.from({ length: 64 }, (_, shard) => map().owner(shard))).toEqual(before);
    expect((await made.coordinator.notes()).every(({ why }) => why === "held")).toBe(true);
    await clock.advance(10_000);
    const base = rendezvousTable(
      64,
      ["p0", "p1", "p2"].map((name) => ({ name, weight: 1 })),
    );
    expect(Array.from({ length: 64 }, (_, shard) => map().owner(shard))).toEqual(base);
    expect(made.coordinator.map()?.exceptions).toEqual([]);
  });

  test("[MEM1] a drain goes on after the coordinator's process ended, and ends with nothing owned", async () => {
    const { made, clock, counts, start } = setup();
    await start();
    await made.command({ kind: "drain", name: "p1" });
    for (let round = 0; round < 12; round++) {
      await clock.advance(7);
      made.crashCoordinator();
    }
    await clock.advance(20_000);
    expect(counts()).toEqual({ p0: 64 });
    expect([...(await made.partition("p1").core()).ownership.owned()]).toEqual([]);
    expect((await made.coordinator.view()).members).toMatchObject([{ name: "p0" }, { name: "p1", drained: true }]);
  });

  test("[SPLIT1] [MEM2] a coordinator that ends while it waits for a partition is woken for the rest", async () => {
    const { made, clock, start } = setup();
    await start();
    const core = await made.partition("p1").core();
    core.reshard = () => new Promise(() => {});
    await made.command({ kind: "shard-count", count: 128, dryRun: false });
    await clock.advance(1_000);
    expect(made.storage("coordinator").wake).not.toBeNull();
    // The alarm comes, is used up, and the coordinator still waits.
    made.storage("coordinator").wake = null;
    await made.coordinator.wake();
    expect(made.storage("coordinator").wake).not.toBeNull();
    made.crash("p1");
    made.crashCoordinator();
    await clock.advance(20_000);
    expect((await made.coordinator.view()).reshard).toMatchObject({ shards: 128, target: null });
    expect(made.storage("coordinator").wake).toBeNull();
  });

  test("[MEM1] [PLAN3] every change of membership is planned for, a removal too", async () => {
    const { made, clock, start } = setup();
    await start();
    await made.command({ kind: "drain", name: "p1" });
    await clock.advance(20_000);
    const plans = async () =>
      made
        .storage("coordinator")
        .query<{ n: number }>("SELECT count(*) AS n FROM decisions WHERE cause = 'membership'")[0]?.n ?? 0;
    const before = await plans();
    await made.command({ kind: "remove-partition", name: "p1" });
    await clock.advance(1_000);
    expect(await plans()).toBe(before + 1);
  });

  test("[MEM1] cordon, weights, labels and pins survive the coordinator", async () => {
    const { made, clock, start } = setup();
    await start();
    await made.command({ kind: "cordon", name: "p1" });
    await made.command({ kind: "change-partition", name: "p0", weight: 3, labels: { zone: "a" } });
    await made.command({ kind: "pin-shard", shard: 9 });
    await clock.advance(5_000);
    made.crashCoordinator();
    expect((await made.coordinator.view()).members).toMatchObject([
      { name: "p0", weight: 3, labels: { zone: "a" } },
      { name: "p1", state: "cordoned" },
    ]);
    expect((await made.coordinator.notes()).find(({ shard }) => shard === 9)).toMatchObject({ pinned: true });
  });

  test("[MEM2] when all is done there is no alarm and no timer left", async () => {
    const { made, clock, start } = setup();
    await start();
    await made.command({ kind: "add-partition", name: "p2" });
    await clock.advance(60_000);
    expect(made.storage("coordinator").wake).toBeNull();
    for (const name of ["p0", "p1", "p2"]) expect(made.storage(name).wake, name).toBeNull();
    expect(clock.timers).toBe(0);
  });
});

describe("types that object", () => {
  test("[MIG7] a veto undoes the move, a delay puts it off; neither harms the shard", async () => {
    const { made, clock, map, start } = setup({ rebalance: "off" });
    await start();
    const shard = map().shard(placementOf("a")) as number;
    const from = map().owner(shard);
    const to = from === "p0" ? "p1" : "p0";
    vote = "veto";
    await made.command({ kind: "move-shard", shard, to });
    await clock.advance(2_000);
    expect((await made.coordinator.moves({ limit: 1 }))[0]).toMatchObject({
      phase: "undone",
      trouble: "Thing vetoes the move",
    });
    await start();
    vote = { delay: "5m" };
    await made.command({ kind: "drain", name: from });
    await clock.advance(200_000);
    expect(map().owner(shard)).toBe(from);
    await start();
    vote = "allow";
    await clock.advance(400_000);
    expect(map().owner(shard)).toBe(to);
    await start();
  });
});

describe("a target that is away", () => {
  test("[MIG5] [MIG6] the move is undone after the stall, found and logged as stuck before; the source serves on", async () => {
    const { made, clock, map, start } = setup({ rebalance: "off" });
    await start();
    const shard = map().shard(placementOf("a")) as number;
    const from = map().owner(shard);
    const to = from === "p0" ? "p1" : "p0";
    const target = await made.partition(to).core();
    target.moves.incoming.transfer = () => Promise.reject(new Error("gone"));
    await made.command({ kind: "move-shard", shard, to });
    await clock.advance(45_000);
    expect((await made.coordinator.moves({ limit: 1 }))[0]).toMatchObject({
      phase: "copying",
      stuck: true,
      trouble: "gone",
    });
    expect(made.warnings.some(({ event }) => event === "a move is stuck")).toBe(true);
    await start();
    await clock.advance(30_000);
    expect((await made.coordinator.moves({ limit: 1 }))[0]).toMatchObject({ phase: "undone" });
    expect(map().owner(shard)).toBe(from);
    await start();
  });

  test("[MIG3] [MIG5] a copy that differs is not taken: undone, and the source serves on", async () => {
    const { made, clock, map, start } = setup({ rebalance: "off" });
    await start();
    const shard = map().shard(placementOf("a")) as number;
    const from = map().owner(shard);
    const to = from === "p0" ? "p1" : "p0";
    const { incoming } = (await made.partition(to).core()).moves;
    const transfer = incoming.transfer.bind(incoming);
    incoming.transfer = (chunk) =>
      transfer({
        ...chunk,
        rows: chunk.rows.map((row) => (row.kind === 0 ? { ...row, values: [1, '{"x":1}', 0, 0] } : row)),
      });
    await made.command({ kind: "move-shard", shard, to });
    await clock.advance(5_000);
    const [move] = await made.coordinator.moves({ limit: 1 });
    expect(move).toMatchObject({ phase: "undone" });
    expect(move?.trouble).toContain("differs");
    expect(made.storage(to).query("SELECT * FROM objects")).toEqual([]);
    expect(map().owner(shard)).toBe(from);
    await start();
  });
});

describe("a silent partition", () => {
  test("[MIG5] [PLAN2] moves out of it hold up no other drain, though each order fails at once", async () => {
    const { made, clock, counts, start } = setup({ stableFor: "1s" }, 4);
    await start();
    for (const name of ["p0", "p1", "p2", "p3"]) await made.partition(name).core();
    const real = made.partition.bind(made);
    made.partition = (name) => {
      if (name === "p1") throw new Error("unreachable");
      return real(name);
    };
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
    // What waits for p3 itself stays where it is until p3 answers: as many as may move at once.
    expect(counts()["p0"] ?? 0).toBeLessThanOrEqual(4);
    made.unreachable.delete("p3");
    await clock.advance(120_000);
    expect(counts()["p0"]).toBeUndefined();
    expect(counts()["p3"]).toBeGreaterThan(10);
    expect((await made.coordinator.moves({ limit: 100, active: true })).length).toBe(0);
  });
});

describe("what a plan leaves for later", () => {
  test("[PLAN1] [PLAN3] an operator's rebalance goes on, batch after batch, until nothing is left", async () => {
    const { made, clock, counts, map, start } = setup({ rebalance: "off" });
    await start();
    const mine = Array.from({ length: 64 }, (_, shard) => shard).filter((shard) => map().owner(shard) === "p0");
    for (const shard of mine.slice(0, 20)) await made.command({ kind: "move-shard", shard, to: "p1" });
    await clock.advance(60_000);
    expect(Math.abs((counts()["p0"] ?? 0) - (counts()["p1"] ?? 0))).toBeGreaterThan(20);
    await made.command({ kind: "rebalance", strategy: "count", dryRun: false });
    await clock.advance(60_000);
    // The rule acts beyond a fifth of the ideal, 32.
    expect(Math.abs((counts()["p0"] ?? 0) - (counts()["p1"] ?? 0))).toBeLessThanOrEqual(7);
  });

  test("[PLAN3] whatever else is planned in between", async () => {
    const { made, clock, counts, map, start } = setup({ rebalance: "off" });
    await start();
    const mine = Array.from({ length: 64 }, (_, shard) => shard).filter((shard) => map().owner(shard) === "p0");
    for (const shard of mine.slice(0, 20)) await made.command({ kind: "move-shard", shard, to: "p1" });
    await clock.advance(60_000);
    await made.command({ kind: "rebalance", strategy: "count", dryRun: false });
    await clock.advance(100);
    await made.command({ kind: "change-partition", name: "p1", labels: { disk: "ssd" } });
    await clock.advance(120_000);
    expect(Math.abs((counts()["p0"] ?? 0) - (counts()["p1"] ?? 0))).toBeLessThanOrEqual(7);
  });

  test("[PLAN2] a shard that is vetoed keeps no other from being drained", async () => {
    const { made, clock, map } = setup({}, 3);
    const of = (name: string) => Array.from({ length: 64 }, (_, shard) => shard).filter((n) => map().owner(n) === name);
    await made.call("Thing", "a", "touch");
    const kept = of("p1")[0] as number;
    vetoed = kept;
    await made.call("Thing", `shard#${kept}/x`, "touch");
    await made.command({ kind: "drain", name: "p1" });
    await clock.advance(300_000);
    expect(of("p1")).toEqual([kept]);
  });

  test("[PLAN2] a pin to a silent partition is not planned again and again", async () => {
    const { made, clock, map, start } = setup({}, 3);
    await start();
    const of = (name: string) => Array.from({ length: 64 }, (_, shard) => shard).filter((n) => map().owner(n) === name);
    const [mine, theirs] = [of("p0")[0] as number, of("p1")[0] as number];
    const real = made.partition.bind(made);
    let silent = true;
    made.partition = (name) => {
      if (name === "p1" && silent) throw new Error("unreachable");
      return real(name);
    };
    await made.command({ kind: "move-shard", shard: theirs, to: "p2" });
    await clock.advance(20_000);
    await made.command({ kind: "pin-shard", shard: mine, partition: "p1" });
    await clock.advance(30_000);
    const before = (await made.coordinator.moves({ limit: 1_000 })).length;
    await clock.advance(600_000);
    expect((await made.coordinator.moves({ limit: 1_000 })).length).toBe(before);
    silent = false;
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

describe("load", () => {
  test("[PLAN1] [MEM2] partitions with traffic report it, others nothing; the load strategy acts on it", async () => {
    const { made, clock, map } = setup({ rebalance: "load", rebalanceThreshold: 0.1, moveCooldown: "1s" });
    const mine = Array.from({ length: 64 }, (_, shard) => shard).filter((shard) => {
      const genesis = new ShardMap({ version: 0, genesis: made.genesis, exceptions: [] });
      return genesis.owner(shard) === "p0";
    });
    for (let round = 0; round < 130; round++) {
      for (const shard of mine.slice(0, 8)) await made.call("Thing", `shard#${shard}/x`, "touch");
      await clock.advance(500);
    }
    const loads = made.storage("coordinator").query<{ shard: number }>("SELECT shard FROM loads");
    expect(new Set(loads.map(({ shard }) => shard))).toEqual(new Set(mine.slice(0, 8)));
    const moved = mine.slice(0, 8).filter((shard) => map().owner(shard) !== "p0");
    expect(moved.length).toBeGreaterThanOrEqual(3);
    expect(moved.length).toBeLessThanOrEqual(5);
    expect((await made.coordinator.moves({ limit: 50 })).length).toBe(moved.length);
  });
});
