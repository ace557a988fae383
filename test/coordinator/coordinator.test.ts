import { describe, expect, test } from "vitest";
import { placementOf } from "../../src/identity/object-id.ts";
import { rendezvousTable } from "../../src/placement/rendezvous.ts";
import { ShardMap } from "../../src/placement/shard-map.ts";
import { setup, votes } from "./coordinator-fixture.ts";

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
    votes.all = "veto";
    await made.command({ kind: "move-shard", shard, to });
    await clock.advance(2_000);
    expect((await made.coordinator.moves({ limit: 1 }))[0]).toMatchObject({
      phase: "undone",
      trouble: "Thing vetoes the move",
    });
    await start();
    votes.all = { delay: "5m" };
    await made.command({ kind: "drain", name: from });
    await clock.advance(200_000);
    expect(map().owner(shard)).toBe(from);
    await start();
    votes.all = "allow";
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
    const reports = made.storage("coordinator").query<{ shards: string }>("SELECT shards FROM reports");
    const reported = reports.flatMap(({ shards }) => JSON.parse(shards) as { shard: number }[]);
    expect(new Set(reported.map(({ shard }) => shard))).toEqual(new Set(mine.slice(0, 8)));
    const moved = mine.slice(0, 8).filter((shard) => map().owner(shard) !== "p0");
    expect(moved.length).toBeGreaterThanOrEqual(3);
    expect(moved.length).toBeLessThanOrEqual(5);
    expect((await made.coordinator.moves({ limit: 50 })).length).toBe(moved.length);
  });
});
