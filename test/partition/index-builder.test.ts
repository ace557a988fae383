import { type ObjectClass, VirtualObject } from "edgeverse";
import { ManualClock, SqliteStorage, TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import * as z from "zod";
import { Registry } from "../../src/object/registry.ts";
import { partitionClient } from "../../src/partition/client.ts";
import { ObjectQueries } from "../../src/router/object-queries.ts";
import { Lot } from "./lot-fixture.ts";

/** Clusters of different code over the same databases. */
function hosts(partitions = 1) {
  const clock = new ManualClock();
  const disks = new Map<string, SqliteStorage>();
  const storageOf = (name: string) => {
    const disk = disks.get(name) ?? new SqliteStorage();
    disks.set(name, disk);
    return disk;
  };
  return (...objects: ObjectClass[]) =>
    new TestCluster({ objects, partitions, clock, storageOf, config: { shards: 16 } });
}

class Unindexed extends Lot {
  static override readonly index = {} as typeof Lot.index;
}
class Renamed extends Lot {
  static override readonly index = { ...Lot.index, price: ({ price }: { price: number | null }) => price };
}

const COUNT = "SELECT count(*) AS n FROM index_entries";

async function fill(of: TestCluster, count: number) {
  for (let price = 0; price < count; price++) {
    await of.object(Lot, `lot-${price}`).set({ price, open: price % 2 === 0 });
  }
}

test("[IDX4] indexes of a class that had none are built of what is stored, and are gone when it has none again", async () => {
  const host = hosts();
  using before = host(Unindexed);
  await fill(before, 30);
  expect(before.storage("p0").query(COUNT)).toEqual([{ n: 0 }]);
  before.stop();
  using after = host(Lot);
  const { objects } = await after.query(Lot, { index: "price", limit: 3 });
  expect(objects.map(({ value }) => value)).toEqual([0, 2, 4]);
  expect((await after.query(Lot, { index: "open", value: false })).objects).toHaveLength(15);
  after.stop();
  using last = host(Unindexed);
  await last.object(Lot, "lot-1").set({ price: 5 });
  expect(last.storage("p0").query(COUNT)).toEqual([{ n: 0 }]);
  await expect(last.query(Lot, { index: "price" })).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: 'Lot has no index "price": it has none',
  });
});

test("[IDX4] an index whose function is another one is built anew; until it is, a query says so and calls go on", async () => {
  const host = hosts();
  using before = host(Lot);
  await fill(before, 700);
  before.stop();
  using after = host(Renamed);
  expect(await after.object(Lot, "lot-1").note()).toBeNull();
  const query = after.query(Renamed, { index: "price", value: 1 });
  await expect(query).rejects.toMatchObject({ code: "UNAVAILABLE", reason: "INDEX_BUILDING", retryAfter: 1 });
  await after.object(Lot, "lot-3").set({ price: 1 });
  after.crash("p0");
  await after.object(Lot, "lot-1").note();
  await after.clock.advance(5_000);
  const { objects } = await after.query(Renamed, { index: "price", value: 1 });
  expect(objects.map(({ id }) => id)).toEqual(["lot-1", "lot-3"]);
  expect((await after.query(Renamed, { index: "price", limit: 1_000 })).objects).toHaveLength(700);
});

test("[IDX4] building goes on when its process has ended, without a call", async () => {
  const host = hosts();
  using before = host(Lot);
  await fill(before, 700);
  before.stop();
  using after = host(Renamed);
  await after.object(Lot, "lot-1").note();
  after.crash("p0");
  await after.clock.advance(60_000);
  expect((await after.query(Renamed, { index: "price", limit: 1_000 })).objects).toHaveLength(700);
});

test("[IDX4] an object whose row can't be used is not found; the others are", async () => {
  const host = hosts();
  class Strict extends VirtualObject {
    static override readonly type = "Lot";
    static override readonly state = z.object({
      open: z.boolean().default(true),
      price: z.number().max(1).nullable().default(null),
    });
    static override readonly index = { price: ({ price }: { price: number | null }) => price };
  }
  using before = host(Unindexed);
  await before.object(Lot, "a").set({ price: 1 });
  before.storage("p0").query(`UPDATE objects SET state = '{"open":true,"price":1}'`);
  before
    .storage("p0")
    .query(
      "INSERT INTO objects SELECT position, type, 'b', version, replace(state, '1', '2'), 0, 0, NULL FROM objects",
    );
  before.stop();
  using after = host(Strict);
  expect((await after.query(Strict, { index: "price" })).objects).toEqual([{ id: "a", value: 1 }]);
  expect(after.warnings.filter(({ event }) => event === "objects can't be indexed")).toHaveLength(1);
});

test("[IDX3] [IDX4] a shard that comes with rows of other code is indexed before it is searched", async () => {
  const host = hosts(2);
  using before = host(Unindexed);
  await fill(before, 40);
  const [from, to] = before.ownerOf(Lot, "lot-0") === "p0" ? ["p0", "p1"] : ["p1", "p0"];
  before.stop();
  // One partition runs the new code before the other: what its rows have is taken away again.
  using after = host(Lot);
  await after.query(Lot, { index: "price" });
  const disk = after.storage(from as string);
  disk.query("UPDATE objects SET entries = NULL");
  disk.query("DELETE FROM index_entries");
  await after.move(Lot, "lot-0", { to: to as string });
  const { objects } = await after.query(Lot, { index: "price", value: 0 });
  expect(objects).toEqual([{ id: "lot-0", value: 0 }]);
});

test("[IDX4] newer code that is taken back before it has built its indexes leaves none of them behind", async () => {
  const host = hosts();
  using before = host(Lot);
  await fill(before, 700);
  before.stop();
  using newer = host(Unindexed);
  await newer.object(Lot, "lot-0").note();
  newer.stop();
  using after = host(Lot);
  const query = () => after.query(Lot, { index: "price", limit: 1_000 });
  await expect(query()).rejects.toMatchObject({ code: "UNAVAILABLE", reason: "INDEX_BUILDING" });
  await after.clock.advance(5_000);
  expect((await query()).objects).toHaveLength(350);
});

test("[IDX4] newer code that asks a partition of older code is told that indexes are being built, not what the older finds", async () => {
  class Halved extends Lot {
    static override readonly index = { ...Lot.index, price: ({ price }: { price: number | null }) => (price ?? 0) / 2 };
  }
  const host = hosts();
  using older = host(Lot);
  await fill(older, 10);
  const newer = new ObjectQueries({
    registry: new Registry([Halved]),
    router: older.router,
    connect: (name) => partitionClient(older.partition(name)),
    clock: older.clock,
  });
  await expect(newer.find("Lot", { index: "price", value: 4 })).rejects.toMatchObject({ reason: "INDEX_BUILDING" });
});
