import { EdgeverseError } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { bug, hand, Other, pair, startAgain, Wallet } from "./wallet-fixture.ts";

beforeEach(startAgain);

describe("calls", () => {
  test("[OBJ5] a stub answers with the response; a millisecond has passed", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    const before = cluster.clock.now();
    expect(await cluster.object(Wallet, "ann").deposit({ amount: 3 })).toBe(3);
    expect(cluster.clock.now()).toBe(before + 1);
  });

  test("a refusal is an EdgeverseError with its reason and details", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    const error = await cluster.object(Wallet, "ann").withdraw({ amount: 1 }).catch(String);
    expect(error).toBe("EdgeverseError: balance is 0");
    const again = cluster.object(Wallet, "ann").withdraw({ amount: 1 });
    await expect(again).rejects.toBeInstanceOf(EdgeverseError);
    await expect(again).rejects.toMatchObject({
      code: "CALL_FAILED",
      reason: "INSUFFICIENT_FUNDS",
      details: { amount: 1 },
    });
  });

  test("[CALL1] options make a call reliable and say who calls", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    const identity = { id: "ann@example.com", roles: [] };
    const calls = cluster.object(Wallet, "ann", { callId: "c1", identity });
    expect(await calls.who()).toEqual({ who: "ann@example.com", callId: "c1" });
    await expect(calls.deposit({ amount: 1 })).rejects.toMatchObject({ code: "CALL_ID_REUSED" });
  });

  test("a class that is not served, an id or an option that can't be are refused at once", () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    expect(() => cluster.object(Other, "a")).toThrow('No object type "Other" is served here');
    expect(() => cluster.ownerOf(Other, "a")).toThrow('No object type "Other" is served here');
    expect(() => cluster.object(Wallet, "")).toThrow(EdgeverseError);
    expect(() => cluster.object(Wallet, "a", { timeout: -1 })).toThrow("timeout");
  });

  test("what a method throws by mistake is the cause of its caller's error, also across objects", async () => {
    const { cluster, here, there } = pair();
    for (const call of [
      () => cluster.object(Wallet, here).broken(),
      () => cluster.object(Wallet, here).breakOther({ other: there }),
      () => cluster.call("Wallet", here, "broken"),
    ]) {
      const error: unknown = await call().catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "INTERNAL" });
      expect((error as Error).cause).toBe(bug);
    }
    expect(new Set(cluster.thrown)).toEqual(new Set([bug]));
  });

  test("create and delete say what they did", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    expect(await cluster.create(Wallet, "ann")).toBe(true);
    expect(await cluster.create(Wallet, "ann")).toBe(false);
    await cluster.object(Wallet, "ann").deposit({ amount: 3 });
    await cluster.delete(Wallet, "ann");
    expect(await cluster.object(Wallet, "ann").balance()).toBe(0);
  });

  test("calls that overlap wait for each other as in production", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    const ann = cluster.object(Wallet, "ann");
    const slow = ann.slowly();
    const after = ann.deposit({ amount: 10 });
    await cluster.clock.advance(100);
    hand.gate.resolve();
    expect(await Promise.all([slow, after])).toEqual([1, 11]);
  });

  test("a method may wait for what no clock of ours drives", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    for (let round = 0; round < 20; round++) {
      const digest = await cluster.object(Wallet, "ann").digest({ text: "abc" });
      expect(digest).toMatch(/^ba7816bf/);
    }
  });

  test("[TURN6] a call goes on to a deadline that is near", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    await expect(cluster.object(Wallet, "ann").never()).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  test("[TURN6] a deadline that is far comes when the test moves the clock", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    const call = cluster.object(Wallet, "ann", { timeout: 60_000 }).slowly();
    const before = cluster.clock.now();
    await expect(cluster.clock.until(call)).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(cluster.clock.now()).toBe(before + 60_000);
  });

  test("a test that replaces timers by fakes does not stop the cluster", async () => {
    vi.useFakeTimers();
    try {
      const cluster = new TestCluster({ objects: [Wallet] });
      expect(await cluster.object(Wallet, "ann").digest({ text: "abc" })).toMatch(/^ba78/);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("crashes", () => {
  test("[TURN3] what was answered is there again, and what was not is lost", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    const ann = cluster.object(Wallet, "ann");
    await ann.deposit({ amount: 3 });
    const lost = ann.slowly();
    await cluster.clock.advance(1);
    cluster.crash("p0");
    await expect(lost).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: false });
    expect(await ann.balance()).toBe(3);
  });

  test("[TURN3] [CALL1] after which commit ever it ends, a reliable call is answered and ran once", async () => {
    const { cluster, here, there } = pair();
    for (let n = 1; n <= 8; n++) {
      for (const owner of ["p0", "p1"]) cluster.crash(owner, { afterCommits: Math.ceil(n / 2) });
      const call = cluster.object(Wallet, here, { callId: `c${n}` }).payReliably({ other: there });
      expect(await cluster.clock.until(call)).toBe(n);
    }
    expect(await cluster.object(Wallet, there).balance()).toBe(8);
  });

  test("[TURN3] a plain call whose commit was the last is not answered, and happened", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    const ann = cluster.object(Wallet, "ann");
    await ann.deposit({ amount: 3 });
    cluster.crash("p0", { afterCommits: 1 });
    await expect(ann.deposit({ amount: 4 })).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: false });
    expect(await ann.balance()).toBe(7);
  });

  test("[CALL3] accepted calls go on by the alarm when nobody asks", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    const ann = cluster.object(Wallet, "ann", { callId: "c1", timeout: 20 });
    const call = ann.slowly();
    await expect(call).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED", details: { status: "pending" } });
    cluster.crash("p0");
    hand.gate.resolve();
    await cluster.clock.advance(10_000);
    expect(cluster.log.rows).toMatchObject([{ id: "ann", callId: "c1", status: "success", response: "1" }]);
  });

  test("what an ended process still does has no effect, here or elsewhere", async () => {
    const { cluster, here, there } = pair();
    const call = cluster.object(Wallet, here).slowlyPayInto({ other: there });
    await cluster.clock.advance(1);
    cluster.crash("p0");
    await expect(call).rejects.toMatchObject({ code: "UNAVAILABLE" });
    hand.gate.resolve();
    await cluster.clock.advance(60_000);
    for (const id of [here, there]) expect(await cluster.object(Wallet, id).balance()).toBe(0);
    expect(cluster.thrown).toEqual([]);
    expect(cluster.warnings).toEqual([]);
  });

  test("[CALL2] a partition that nothing reaches answers when it can be reached again", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    cluster.unreachable.add("p0");
    const plain = cluster.object(Wallet, "ann").deposit({ amount: 1 });
    const reliable = cluster.object(Wallet, "ann", { callId: "c" }).deposit({ amount: 1 });
    await expect(plain).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await cluster.clock.advance(5_000);
    cluster.unreachable.delete("p0");
    await cluster.clock.advance(5_000);
    expect(await reliable).toBe(1);
  });

  test("[CALL3] a partition that nothing reaches goes on with what it has accepted", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    const call = cluster.object(Wallet, "ann", { callId: "c1", timeout: 20 }).slowly();
    await expect(call).rejects.toMatchObject({ details: { status: "pending" } });
    cluster.unreachable.add("p0");
    cluster.crash("p0");
    hand.gate.resolve();
    await cluster.clock.advance(10_000);
    expect(cluster.log.rows).toMatchObject([{ callId: "c1", status: "success" }]);
  });

  test("a partition that is not there can't crash", () => {
    const { cluster } = pair();
    expect(() => cluster.crash("p2")).toThrow('Cannot crash "p2": the cluster has p0, p1');
  });

  test("[TURN4] a commit that fails takes its turn back", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    const ann = cluster.object(Wallet, "ann");
    await ann.deposit({ amount: 3 });
    cluster.storage("p0").failing = new Error("disk I/O error");
    await expect(ann.deposit({ amount: 4 })).rejects.toMatchObject({ code: "UNAVAILABLE" });
    cluster.storage("p0").failing = undefined;
    expect(await ann.balance()).toBe(3);
    expect(cluster.warnings).toMatchObject([{ event: expect.stringContaining("a commit was refused") }]);
  });
});
