import { TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { Counter } from "../../examples/counter.ts";
import { Lot } from "./lot-fixture.ts";

async function lots(partitions: number, count: number): Promise<TestCluster> {
  const cluster = new TestCluster({ objects: [Lot, Counter], partitions, config: { shards: 16 } });
  for (let n = 0; n < count; n++) {
    await cluster.object(Lot, `lot-${n}`).set({ price: n % 10, tags: [`t${n % 3}`, `u${n}`] });
  }
  return cluster;
}

/** All pages, one after the other. */
async function pages(
  cluster: TestCluster,
  options: Omit<Parameters<typeof cluster.query<typeof Lot, "price">>[1], "cursor">,
) {
  const found: string[][] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await cluster.query(Lot, { ...options, cursor });
    found.push(page.objects.map(({ id, value }) => `${id}=${value}`));
    if (page.cursor === undefined) return found;
    cursor = page.cursor;
  }
}

test.each(["asc", "desc"] as const)(
  "[IDX2] pages over all partitions have every object once, in order: %s",
  async (order) => {
    using cluster = await lots(3, 60);
    const expected = Array.from({ length: 60 }, (_, n) => [n % 10, `lot-${n}`] as const)
      .sort(([a, left], [b, right]) => a - b || (left < right ? -1 : 1))
      .map(([price, id]) => `${id}=${price}`);
    const found = await pages(cluster, { index: "price", order, limit: 7 });
    expect(found.flat()).toEqual(order === "asc" ? expected : expected.toReversed());
    expect(found.every((page) => page.length <= 7)).toBe(true);
    const some = (await pages(cluster, { index: "price", from: 3, to: 5, order, limit: 5 })).flat();
    const inRange = expected.filter((each) => /=[34]$/.test(each));
    expect(some).toEqual(order === "asc" ? inRange : inRange.toReversed());
  },
);

test("[IDX2] a query asks for a value, for bounds, or for how a text begins", async () => {
  using cluster = await lots(2, 30);
  const count = async (options: Parameters<typeof cluster.query<typeof Lot, "tags">>[1]) =>
    (await cluster.query(Lot, options)).objects.length;
  expect(await count({ index: "tags", value: "t1" })).toBe(10);
  expect(await count({ index: "tags", prefix: "u1" })).toBe(11);
  expect(await count({ index: "tags", prefix: "" })).toBe(60);
  expect(await count({ index: "tags", from: "t1", to: "t2" })).toBe(10);
  expect(await count({ index: "tags", to: "t1" })).toBe(10);
  expect(await count({ index: "tags", value: "none" })).toBe(0);
  const { objects } = await cluster.query(Lot, { index: "open", value: true, limit: 2 });
  expect(objects).toEqual([
    { id: "lot-0", value: true },
    { id: "lot-1", value: true },
  ]);
});

test.each([
  ["an unknown index", { index: "prize" }, 'Lot has no index "prize": it has open, price, tags, any'],
  [
    "two ways",
    { index: "price", value: 1, from: 2 },
    "Cannot query by value, by from and to, and by prefix at once: choose one",
  ],
  [
    "a prefix beside a bound",
    { index: "price", prefix: "a", to: "b" },
    "Cannot query by value, by from and to, and by prefix at once: choose one",
  ],
  [
    "a prefix beside a bound that is null",
    { index: "tags", prefix: "a", from: null },
    "Cannot query by value, by from and to, and by prefix at once: choose one",
  ],
  [
    "bounds of two kinds",
    { index: "price", from: 1, to: "x" },
    "Cannot query from and to: both must be texts, numbers, or true or false",
  ],
  [
    "no value",
    { index: "price", value: {} },
    "Cannot query by value: it must be a text, a number, true, false or null",
  ],
  ["a prefix of a number", { index: "price", prefix: 1 }, "Cannot query by prefix: it must be a text"],
  ["no limit", { index: "price", limit: 0 }, "Cannot use the limit: it is a whole number from 1 to 1000"],
  ["another order", { index: "price", order: "up" }, 'Cannot use the order: it is "asc" or "desc"'],
  ["a made-up cursor", { index: "price", cursor: "abc" }, "Cannot use the cursor: it is not one of an earlier page"],
])("[IDX2] refuses %s", async (_, options, message) => {
  using cluster = await lots(1, 0);
  await expect(cluster.query(Lot, options as never)).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message });
});

test("[IDX2] a cursor is good for its own index and order only, and the index of another type is none", async () => {
  using cluster = await lots(1, 3);
  const { cursor } = await cluster.query(Lot, { index: "price", limit: 1 });
  for (const options of [{ index: "open" }, { index: "price", order: "desc" }, { index: "price", from: "a" }]) {
    await expect(cluster.query(Lot, { ...options, cursor } as never)).rejects.toMatchObject({
      message: "Cannot use the cursor: it belongs to another query",
    });
  }
  await expect(cluster.query(Counter, { index: "price" as never })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});

test("[IDX2] a partition that does not answer is named, and the others' objects are found", async () => {
  using cluster = await lots(3, 30);
  const gone = cluster.ownerOf(Lot, "lot-0");
  const away = Array.from({ length: 30 }, (_, n) => `lot-${n}`).filter((id) => cluster.ownerOf(Lot, id) === gone);
  cluster.unreachable.add(gone);
  const { objects, unreachable } = await cluster.query(Lot, { index: "open", value: true });
  expect(unreachable).toEqual([gone]);
  expect(objects).toHaveLength(30 - away.length);
  expect(objects.some(({ id }) => away.includes(id))).toBe(false);
});

test("[IDX3] queries beside moves find every object, once", async () => {
  using cluster = await lots(3, 40);
  const partitions = ["p0", "p1", "p2"];
  let moving = true;
  const moves = (async () => {
    for (let n = 0; n < 12; n++) {
      await cluster.move(Lot, `lot-${n}`, { to: partitions[n % 3] as string });
    }
    moving = false;
  })();
  let asked = 0;
  while (moving) {
    const { objects } = await cluster.query(Lot, { index: "price", limit: 1_000 });
    expect(new Set(objects.map(({ id }) => id)).size).toBe(40);
    expect(objects).toHaveLength(40);
    asked++;
  }
  await moves;
  expect(asked).toBeGreaterThan(5);
});

test("[IDX3] a clock that was put back since a shard came keeps nobody from finding objects", async () => {
  using cluster = await lots(2, 10);
  const from = cluster.ownerOf(Lot, "lot-0");
  await cluster.move(Lot, "lot-0", { to: from === "p0" ? "p1" : "p0" });
  for (const name of ["p0", "p1"]) {
    cluster.storage(name).query("UPDATE shards SET claimed = claimed + 3600000 WHERE epoch > 1");
  }
  const { objects } = await cluster.query(Lot, { index: "price", limit: 100 });
  expect(objects).toHaveLength(10);
});
