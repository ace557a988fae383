import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { Order, Product, Van } from "../../examples/order.ts";
import { Wallet } from "../../examples/wallet.ts";
import { delivered } from "./delivered.ts";

const details = { product: "pen", count: 2, buyer: "ann", seller: "shop", van: "north" };

/** A shop with five pens for 10 each, and Ann's money. */
async function shop(money: number) {
  const cluster = new TestCluster({ objects: [Order, Product, Van, Wallet], partitions: 2 });
  await cluster.object(Product, "pen").restock({ count: 5, price: 10 });
  await cluster.object(Wallet, "ann").deposit({ amount: money });
  const place = async (id: string, change: Partial<typeof details> = {}) => {
    await cluster.object(Order, id, { callId: `place-${id}` }).place({ ...details, ...change });
    await delivered(cluster);
    const { status, reason } = await cluster.object(Order, id).view();
    return { status, reason };
  };
  const books = async () => {
    const { inStock, reserved, shipped } = await cluster.object(Product, "pen").view();
    const [ann, shop] = [
      await cluster.object(Wallet, "ann").getBalance(),
      await cluster.object(Wallet, "shop").getBalance(),
    ];
    return { inStock, reserved, shipped, ann: ann.balance, shop: shop.balance };
  };
  return { cluster, place, books };
}

describe("Order", () => {
  test("[CALL7] is reserved, paid and loaded, and ends as shipped", async () => {
    const { cluster, place, books } = await shop(50);
    expect(await place("o1")).toEqual({ status: "shipped", reason: null });
    expect(await books()).toEqual({ inStock: 3, reserved: 0, shipped: 2, ann: 30, shop: 20 });
    expect(await cluster.object(Van, "north").unload()).toEqual({ parcels: ["o1"] });
  });

  test("is cancelled when too little is in stock, when the money does not suffice, and when the van is full", async () => {
    const { cluster, place, books } = await shop(50);
    const before = await books();
    expect(await place("o1", { count: 6 })).toEqual({ status: "cancelled", reason: "OUT_OF_STOCK" });
    expect(await place("o2", { buyer: "bob" })).toEqual({ status: "cancelled", reason: "INSUFFICIENT_FUNDS" });
    expect(await books()).toEqual(before);

    await cluster.object(Product, "pen").restock({ count: 50, price: 1 });
    for (let n = 0; n < 20; n++) await place(`full${n}`, { count: 1 });
    const full = await books();
    expect(await place("o3")).toEqual({ status: "cancelled", reason: "VAN_FULL" });
    expect(await books()).toEqual(full);
    expect(await place("o4", { van: "south" })).toEqual({ status: "shipped", reason: null });
  });

  test("[CALL1] goes on through crashes, and is placed once", async () => {
    const { cluster, place, books } = await shop(50);
    for (const partition of ["p0", "p1"]) cluster.crash(partition, { afterCommits: 2 });
    expect(await place("o1")).toEqual({ status: "shipped", reason: null });
    expect(await place("o1")).toEqual({ status: "shipped", reason: null });
    await expect(cluster.object(Order, "o1").place(details)).rejects.toMatchObject({ reason: "ALREADY_PLACED" });
    expect(await books()).toEqual({ inStock: 3, reserved: 0, shipped: 2, ann: 30, shop: 20 });
  });

  test.each<[string, object]>([
    ["nothing", { count: 0 }],
    ["a part of a thing", { count: 1.5 }],
    ["too much", { count: 1_001 }],
    ["a name that could be no id later", { van: "shard#99999/x" }],
  ])("what is ordered is checked at once: %s", async (_, bad) => {
    const { cluster } = await shop(50);
    const order = cluster.object(Order, "o1").place({ ...details, ...bad });
    await expect(order).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await cluster.object(Order, "o1").view()).toMatchObject({ status: "new" });
  });

  test("[CALL7] clients can't play a step of it", async () => {
    const { cluster } = await shop(50);
    const outcome = { callId: "x", status: "success", response: { price: 0 } };
    for (const [type, method, request] of [
      ["Order", "paid", outcome],
      ["Order", "loaded", outcome],
      ["Product", "release", { count: 1 }],
      ["Van", "load", { parcel: "mine" }],
    ] as const)
      await expect(cluster.call(type, "o1", method, request, { client: true })).rejects.toMatchObject({
        code: "METHOD_NOT_FOUND",
      });
  });
});
