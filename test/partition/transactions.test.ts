import { describe, expect, test } from "vitest";
import { Account, open, setup } from "./transaction-fixture.ts";

const a = "shard#3/a";
const b = "shard#3/b";
const c = "shard#3/c";

describe("transactions", () => {
  test("[TX1] the objects change together, with the turn that took them, and outlive the process", async () => {
    const { made, balance, run } = setup();
    const left = await run(async ({ transact, log }) => {
      log("before");
      return transact(
        [
          [Account, a],
          [Account, b],
        ],
        async (payer, payee) => {
          const left = await payer.withdraw({ amount: 30 });
          await payee.deposit({ amount: 30 });
          log("inside");
          return left;
        },
      );
    });
    expect(left).toBe(70);
    made.crash("p0");
    expect([await balance("a"), await balance("b")]).toEqual([70, 130]);
    expect(await made.call("Desk", "shard#3/desk", "entries")).toEqual(["before", "inside"]);
    expect(made.storage("p0").query("SELECT id, value FROM rows ORDER BY id")).toEqual([
      { id: a, value: "-30" },
      { id: b, value: "30" },
    ]);
  });

  test("[TX1] one commit has the objects and the mark of the reliable call", async () => {
    const { made, balance, run } = setup();
    const transfer = () =>
      run(
        ({ transact }) =>
          transact(
            [
              [Account, a],
              [Account, b],
            ],
            async (payer, payee) => {
              await payer.withdraw({ amount: 30 });
              await payee.deposit({ amount: 30 });
            },
          ),
        { callId: "t1" },
      );
    const { stats } = (await made.partition("p0").core()).commit;
    const before = stats.commits;
    await transfer();
    expect(stats.commits).toBe(before + 1);
    made.crash("p0");
    expect([await balance("a"), await balance("b")]).toEqual([70, 130]);
    expect(made.storage("p0").query("SELECT call_id FROM marks")).toEqual([{ call_id: "t1" }]);
  });

  test("[TX1] the caller's own object may be one of them, and its calls join the turn", async () => {
    const { balance, account } = setup();
    await account("a").transfer({ from: a, to: b, amount: 10 });
    await account("a").transfer({ from: b, to: a, amount: 1 });
    expect([await balance("a"), await balance("b")]).toEqual([91, 109]);
  });

  test.each([
    ["the function throws", "throw"],
    ["a call fails", "fail"],
    ["a call fails, and its error is caught", "caught"],
    ["a call fails that nobody waits for", "unawaited"],
    ["the method throws after it", "late"],
    ["a state is unfit", "unfit"],
  ])("[TX2] nothing of it happens: %s", async (_, how) => {
    const { made, balance, run } = setup();
    await made.call("Account", a, "remember");
    const failing = run(async ({ transact, log }) => {
      log("lost too");
      await transact(
        [
          [Account, a],
          [Account, b],
        ],
        async (payer, payee) => {
          await payer.withdraw({ amount: 30 });
          await payer.remember();
          await payee.deposit({ amount: 30 });
          if (how === "throw") throw new Error("oh");
          if (how === "fail") await payer.withdraw({ amount: 1_000 });
          if (how === "caught") await payer.withdraw({ amount: 1_000 }).catch(() => undefined);
          if (how === "unawaited") void payer.withdraw({ amount: 1_000 });
          if (how === "unfit") await payee.overdraw();
        },
      );
      throw new Error("late");
    });
    const code = { unfit: "STATE_INVALID", throw: "INTERNAL", late: "INTERNAL" }[how] ?? "CALL_FAILED";
    await expect(failing).rejects.toMatchObject({ code });
    expect([await balance("a"), await balance("b")]).toEqual([100, 100]);
    expect(await made.call("Desk", "shard#3/desk", "entries")).toEqual([]);
    expect(made.storage("p0").query("SELECT * FROM rows")).toEqual([]);
    // The instance went with its private fields.
    expect(await made.call("Account", a, "recall")).toBe(0);
  });

  test("[TX2] a method can go on after a transaction that failed, and begin another one", async () => {
    const { made, balance, run } = setup();
    await run(async ({ transact, log }) => {
      const pay = (amount: number) =>
        transact(
          [
            [Account, a],
            [Account, b],
          ],
          async (payer, payee) => {
            await payee.deposit({ amount });
            await payer.withdraw({ amount });
          },
        );
      await pay(1_000).catch(({ reason }) => log(reason));
      await pay(5);
    });
    expect([await balance("a"), await balance("b")]).toEqual([95, 105]);
    expect(await made.call("Desk", "shard#3/desk", "entries")).toEqual(["INSUFFICIENT_FUNDS"]);
  });

  test("[TX2] what failed inside the caller's own object leaves nothing in it", async () => {
    const { made, balance } = setup();
    await made.call("Account", a, "remember");
    const failed = made.call("Account", a, "transfer", { from: b, to: a, amount: 1_000 });
    await expect(failed).rejects.toMatchObject({ reason: "INSUFFICIENT_FUNDS" });
    expect([await balance("a"), await balance("b")]).toEqual([100, 100]);
  });

  test("[TX2] a turn that does not await its transaction fails, and so does the transaction", async () => {
    const { made, balance, run } = setup();
    const failing = run(({ transact }) => {
      void transact([[Account, a]], (payer) => payer.withdraw({ amount: 1 })).catch(() => undefined);
    });
    await expect(failing).rejects.toMatchObject({ code: "INTERNAL" });
    expect(String(made.thrown.at(-1))).toContain("must await this.transact");
    expect(await balance("a")).toBe(100);
    expect(await made.call("Account", a, "withdraw", { amount: 2 })).toBe(98);
  });

  test("[TX2] at the turn's deadline all objects are free again, and unchanged", async () => {
    const { made, balance, run } = setup();
    const late = run(
      ({ transact }) =>
        transact(
          [
            [Account, a],
            [Account, b],
          ],
          async (payer, payee) => {
            await payer.withdraw({ amount: 30 });
            await payee.slowDeposit({ amount: 30, gate: "never" });
          },
        ),
      { timeout: 50 },
    );
    const outcome = expect(late).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await made.clock.advance(60);
    await outcome;
    expect([await balance("a"), await balance("b")]).toEqual([100, 100]);
    open("never");
    await made.clock.advance(1);
    expect(await balance("b")).toBe(100);
    expect((await made.partition("p0").core()).engine.waiting).toBe(0);
  });

  test("[TX2] objects that a turn waited for are not kept once its deadline has passed", async () => {
    const { made, balance, run } = setup();
    const busy = made.call("Account", b, "slowDeposit", { amount: 1, gate: "busy" });
    await made.clock.advance(1);
    const late = run(
      ({ transact }) =>
        transact(
          [
            [Account, a],
            [Account, b],
          ],
          (one) => one.withdraw({ amount: 1 }),
        ),
      {
        timeout: 50,
      },
    );
    const outcome = expect(late).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await made.clock.advance(60);
    await outcome;
    expect(await balance("a")).toBe(100);
    open("busy");
    await busy;
    expect(await balance("b")).toBe(101);
  });

  test("[TX3] nobody sees half of it: readers wait for the end of the turn", async () => {
    const { made, balance, account } = setup();
    const seen: Promise<unknown>[] = [];
    let answered = 0;
    const transfer = account("desk").transfer({ from: a, to: b, amount: 30, gate: "middle", after: "end" });
    await made.clock.advance(1);
    const look = () => seen.push(Promise.all([balance("a"), balance("b")]).finally(() => answered++));
    look();
    await made.clock.advance(1);
    open("middle");
    await made.clock.advance(1);
    look();
    await made.clock.advance(1);
    expect(answered).toBe(0);
    open("end");
    await transfer;
    expect(await made.clock.until(Promise.all(seen))).toEqual([
      [70, 130],
      [70, 130],
    ]);
  });

  test("[TX3] what the database refuses of one object it refuses of all", async () => {
    const { made, balance, run } = setup();
    const refused = run(({ transact, log }) =>
      transact(
        [
          [Account, a],
          [Account, b],
          [Account, c],
        ],
        async (payer, payee, third) => {
          log("gone");
          await payer.withdraw({ amount: 30 });
          await payee.note({ text: "POISON" });
          await third.deposit({ amount: 30 });
        },
      ),
    );
    await expect(refused).rejects.toMatchObject({ code: "COMMIT_REFUSED" });
    expect([await balance("a"), await balance("b"), await balance("c")]).toEqual([100, 100, 100]);
    expect(await made.call("Desk", "shard#3/desk", "entries")).toEqual([]);
  });
});
