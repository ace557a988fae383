import { method, VirtualObject } from "edgeverse";
import { SqliteStorage, TestCluster } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Counter } from "../../examples/counter.ts";
import { placementOf } from "../../src/identity/object-id.ts";
import { Registry } from "../../src/object/registry.ts";
import { reshard } from "../../src/partition/moves/reshard.ts";
import { Ownership } from "../../src/partition/storage/ownership.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { type Genesis, ShardMap } from "../../src/placement/shard-map.ts";
import { serves } from "../../src/placement/shard-state.ts";

async function setup(shards = 8) {
  const made = new TestCluster({ objects: [Counter], partitions: 2, config: { shards, rebalance: "off" } });
  const clock = made.clock;
  const until = async (count: number) => {
    for (let round = 0; round < 100; round++) {
      await clock.advance(100);
      const { reshard } = await made.coordinator.view();
      if (reshard.target === null && reshard.shards === count) return;
    }
    throw new Error(JSON.stringify((await made.coordinator.view()).reshard));
  };
  return { made, clock, until };
}

const ids = Array.from({ length: 60 }, (_, index) => `o${index}`);

describe("the shard count", () => {
  test("[SPLIT1] doubling relabels: nothing moves, every object is where it was", async () => {
    const { made, until } = await setup();
    for (const id of ids) await made.call("Counter", id, "add", { by: 1 });
    const before = ["p0", "p1"].map((name) => made.storage(name).query("SELECT position, type, id FROM objects"));
    await made.command({ kind: "shard-count", count: 32, dryRun: false });
    await until(32);
    expect(["p0", "p1"].map((name) => made.storage(name).query("SELECT position, type, id FROM objects"))).toEqual(
      before,
    );
    expect(await made.coordinator.moves({ limit: 10 })).toEqual([]);
    for (const id of ids) expect(await made.call("Counter", id, "add", { by: 1 })).toEqual({ value: 2 });
  });

  test("[SPLIT1] [ID3] halving brings siblings together first; objects that name their shard stay with it", async () => {
    const { made, until } = await setup();
    for (const id of ids) await made.call("Counter", id, "add", { by: 1 });
    await made.call("Counter", "shard#1/x", "add", { by: 5 });
    await made.command({ kind: "shard-count", count: 2, dryRun: false });
    await until(2);
    for (const id of ids) expect(await made.call("Counter", id, "add", { by: 1 })).toEqual({ value: 2 });
    expect(await made.call("Counter", "shard#1/x", "get")).toEqual({ value: 5 });
    const moves = await made.coordinator.moves({ limit: 50 });
    expect(moves.every(({ reason, phase }) => reason === "split" && phase === "done")).toBe(true);
  });

  test("[SPLIT1] halving waits for an object whose shard would be no more, and says so", async () => {
    const { made, clock, until } = await setup();
    await made.call("Counter", "shard#7/x", "add", { by: 5 });
    await made.command({ kind: "shard-count", count: 4, dryRun: false });
    await clock.advance(3_000);
    expect((await made.coordinator.view()).reshard.trouble).toContain("shard#7/x");
    expect(await made.call("Counter", "shard#7/x", "get")).toEqual({ value: 5 });
    await made.lifecycle("delete", "Counter", "shard#7/x");
    await until(4);
  });

  test("[SPLIT1] [LIFE4] halving takes only the objects that autoLoad has made, not one whose name is alike", async () => {
    class Per extends VirtualObject {
      static override readonly type = "Per";
      static override readonly autoLoad = "shard";
      static override readonly methods = { touch: method() };
      touch() {
        this.store.put("kept", true);
      }
    }
    const made = new TestCluster({ objects: [Per], config: { shards: 8, rebalance: "off" } });
    for (const id of ["shard#6/auto", "shard#6/AUTO"]) await made.call("Per", id, "touch");
    const halve = async () => (await made.partition("p0").core()).reshard(4, 2);
    expect(await halve()).toEqual({ kind: "refused", reason: expect.stringContaining("shard#6/AUTO") });
    const stored = () =>
      made
        .storage("p0")
        .query("SELECT id FROM objects WHERE id LIKE 'shard#6/%'")
        .map(({ id }) => id);
    expect(stored()).toEqual(["shard#6/AUTO", "shard#6/auto"]);
    await made.lifecycle("delete", "Per", "shard#6/AUTO");
    expect(await halve()).toEqual({ kind: "done" });
    expect(stored()).toEqual([]);
  });

  test("[SPLIT1] pins apart refuse it; one pin draws the other shard to it", async () => {
    const { made, until } = await setup();
    const owner = (shard: number) => new ShardMap(made.coordinator.map() as never).owner(shard);
    await made.call("Counter", "a", "add", { by: 1 });
    await made.command({ kind: "pin-shard", shard: 1, partition: "p0" });
    await made.command({ kind: "pin-shard", shard: 5, partition: "p1" });
    await made.clock.advance(1_000);
    await expect(made.command({ kind: "shard-count", count: 4, dryRun: false })).rejects.toMatchObject({
      code: "CONFLICT",
    });
    await made.command({ kind: "unpin-shard", shard: 1 });
    await made.command({ kind: "shard-count", count: 4, dryRun: false });
    await until(4);
    expect(owner(1)).toBe("p1");
  });

  test("[SPLIT1] a late order of an earlier change is refused", async () => {
    const { made, until } = await setup();
    for (const id of ids) await made.call("Counter", id, "add", { by: 1 });
    const core = await made.partition("p1").core();
    const heard: [shards: number, version: number][] = [];
    const resharded = core.reshard.bind(core);
    core.reshard = (...order) => {
      heard.push(order);
      return resharded(...order);
    };
    await made.command({ kind: "shard-count", count: 16, dryRun: false });
    await until(16);
    await made.command({ kind: "shard-count", count: 32, dryRun: false });
    await until(32);
    expect(heard.map(([shards]) => shards)).toEqual([16, 32]);
    expect(await resharded(...(heard[0] as [number, number]))).toMatchObject({ kind: "refused" });
    expect(core.ownership.shards).toBe(32);
    expect(await resharded(...(heard[1] as [number, number]))).toEqual({ kind: "done" });
    for (const id of ids) expect(await made.call("Counter", id, "add", { by: 1 })).toEqual({ value: 2 });
  });

  test("[SPLIT1] [MEM1] doubling back up to the founding count changes no owner, whoever came meanwhile", async () => {
    const { made, clock, until } = await setup(64);
    for (const id of ids) await made.call("Counter", id, "add", { by: 1 });
    await made.command({ kind: "shard-count", count: 32, dryRun: false });
    await until(32);
    await made.command({ kind: "add-partition", name: "p2" });
    await made.command({ kind: "add-partition", name: "p3" });
    await clock.advance(1_000);
    const map = () => new ShardMap(made.coordinator.map() as never);
    const before = Array.from({ length: 32 }, (_, shard) => map().owner(shard));
    await made.command({ kind: "shard-count", count: 64, dryRun: false });
    await until(64);
    expect(Array.from({ length: 64 }, (_, shard) => map().owner(shard))).toEqual([...before, ...before]);
    await made.command({ kind: "shard-count", count: 1, dryRun: false });
    await until(1);
    for (const id of ids) expect(await made.call("Counter", id, "add", { by: 1 })).toEqual({ value: 2 });
  });

  test("[SPLIT1] a process that can't write any more does not say that it has counted anew, nor before it is durable", async () => {
    const { made } = await setup();
    await made.call("Counter", "a", "add", { by: 1 });
    const [name = ""] = [...(made.coordinator.map()?.genesis.members ?? [])].map((member) => member.name);
    const core = await made.partition(name).core();
    const storage = made.storage(name);
    storage.failing = new Error("this process has been replaced");
    await expect(core.reshard(8, 1)).rejects.toThrow("replaced");
    storage.failing = undefined;
    let durable = () => {};
    storage.barrier = () => new Promise((resolve) => (durable = resolve));
    let said = false;
    const counted = core.reshard(16, 1).then((reply) => {
      said = true;
      return reply;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(said).toBe(false);
    durable();
    expect(await counted).toEqual({ kind: "done" });
  });

  test("[SPLIT1] [OWN1] [OWN2] any partition's table: doubling and halving back changes nothing, epochs only grow", () => {
    const genesis: Genesis = { shards: 8, members: ["p0", "p1"].map((name) => ({ name, weight: 1 })) };
    fc.assert(
      fc.property(fc.array(fc.constantFrom("none", "owned", "gone"), { minLength: 8, maxLength: 8 }), (kinds) => {
        const storage = new SqliteStorage();
        migrate(storage);
        Ownership.bootstrap(storage, "p0", genesis, 8);
        const ownership = new Ownership("p0", genesis, storage, new Registry([]));
        kinds.forEach((kind, shard) => {
          if (kind === "none") return;
          // Shards of the other one come by a move.
          if (ownership.claim(shard, 1) === undefined) {
            ownership.apply(shard, { kind: "stage", move: 1, from: "p1", epoch: 2 }, 1);
            ownership.apply(shard, { kind: "verify", move: 1 }, 1);
            ownership.apply(shard, { kind: "activate", move: 1 }, 1);
          }
          if (kind !== "gone") return;
          ownership.apply(shard, { kind: "offer", move: 2, to: "p1" }, 1);
          ownership.apply(shard, { kind: "commit", move: 2 }, 1);
        });
        storage.query("UPDATE shards SET dirty = 0");
        const before = new Map(ownership.records);
        const served = (id: string) => ownership.locate(placementOf(id), 1).kind;
        const where = ids.map(served);
        expect(reshard(storage, ownership, { shards: 32, version: 2 }, 1)).toEqual({ kind: "done" });
        expect(ids.map(served)).toEqual(where);
        expect(reshard(storage, ownership, { shards: 8, version: 3 }, 1)).toEqual({ kind: "done" });
        expect(ids.map(served)).toEqual(where);
        for (const [shard, record] of before) {
          const after = ownership.record(shard);
          expect(serves(after?.state)).toBe(serves(record.state));
          expect(after?.state.epoch).toBeGreaterThanOrEqual(record.state.epoch);
        }
      }),
      { numRuns: 40 },
    );
  });
});
