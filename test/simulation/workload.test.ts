import { simulate, type Workload } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { Wallet } from "../../examples/wallet.ts";

const wallets = ["ann", "bob", "cem"];

/** Money that is deposited by calls that each count once: in the end the balances are what was acknowledged. */
const deposits: Workload = {
  objects: () => [Wallet],
  calls: 30,
  call: (random, n) => ({
    ...{
      type: "Wallet",
      id: random.pick(wallets),
      method: "deposit",
      request: { amount: 1 + random.int(9) },
      callId: `d${n}`,
    },
  }),
  async check(ask, answers) {
    for (const id of wallets) {
      const mine = answers.filter(({ call, code }) => call.id === id && code === undefined);
      const sum = mine.reduce((all, { call }) => all + (call.request as { amount: number }).amount, 0);
      const { balance } = (await ask("Wallet", id, "getBalance")) as { balance: number };
      if (balance !== sum) throw new Error(`${id} has ${balance}, and ${sum} was acknowledged`);
    }
  },
};

describe("an author's own objects", () => {
  test("[CALL1] wallets hold what was acknowledged, whatever happens to the cluster", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { violation } = await simulate({ seed, workload: deposits });
      expect(violation, `seed ${seed}`).toBeUndefined();
    }
  });

  test("a workload whose promise is broken is told so", async () => {
    const greedy: Workload = {
      ...deposits,
      check: async (ask) => {
        const { balance } = (await ask("Wallet", "ann", "getBalance")) as { balance: number };
        if (balance !== -1) throw new Error(`ann has ${balance}`);
      },
    };
    expect((await simulate({ seed: 1, workload: greedy })).violation).toContain("ann has");
  });
});
