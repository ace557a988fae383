import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { Counter } from "../../examples/counter.ts";
import { FIXED_POSITION } from "../../src/identity/hash-order.ts";

/** Is on every shard that a partition has claimed. */
class Keeper extends VirtualObject {
  static override readonly type = "Keeper";
  static override readonly autoLoad = "shard";
  static override readonly methods = { get: method({ readonly: true }) };
  get() {}
}

describe("ownership in a cluster", () => {
  test("[OWN1] the claim is written before anything of the object is read", async () => {
    const cluster = new TestCluster({ objects: [Counter] });
    await cluster.call("Counter", "warm", "get");
    const statements: string[] = [];
    cluster.storage("p0").onQuery = (sql) => statements.push(sql);
    await cluster.call("Counter", "fresh", "add", { by: 1 });
    const claim = statements.findIndex((sql) => sql.startsWith("INSERT INTO shards"));
    const read = statements.findIndex((sql) => sql.includes("FROM objects"));
    expect(claim).toBeGreaterThanOrEqual(0);
    expect(read).toBeGreaterThan(claim);
  });

  test("[OWN2] [MAP1] restarts keep every claim, its epoch and its moment", async () => {
    const cluster = new TestCluster({ objects: [Counter], partitions: 3, config: { shards: 16 } });
    for (let index = 0; index < 40; index++) await cluster.call("Counter", `c${index}`, "add", { by: 1 });
    const claims = () =>
      ["p0", "p1", "p2"].map((name) => cluster.storage(name).query("SELECT * FROM shards ORDER BY shard"));
    const before = claims();
    expect(
      before
        .flat()
        .map((row) => row["shard"])
        .sort((a, b) => Number(a) - Number(b)),
    ).toEqual([...new Set(before.flat().map((row) => row["shard"]))].sort((a, b) => Number(a) - Number(b)));
    for (const name of ["p0", "p1", "p2"]) cluster.crash(name);
    for (let index = 0; index < 40; index++) {
      expect(await cluster.call("Counter", `c${index}`, "get")).toEqual({ value: 1 });
    }
    expect(claims()).toEqual(before);
  });

  test("[ID4] objects fixed to partitions live there, reached from anywhere", async () => {
    const cluster = new TestCluster({ objects: [Counter], partitions: 3 });
    for (const name of ["p0", "p1", "p2"]) {
      await cluster.call("Counter", `partition#${name}/c`, "add", { by: 2 });
      cluster.crash(name);
      expect(await cluster.call("Counter", `partition#${name}/c`, "get")).toEqual({ value: 2 });
      expect(cluster.storage(name).query("SELECT position, id FROM objects")).toEqual([
        { position: FIXED_POSITION, id: `partition#${name}/c` },
      ]);
    }
    await expect(cluster.call("Counter", "partition#p3/c", "get")).rejects.toMatchObject({ code: "INVALID_ID" });
  });

  test("[OWN1] where a call stands, and a view of an object, write nothing: no bootstrap, no claim, no auto-loaded object", async () => {
    const cluster = new TestCluster({ objects: [Keeper], partitions: 2, config: { shards: 8 } });
    const ids = Array.from({ length: 8 }, (_, shard) => `shard#${shard}/x`);
    const look = async (id: string) => [
      await cluster.router.ask({ type: "Counter", id }, cluster.clock.now() + 1_000, (client) =>
        client.callRecord("Keeper", id, "k"),
      ),
      await cluster.router.ask({ type: "Counter", id }, cluster.clock.now() + 1_000, (client) =>
        client.describe("Keeper", id),
      ),
    ];
    const nothing = (id: string) => [
      null,
      { exists: false, shard: Number(id[6]), epoch: 1, claimedAt: null, inMemory: false },
    ];
    for (const id of ids) expect(await look(id)).toEqual(nothing(id));
    for (const name of ["p0", "p1"]) {
      expect(cluster.storage(name).query("SELECT name FROM sqlite_master")).toEqual([]);
      await cluster.call("Keeper", `partition#${name}/x`, "get");
    }
    for (const id of ids) expect(await look(id)).toEqual(nothing(id));
    for (const name of ["p0", "p1"]) {
      expect(cluster.storage(name).query("SELECT shard FROM shards")).toEqual([]);
      expect(cluster.storage(name).query("SELECT id FROM objects")).toEqual([]);
    }
  });
});
