import { TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { Counter } from "../../examples/counter.ts";
import { Lot } from "./lot-fixture.ts";

const cluster = (partitions = 1) => new TestCluster({ objects: [Lot, Counter], partitions, config: { shards: 16 } });
const entries = (of: TestCluster, partition = "p0") =>
  of
    .storage(partition)
    .query<{ name: string; value: string; id: string }>(
      "SELECT name, value, id FROM index_entries WHERE name <> 'open' ORDER BY id, name, value",
    )
    .map(({ name, value, id }) => `${id} ${name} ${value}`);
const ids = async (of: TestCluster, options: Parameters<typeof of.query<typeof Lot, "price">>[1]) =>
  (await of.query(Lot, options)).objects.map(({ id }) => id);

test("[IDX1] an index has what its function makes of the newest state: one value, several, or none", async () => {
  using c = cluster();
  const lot = c.object(Lot, "a");
  await lot.set({ price: 12, tags: ["x", "y", "x"] });
  expect(entries(c)).toEqual(["a price 12", "a tags x", "a tags y"]);
  await lot.set({ tags: ["y", "z"] });
  await lot.note();
  expect(entries(c)).toEqual(["a price 12", "a tags y", "a tags z"]);
  await lot.set({ open: false });
  expect(entries(c)).toEqual(["a tags y", "a tags z"]);
  await lot.drop();
  expect(entries(c)).toEqual([]);
});

test("[IDX1] values are told apart by what they are, and are in order: null, false, true, numbers, texts", async () => {
  using c = cluster(2);
  const values = [null, false, true, -1.5, 0, 1, 2 ** 60, 1e300, "", "0", "1", "Z", "a", "\ue000", "\u{1f600}"];
  for (const [place, value] of values.entries()) await c.object(Lot, `lot-${place}`).set({ any: value });
  const found = await c.query(Lot, { index: "any" });
  expect(found).toEqual({ objects: values.map((value, place) => ({ id: `lot-${place}`, value })), unreachable: [] });
  for (const [place, value] of values.entries()) {
    const { objects } = await c.query(Lot, { index: "any", value: value as string });
    expect(objects).toEqual([{ id: `lot-${place}`, value }]);
  }
  const { objects } = await c.query(Lot, { index: "any", order: "desc", limit: 2 });
  expect(objects.map(({ id }) => id)).toEqual(["lot-14", "lot-13"]);
});

test("[IDX1] a turn that fails is found by nothing new, and neither is one whose commit is refused", async () => {
  using c = cluster();
  const lot = c.object(Lot, "a");
  await lot.set({ price: 1 });
  await expect(lot.refuse({ price: 2 })).rejects.toMatchObject({ code: "CALL_FAILED" });
  c.storage("p0").failing = new Error("disk I/O error");
  await expect(lot.set({ price: 3 })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  c.storage("p0").failing = undefined;
  expect(entries(c)).toEqual(["a price 1"]);
  expect(await ids(c, { index: "price", value: 1 })).toEqual(["a"]);
});

test.each([
  ["throws", "throw", "its function throws"],
  ["is an object", {}, "it must be a text, a number, true, false or null"],
  ["is a list in a list", [["x"]], "it must be a text, a number, true, false or null"],
  ["is too long", "é".repeat(257), "a text has at most 512 bytes"],
  ["has a character 0", "a\0b", "a text has no character 0 and no half of a surrogate pair"],
  ["has half a character", "\ud800", "a text has no character 0 and no half of a surrogate pair"],
  ["is one of too many", Array.from({ length: 17 }, (_, n) => n), "an object has at most 16 values in it"],
])("[IDX1] an index whose value %s fails the turn", async (_, any, why) => {
  using c = cluster();
  const lot = c.object(Lot, "a");
  await lot.set({ price: 1 });
  await expect(lot.set({ any, price: 2 })).rejects.toMatchObject({
    code: "STATE_INVALID",
    message: `Cannot index Lot/a by "any": ${why}`,
  });
  expect(entries(c)).toEqual(["a price 1"]);
  await lot.set({ any: "é".repeat(256), price: 3 });
  expect(await ids(c, { index: "price" })).toEqual(["a"]);
});

test("[IDX1] an object of a type without indexes is stored as ever", async () => {
  using c = cluster();
  await c.object(Counter, "a").add({ by: 1 });
  const storage = c.storage("p0");
  expect(storage.query("SELECT entries FROM objects")).toEqual([{ entries: null }]);
  expect(entries(c)).toEqual([]);
});

test.each([
  ["a bad name", { "a b": () => 1 }, 'bad index name "a b"'],
  ["no function", { a: 1 as never }, 'its index "a" is no function of the state'],
  [
    "too many",
    Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`i${n}`, () => n])),
    "it has more than 16 indexes",
  ],
])("[IDX1] a class with indexes that can't be is not served: %s", (_, index, why) => {
  class Odd extends Lot {
    static override readonly index = index as unknown as typeof Lot.index;
  }
  expect(() => new TestCluster({ objects: [Odd] })).toThrow(`Cannot serve class Odd: ${why}`);
});

test("[IDX3] entries move with their shard, and what has left is not found", async () => {
  using c = cluster(2);
  const names = Array.from({ length: 20 }, (_, n) => `lot-${n}`);
  for (const [price, name] of names.entries()) await c.object(Lot, name).set({ price, tags: [name] });
  const [name] = names as [string];
  const from = c.ownerOf(Lot, name);
  const to = from === "p0" ? "p1" : "p0";
  await c.move(Lot, name, { to });
  expect(await ids(c, { index: "price", limit: 1000 })).toEqual(names);
  await c.object(Lot, name).set({ price: 50 });
  expect(await ids(c, { index: "price", from: 18 })).toEqual(["lot-18", "lot-19", name]);
  await c.clock.advance(60_000);
  expect(entries(c, from).filter((entry) => entry.startsWith(`${name} `))).toEqual([]);
  expect(entries(c, to).filter((entry) => entry.startsWith(`${name} `))).toEqual([
    `${name} price 50`,
    `${name} tags ${name}`,
  ]);
});
