import { describe, expect, test } from "vitest";
import { Account, open, runs, setup } from "./transaction-fixture.ts";

const a = "shard#3/a";
const b = "shard#3/b";
const c = "shard#3/c";

describe("the order in which transactions take objects", () => {
  test("[TX4] turns that take the same objects in any order never wait in a circle", async () => {
    const { made, balance, account } = setup();
    const names = ["a", "b", "c", "d"];
    const transfers = Array.from({ length: 60 }, (_, index) => {
      const from = `shard#3/${names[index % 4]}`;
      const to = `shard#3/${names[(index + 1 + (index % 3)) % 4]}`;
      return account(`desk${index}`).transfer({ from, to, amount: 1 });
    });
    await made.clock.until(Promise.all(transfers));
    expect(runs.transfers).toBe(60);
    const balances = await Promise.all(names.map(balance));
    expect(balances.reduce((sum, each) => (sum as number) + (each as number), 0)).toBe(400);
  });

  test("[TX4] two objects that take one another: one turn begins again, and both succeed", async () => {
    const { made, balance, account } = setup();
    const options = { callId: "c" };
    const both = [account("a").pay({ to: b, amount: 1 }), account("b").pay({ to: a, amount: 10 })];
    const reliable = [
      account("a", options).pay({ to: b, amount: 2 }),
      account("b", options).pay({ to: a, amount: 20 }),
    ];
    await made.clock.until(Promise.all([...both, ...reliable]));
    expect([await balance("a"), await balance("b")]).toEqual([127, 73]);
    expect(runs.transfers).toBeGreaterThan(4);
  });

  test("[TX4] a turn that has waited for something else does not begin again: DEADLOCK, which can be repeated", async () => {
    const { made, balance, account } = setup();
    const one = account("a").payLate({ to: b, gate: "one" });
    const other = account("b").payLate({ to: a, gate: "other" });
    await made.clock.advance(1);
    const settled = Promise.allSettled([one, other]);
    open("one");
    open("other");
    const [first, second] = await made.clock.until(settled);
    expect([first.status, second.status].sort()).toEqual(["fulfilled", "rejected"]);
    const { reason } = [first, second].find(({ status }) => status === "rejected") as PromiseRejectedResult;
    expect(reason).toMatchObject({ code: "DEADLOCK", retryable: true });
    expect(((await balance("a")) as number) + ((await balance("b")) as number)).toBe(200);
  });

  test("[TX4] an object whose turn waits for this turn can't be taken: DEADLOCK names the chain", async () => {
    const { made, balance } = setup();
    const circle = made.call("Account", a, "payThrough", { desk: "shard#3/desk", to: b });
    const chain = ["Account/shard#3/a", "Account/shard#3/desk", "Account/shard#3/a"];
    await expect(circle).rejects.toMatchObject({ code: "DEADLOCK", retryable: false, details: { chain } });
    expect([await balance("a"), await balance("b")]).toEqual([100, 100]);
  });

  test("[TX4] a call that a taken object's method makes can't come back to a taken object", async () => {
    const { balance, run } = setup();
    const circle = run(({ transact }) =>
      transact(
        [
          [Account, a],
          [Account, b],
        ],
        (payer) => payer.depositAt({ to: b }),
      ),
    );
    await expect(circle).rejects.toMatchObject({ code: "DEADLOCK" });
    const direct = run(({ transact, object }) =>
      transact([[Account, a]], () => object(Account, a).deposit({ amount: 1 })),
    );
    await expect(direct).rejects.toMatchObject({ code: "DEADLOCK" });
    expect([await balance("a"), await balance("b")]).toEqual([100, 100]);
  });

  test("[TX4] what a taken object's method calls elsewhere is a call like any other", async () => {
    const { balance, run } = setup();
    await run(({ transact }) => transact([[Account, a]], (payer) => payer.depositAt({ to: c })));
    expect(await balance("c")).toBe(101);
  });
});
