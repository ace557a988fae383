import { describe, expect, test } from "vitest";
import { Account, Desk, hooks, open, setup, Vault } from "./transaction-fixture.ts";

const a = "shard#3/a";
const b = "shard#3/b";

describe("the objects of transactions", () => {
  test("[TX5] a list that can't be taken is refused at once, with the reason", async () => {
    const { made, run } = setup({ partitions: 2 });
    const refused = (objects: [typeof Account | typeof Vault, string][], message: string) =>
      expect(
        run(({ transact }) => transact(objects, () => undefined)),
        message,
      ).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(message),
      });
    await refused([[Account, "shard#4/a"]], "Account/shard#4/a on shard 4, as Desk/shard#3/desk is on shard 3");
    await refused([[Account, "partition#p0/a"]], "on partition p0");
    await refused(
      [
        [Account, a],
        [Account, b],
        [Account, a],
      ],
      "twice",
    );
    await refused([], "0 objects");
    await refused(
      Array.from({ length: 101 }, (_, index) => [Account, `shard#3/n${index}`]),
      "101 objects",
    );
    const nested = run(({ transact }) => transact([[Account, a]], (payer) => payer.nest({ to: b })));
    await expect(nested).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining("nest") });
    const second = run(({ transact }) =>
      transact([[Account, a]], () => transact([[Account, b]], (payee) => payee.deposit({ amount: 1 }))),
    );
    await expect(second).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    const reading = run(({ transact }) => transact([[Account, a]], (payer) => payer.get()), { method: "read" });
    await expect(reading).rejects.toMatchObject({ code: "INTERNAL" });
    expect(String(made.thrown.at(-1))).toContain("Desk.read is declared readonly");
    const unknown = run(({ transact }) => transact([[Account, "shard#99/a"]], () => undefined));
    await expect(unknown).rejects.toMatchObject({ code: "INVALID_ID" });
    expect(
      made.storage(made.ownerOf(Desk, "shard#3/desk")).query("SELECT * FROM objects WHERE type = 'Account'"),
    ).toEqual([]);
  });

  test("[TX5] objects of any type on one shard, also by their hash or on one partition", async () => {
    const { made, run } = setup();
    const { ownership } = await made.partition("p0").core();
    const near = Array.from({ length: 100 }, (_, index) => `n${index}`).find((id) =>
      ownership.isOn("Vault", id, 3),
    ) as string;
    await made.create(Vault, near);
    const got = await run(({ transact }) =>
      transact(
        [
          [Vault, near],
          [Account, a],
        ],
        async (vault, payer) => [await vault.put(), await payer.get()],
      ),
    );
    expect(got).toEqual([1, 100]);
    await made.call("Account", "partition#p0/desk", "transfer", {
      from: "partition#p0/a",
      to: "partition#p0/b",
      amount: 5,
    });
    expect(await made.call("Account", "partition#p0/b", "get")).toBe(105);
  });

  test("[TX6] objects are created by it and deleted by it, with their hooks, or not", async () => {
    const { made, run } = setup();
    const story = (fail: boolean) =>
      run(({ transact }) =>
        transact(
          [
            [Account, a],
            [Account, b],
          ],
          async (payer, payee) => {
            await payee.deposit({ amount: await payer.get() });
            await payer.close();
            if (fail) throw new Error("no");
          },
        ),
      );
    await expect(story(true)).rejects.toMatchObject({ code: "INTERNAL" });
    expect(made.storage("p0").query("SELECT id FROM objects WHERE type = 'Account'")).toEqual([]);
    expect(hooks).toEqual([`create ${a}`, `create ${b}`]);
    await story(false);
    expect(made.storage("p0").query("SELECT id FROM objects WHERE type = 'Account'")).toEqual([{ id: b }]);
    expect(hooks.slice(2)).toEqual([`create ${a}`, `create ${b}`, `delete ${a} with 100`]);
  });

  test("[TX6] with autoCreate false an object must be there", async () => {
    const { balance, run } = setup();
    const story = () =>
      run(({ transact }) =>
        transact(
          [
            [Account, a],
            [Vault, b],
          ],
          async (payer, vault) => {
            await payer.withdraw({ amount: 1 });
            await vault.put();
          },
        ),
      );
    await expect(story()).rejects.toMatchObject({ code: "OBJECT_NOT_FOUND" });
    expect(await balance("a")).toBe(100);
  });

  test("[TX6] calls of one object run one after the other, in their order", async () => {
    const { made, balance, run } = setup();
    const story = run(({ transact }) =>
      transact([[Account, a]], (payer) =>
        Promise.all([payer.slowDeposit({ amount: 1, gate: "slow" }), payer.deposit({ amount: 1 }), payer.get()]),
      ),
    );
    await made.clock.advance(1);
    open("slow");
    expect(await story).toEqual([null, 102, 102]);
    expect(await balance("a")).toBe(102);
  });

  test("[TX6] stubs are of no use after the end", async () => {
    const { balance, run } = setup();
    const story = run(async ({ transact }) => {
      const late = await transact([[Account, a]], (payer) => ({ deposit: () => payer.deposit({ amount: 1 }) }));
      await late.deposit();
    });
    await expect(story).rejects.toMatchObject({ code: "INTERNAL" });
    expect(await balance("a")).toBe(100);
  });

  test("[TX1] [CALL7] what its objects send commits with it, or is not sent", async () => {
    const { made, balance, run } = setup();
    const story = (amount: number) =>
      run(({ transact }) =>
        transact(
          [
            [Account, a],
            [Account, b],
          ],
          async (payer, payee) => {
            await payer.promise({ to: "shard#3/c" });
            await payee.promise({ to: "shard#4/far" });
            await payer.withdraw({ amount });
          },
        ),
      );
    await expect(story(1_000)).rejects.toMatchObject({ reason: "INSUFFICIENT_FUNDS" });
    await made.clock.advance(100);
    expect([await balance("c"), await made.call("Account", "shard#4/far", "get")]).toEqual([100, 100]);
    await story(1);
    await made.clock.advance(100);
    expect([await balance("c"), await made.call("Account", "shard#4/far", "get")]).toEqual([101, 101]);
  });

  test("[TX3] [MIG1] a shard moves between transactions: a hand-off waits for those that have objects", async () => {
    const { made, balance, account } = setup({ partitions: 2 });
    const id = "shard#3/desk";
    const from = made.ownerOf(Account, id);
    const to = from === "p0" ? "p1" : "p0";
    await account("a").get();
    const slow = account("desk", { timeout: 5_000 }).transfer({ from: a, to: b, amount: 30, gate: "middle" });
    await made.clock.advance(1);
    const moved = made.move(Account, id, { to });
    const more = ["desk1", "desk2"].map((desk) =>
      account(desk, { timeout: 5_000 }).transfer({ from: b, to: a, amount: 1 }),
    );
    await made.clock.advance(200);
    expect(made.ownerOf(Account, id)).toBe(from);
    open("middle");
    await made.clock.until(Promise.all([slow, moved, ...more]));
    expect(made.ownerOf(Account, id)).toBe(to);
    expect([await balance("a"), await balance("b")]).toEqual([72, 128]);
  });
});
