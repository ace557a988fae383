import { ManualClock, systemClock, TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import type { Clock } from "../../src/platform/ports.ts";
import { hand, Wallet } from "./wallet-fixture.ts";

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
  hand.gate.resolve();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([clock.pending, answered]).toEqual([0, false]);
});
