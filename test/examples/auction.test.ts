import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { Auction } from "../../examples/auction.ts";
import { Wallet } from "../../examples/wallet.ts";
import { delivered } from "./delivered.ts";

/** Two bidders with 100 each, and an auction of a minute. */
async function begun() {
  const cluster = new TestCluster({ objects: [Auction, Wallet], partitions: 2 });
  for (const bidder of ["ann", "bob"]) await cluster.object(Wallet, bidder).deposit({ amount: 100 });
  const auction = cluster.object(Auction, "vase");
  await auction.open({ seller: "shop", seconds: 60 });
  const bid = async (bidder: string, amount: number) => {
    await auction.bid({ bidder, amount });
    await delivered(cluster);
  };
  const money = async () => {
    const wallets = ["ann", "bob", "shop"].map((id) => cluster.object(Wallet, id).getBalance());
    return (await Promise.all(wallets)).map(({ balance }) => balance);
  };
  const end = async () => {
    await cluster.clock.advance(60_000);
    await delivered(cluster);
  };
  return { cluster, auction, bid, money, end };
}

describe("Auction", () => {
  test("the highest bid is kept, and who was outbid has his money back", async () => {
    const { auction, bid, money } = await begun();
    await bid("ann", 30);
    expect(await money()).toEqual([70, 100, 0]);
    await bid("bob", 40);
    expect(await money()).toEqual([100, 60, 0]);
    const low = auction.bid({ bidder: "ann", amount: 40 });
    await expect(low).rejects.toMatchObject({ code: "CALL_FAILED", reason: "TOO_LOW" });
    await bid("ann", 101); // more than she has
    expect(await auction.view()).toMatchObject({ best: { bidder: "bob", amount: 40 }, asked: [] });
    expect(await money()).toEqual([100, 60, 0]);
  });

  test("[TIME1] closes itself at its time, also when its process ended meanwhile, and pays the seller once", async () => {
    const { cluster, auction, bid, money, end } = await begun();
    await bid("ann", 30);
    await cluster.clock.advance(50_000);
    expect(await auction.view()).toMatchObject({ status: "open" });
    for (const partition of ["p0", "p1"]) cluster.crash(partition);
    await end();
    expect(await auction.view()).toMatchObject({ status: "closed", best: { bidder: "ann", amount: 30 } });
    expect(await money()).toEqual([70, 100, 30]);
    await expect(auction.bid({ bidder: "bob", amount: 50 })).rejects.toMatchObject({ reason: "NOT_OPEN" });
    await expect(auction.open({ seller: "shop", seconds: 1 })).rejects.toMatchObject({ reason: "OPENED_BEFORE" });
    await expect(cluster.call("Auction", "vase", "close", undefined, { client: true })).rejects.toMatchObject({
      code: "METHOD_NOT_FOUND",
    });
  });

  test("a bid that is paid after the end gets its money back", async () => {
    const { cluster, money, end } = await begun();
    const wallet = cluster.ownerOf(Wallet, "ann");
    const auction = cluster.object(Auction, `partition#${wallet === "p0" ? "p1" : "p0"}/lamp`);
    await auction.open({ seller: "shop", seconds: 60 });
    cluster.unreachable.add(wallet);
    await auction.bid({ bidder: "ann", amount: 30 });
    await cluster.clock.advance(60_000);
    expect(await auction.view()).toMatchObject({ status: "closed", best: null });
    cluster.unreachable.delete(wallet);
    await end();
    expect(await auction.view()).toMatchObject({ best: null, asked: [] });
    expect(await money()).toEqual([100, 100, 0]);
  });

  test("[IDX1] those that are open are found, the next one to end first", async () => {
    const { cluster, end } = await begun();
    await cluster.object(Auction, "lamp").open({ seller: "shop", seconds: 90 });
    await cluster.object(Auction, "book").open({ seller: "shop", seconds: 30 });
    await cluster.object(Auction, "none").view();
    const open = async () => (await cluster.query(Auction, { index: "open" })).objects.map(({ id }) => id);
    expect(await open()).toEqual(["book", "vase", "lamp"]);
    await end();
    expect(await open()).toEqual(["lamp"]);
  });

  test.each([0, 1.5, 2_592_001])("it is open for a second to 30 days, not %d s", async (seconds) => {
    const { cluster } = await begun();
    const open = cluster.object(Auction, "lamp").open({ seller: "shop", seconds });
    await expect(open).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});
