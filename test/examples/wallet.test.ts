import { TestCluster } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Wallet } from "../../examples/wallet.ts";
import { delivered } from "./delivered.ts";

const NAMES = ["ann", "bob", "cy"];

async function balanceOf(cluster: TestCluster, id: string): Promise<number> {
  return (await cluster.object(Wallet, id).getBalance()).balance;
}

async function balances(cluster: TestCluster): Promise<number[]> {
  const all: number[] = [];
  for (const id of NAMES) all.push(await balanceOf(cluster, id));
  return all;
}

describe("Wallet", () => {
  const amount = fc.integer({ min: 1, max: 120 });
  const who = fc.constantFrom(...NAMES);
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom("deposit" as const, "withdraw" as const), who, amount }),
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant("transfer" as const), who, to: who, amount, again: fc.boolean() }),
    },
    fc.record({ do: fc.constant("crash" as const), partition: fc.constantFrom("p0", "p1") }),
  );

  test("a balance is never negative, and a transfer moves money but makes none, repeated or not", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const cluster = new TestCluster({ objects: [Wallet], partitions: 2 });
        const model = new Map(NAMES.map((name) => [name, 0]));
        const change = (name: string, by: number) => model.set(name, (model.get(name) ?? 0) + by);
        for (const [index, next] of steps.entries()) {
          if (next.do === "crash") {
            cluster.crash(next.partition);
            continue;
          }
          const { amount } = next;
          const call = () => {
            if (next.do !== "transfer") return cluster.object(Wallet, next.who)[next.do]({ amount });
            return cluster.object(Wallet, next.who, { callId: `t${index}` }).transfer({ to: next.to, amount });
          };
          const enough = (model.get(next.who) ?? 0) >= next.amount;
          const toSelf = next.do === "transfer" && next.to === next.who;
          if (next.do !== "deposit" && !enough && !toSelf) {
            await expect(call()).rejects.toMatchObject({ code: "CALL_FAILED", reason: "INSUFFICIENT_FUNDS" });
          } else {
            if (next.do === "deposit") change(next.who, next.amount);
            else change(next.who, -next.amount);
            if (next.do === "transfer") change(next.to, next.amount);
            const first = await call();
            expect(first).toEqual({ balance: model.get(next.who) });
            if (next.do === "transfer" && next.again) expect(await call()).toEqual(first);
          }
          if (next.do === "transfer") await delivered(cluster);
          expect(await balances(cluster)).toEqual([...model.values()]);
          for (const balance of model.values()) expect(balance).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 25 },
    );
  });

  test("a refusal names its reason and the balance, and changes nothing", async () => {
    const cluster = new TestCluster({ objects: [Wallet] });
    await cluster.object(Wallet, "ann").deposit({ amount: 5 });
    await expect(cluster.object(Wallet, "ann").withdraw({ amount: 6 })).rejects.toMatchObject({
      code: "CALL_FAILED",
      reason: "INSUFFICIENT_FUNDS",
      message: "balance is 5",
      details: { balance: 5 },
    });
    expect(await balanceOf(cluster, "ann")).toBe(5);
  });

  test.each([0, -1, 1.5, "1", null])("money comes in positive whole amounts: %j", async (bad) => {
    const cluster = new TestCluster({ objects: [Wallet] });
    const request = { amount: bad as number };
    for (const name of ["deposit", "withdraw"] as const) {
      await expect(cluster.object(Wallet, "ann")[name](request)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    expect(await balanceOf(cluster, "ann")).toBe(0);
  });

  test("[CALL7] transfers in a circle of partitions at the same time, half of them late, make and lose no money", async () => {
    const cluster = new TestCluster({ objects: [Wallet], partitions: 3 });
    const circle = [0, 1, 2].map((number) => `partition#p${number}/w`);
    for (const id of circle) await cluster.object(Wallet, id).deposit({ amount: 100 });
    const sent = Array.from({ length: 60 }, (_, index) => {
      const [id, to] = [circle[index % 3] as string, circle[(index + 1 + (index % 2)) % 3] as string];
      const options = index % 3 === 0 ? { callId: `t${index}` } : { timeout: 1 + (index % 4) };
      return cluster.object(Wallet, id, options).transfer({ to, amount: 1 + (index % 9) });
    });
    for (const name of ["p0", "p1", "p2"]) cluster.crash(name, { afterCommits: 3 });
    await cluster.clock.until(Promise.allSettled(sent));
    await delivered(cluster);
    const balances: number[] = [];
    for (const id of circle) balances.push(await balanceOf(cluster, id));
    expect(balances.reduce((total, balance) => total + balance, 0)).toBe(300);
    expect(Math.min(...balances)).toBeGreaterThanOrEqual(0);
  });
});
