import { type CallContext, EdgeverseError, method, VirtualObject } from "edgeverse";
import { ManualClock, systemClock, TestCluster } from "edgeverse/testing";
import { beforeEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import type { MoveVote } from "../../src/object/virtual-object.ts";
import type { Clock } from "../../src/platform/ports.ts";

const bug = new TypeError("nothing has no length");
let gate = Promise.withResolvers<void>();
let vote: MoveVote;

class Wallet extends VirtualObject.withState(z.object({ balance: z.number().int().default(0) })) {
  static override readonly type = "Wallet";
  static override readonly methods = {
    deposit: method({ request: z.object({ amount: z.number().int().positive() }) }),
    withdraw: method({ request: z.object({ amount: z.number().int().positive() }) }),
    balance: method({ readonly: true }),
    payInto: method({ request: z.object({ other: z.string() }) }),
    payReliably: method({ request: z.object({ other: z.string() }) }),
    slowly: method(),
    slowlyPayInto: method({ request: z.object({ other: z.string() }) }),
    digest: method({ request: z.object({ text: z.string() }) }),
    never: method({ timeout: "700ms" }),
    broken: method(),
    breakOther: method({ request: z.object({ other: z.string() }) }),
    who: method(),
  };
  static override onMove(): MoveVote {
    return vote;
  }
  deposit({ amount }: { amount: number }) {
    this.state.balance += amount;
    return this.state.balance;
  }
  withdraw({ amount }: { amount: number }) {
    if (amount > this.state.balance) this.fail("INSUFFICIENT_FUNDS", `balance is ${this.state.balance}`, { amount });
    this.state.balance -= amount;
  }
  balance() {
    return this.state.balance;
  }
  async payInto({ other }: { other: string }) {
    return this.object(Wallet, other).deposit({ amount: 1 });
  }
  async payReliably({ other }: { other: string }) {
    return this.object(Wallet, other, { callId: this.callIdFor("pay") }).deposit({ amount: 1 });
  }
  async slowly() {
    await gate.promise;
    return ++this.state.balance;
  }
  async slowlyPayInto({ other }: { other: string }) {
    this.state.balance++;
    await gate.promise;
    return this.object(Wallet, other).deposit({ amount: 1 });
  }
  async digest({ text }: { text: string }) {
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return Buffer.from(bytes).toString("hex");
  }
  async never() {
    await new Promise<never>(() => undefined);
  }
  broken() {
    throw bug;
  }
  async breakOther({ other }: { other: string }) {
    return this.object(Wallet, other).broken();
  }
  who(): { subject: string | null; callId: string | null } {
    const { caller, callId }: CallContext = this.context;
    return { subject: caller.identity?.subject ?? null, callId: callId ?? null };
  }
}

class Other extends VirtualObject {
  static override readonly type = "Other";
}

beforeEach(() => {
  gate = Promise.withResolvers<void>();
  vote = "allow";
});

/** An id whose object `owner` has. */
function idAt(cluster: TestCluster, owner: string): string {
  for (let index = 0; ; index++) if (cluster.ownerOf(Wallet, `w${index}`) === owner) return `w${index}`;
}

function pair(): { cluster: TestCluster; here: string; there: string } {
  const cluster = new TestCluster({ objects: [Wallet], partitions: 2 });
  return { cluster, here: idAt(cluster, "p0"), there: idAt(cluster, "p1") };
}

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
    const identity = { subject: "ann@example.com", roles: [] };
    const calls = cluster.object(Wallet, "ann", { callId: "c1", identity });
    expect(await calls.who()).toEqual({ subject: "ann@example.com", callId: "c1" });
    await expect(calls.deposit({ amount: 1 })).rejects.toMatchObject({ code: "CALL_ID_REUSED" });
  });

  test("a class that is not served, an id or an option that can't be are refused at once", () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    expect(() => cluster.object(Other, "a")).toThrow('No object type "Other" is served here');
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
    gate.resolve();
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
    gate.resolve();
    await cluster.clock.advance(10_000);
    expect(cluster.log.rows).toMatchObject([{ id: "ann", callId: "c1", status: "success", response: "1" }]);
  });

  test("what an ended process still does has no effect, here or elsewhere", async () => {
    const { cluster, here, there } = pair();
    const call = cluster.object(Wallet, here).slowlyPayInto({ other: there });
    await cluster.clock.advance(1);
    cluster.crash("p0");
    await expect(call).rejects.toMatchObject({ code: "UNAVAILABLE" });
    gate.resolve();
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

  test("a partition that is not there can't crash", () => {
    const { cluster } = pair();
    expect(() => cluster.crash("p2")).toThrow('Cannot crash "p2": the cluster has p0, p1');
  });

  test("[TURN4] a commit that fails takes its turn back", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    const ann = cluster.object(Wallet, "ann");
    await ann.deposit({ amount: 3 });
    cluster.storage("p0").failNext = new Error("disk full");
    await expect(ann.deposit({ amount: 4 })).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(await ann.balance()).toBe(3);
    expect(cluster.warnings).toMatchObject([{ event: expect.stringContaining("a commit failed") }]);
  });
});

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
    vote = "veto";
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

describe("the clock", () => {
  test("two that move it at once move it as far as the further one", async () => {
    const clock = new ManualClock(0);
    const seen: number[] = [];
    for (const at of [5, 50]) clock.after(at, () => seen.push(clock.now()));
    await Promise.all([clock.advance(10), clock.advance(100)]);
    expect([seen, clock.now()]).toEqual([[5, 50], 100]);
  });

  test("time passes until something is done, and not beyond a limit", async () => {
    const clock = new ManualClock(0);
    const done = new Promise<string>((resolve) => clock.after(1_000, () => resolve("done")));
    expect(await clock.until(done, 1_000)).toBe("done");
    expect(clock.now()).toBe(1_000);
    let rang = false;
    clock.after(2_000, () => {
      rang = true;
    });
    const later = Promise.withResolvers<void>();
    setTimeout(later.resolve, 20);
    await clock.until(later.promise, 1_999);
    expect(rang).toBe(false);
  });

  test("the computer's clock needs no help", async () => {
    const cluster = new TestCluster({ objects: [Wallet], partitions: 2, clock: systemClock });
    const ids = ["a", "b", "c", "d"];
    for (const id of ids) await cluster.object(Wallet, id, { callId: "c" }).payInto({ other: `${id}${id}` });
    const other = cluster.ownerOf(Wallet, "a") === "p0" ? "p1" : "p0";
    await cluster.move(Wallet, "a", { to: other });
    expect(await cluster.object(Wallet, "aa").balance()).toBe(1);
    cluster.stop();
  });
});

/** The computer's clock, with its timers counted. */
class CountedClock implements Clock {
  pending = 0;
  now = () => systemClock.now();
  soon = (action: () => void) => systemClock.soon(action);
  after(delay: number, action: () => void) {
    this.pending++;
    let over = false;
    const end = () => {
      if (!over) this.pending--;
      over = true;
    };
    const cancel = systemClock.after(delay, () => {
      end();
      action();
    });
    return () => {
      end();
      cancel();
    };
  }
}

test("a cluster that is disposed of leaves no timer behind, and answers nobody any more", async () => {
  const clock = new CountedClock();
  let answered = false;
  {
    using cluster = new TestCluster({ objects: [Wallet], partitions: 2, clock });
    await cluster.object(Wallet, "a", { callId: "c" }).deposit({ amount: 1 });
    const pending = cluster.object(Wallet, "b", { callId: "d" }).slowly();
    void pending.finally(() => {
      answered = true;
    });
    await cluster.object(Wallet, "c").deposit({ amount: 1 });
    expect(clock.pending).toBeGreaterThan(0);
  }
  gate.resolve();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([clock.pending, answered]).toEqual([0, false]);
});
