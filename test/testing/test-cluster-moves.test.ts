import { TestCluster } from "edgeverse/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { hand, pair, startAgain, Wallet } from "./wallet-fixture.ts";

beforeEach(startAgain);

describe("moves", () => {
  test("[MIG1] an object is moved there and back, with what it holds", async () => {
    const { cluster, here } = pair();
    const wallet = cluster.object(Wallet, here);
    await wallet.deposit({ amount: 3 });
    for (const to of ["p1", "p0", "p0"]) {
      await cluster.move(Wallet, here, { to });
      expect(cluster.ownerOf(Wallet, here)).toBe(to);
      expect(cluster.storage(to).query("SELECT id FROM objects")).toEqual([{ id: here }]);
      expect(await wallet.balance()).toBe(3);
    }
  });

  test("an object that was never called can be moved", async () => {
    const { cluster, there } = pair();
    await cluster.move(Wallet, there, { to: "p0" });
    expect(cluster.ownerOf(Wallet, there)).toBe("p0");
    expect(await cluster.object(Wallet, there).deposit({ amount: 1 })).toBe(1);
  });

  test("[MIG5] calls that come during a move are answered", async () => {
    const { cluster, here, there } = pair();
    await cluster.object(Wallet, here).deposit({ amount: 1 });
    const moved = cluster.move(Wallet, here, { to: "p1" });
    const calls = [1, 2, 3].map(() => cluster.object(Wallet, here).deposit({ amount: 1 }));
    const others = [1, 2, 3].map(() => cluster.object(Wallet, there).payInto({ other: here }));
    await Promise.all([moved, ...calls, ...others]);
    expect(await cluster.object(Wallet, here).balance()).toBe(7);
  });

  test("[MIG7] a move that a class refuses says so", async () => {
    const { cluster, here } = pair();
    await cluster.object(Wallet, here).deposit({ amount: 1 });
    hand.vote = "veto";
    const move = cluster.move(Wallet, here, { to: "p1" });
    await expect(move).rejects.toMatchObject({ code: "CONFLICT", message: expect.stringContaining("Wallet") });
    expect(cluster.ownerOf(Wallet, here)).toBe("p0");
  });

  test("a move nowhere, and of what can't move, is refused", async () => {
    const { cluster, here } = pair();
    await expect(cluster.move(Wallet, here, { to: "p7" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(cluster.ownerOf(Wallet, "partition#p1/fixed")).toBe("p1");
    const fixed = cluster.move(Wallet, "partition#p1/fixed", { to: "p0" });
    await expect(fixed).rejects.toMatchObject({ code: "INVALID_ID" });
  });

  test("[MEM1] [MIG4] a move goes on when the coordinator and both partitions crash", async () => {
    const { cluster, here } = pair();
    await cluster.object(Wallet, here).deposit({ amount: 3 });
    const moved = cluster.move(Wallet, here, { to: "p1" });
    await cluster.clock.advance(1);
    cluster.crashCoordinator();
    cluster.crash("p0");
    cluster.crash("p1");
    await moved;
    expect(cluster.ownerOf(Wallet, here)).toBe("p1");
    expect(await cluster.object(Wallet, here).balance()).toBe(3);
  });
});

describe("the log", () => {
  test("[CALL6] while it is down write-ahead calls are refused and write-behind calls go on", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    cluster.log.down = true;
    const ahead = cluster.object(Wallet, "ann", { callId: "a", log: "write-ahead" }).deposit({ amount: 1 });
    await expect(ahead).rejects.toMatchObject({ code: "LOG_UNAVAILABLE", retryable: true });
    expect(await cluster.object(Wallet, "ann", { callId: "b" }).deposit({ amount: 1 })).toBe(1);
    await cluster.clock.advance(10_000);
    expect(cluster.log.rows).toEqual([]);
    cluster.log.down = false;
    await cluster.clock.advance(60_000);
    expect(cluster.log.rows).toMatchObject([{ callId: "b", status: "success" }]);
  });

  test("[CALL6] a cluster may have none", async () => {
    const cluster = new TestCluster({ objects: [Wallet], log: false });
    const ahead = cluster.object(Wallet, "ann", { callId: "a", log: "write-ahead" }).deposit({ amount: 1 });
    await expect(ahead).rejects.toMatchObject({ code: "LOG_UNAVAILABLE", retryable: false });
  });
});
