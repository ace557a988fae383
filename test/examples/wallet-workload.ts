import type { Workload } from "edgeverse/testing";
import { Wallet } from "../../examples/wallet.ts";
import { deedsOf, repeated, same } from "./repeated.ts";

const WALLETS = ["lea", "max", "noa", "tom"];

/** Money that goes round: by reliable transfers, and by plain ones with deadlines that many of them miss. */
export default {
  objects: [Wallet],
  calls: 60,
  async call({ object, random, n }): Promise<{ readonly deposited: number }> {
    const callId = `c${n}`;
    const [from, to, amount] = [random.pick(WALLETS), random.pick(WALLETS), 1 + random.int(50)];
    const timeout = 1 + random.int(12);
    const kind = random.weighted({ deposit: 1, reliable: 2, plain: 2 });
    if (kind === "deposit") {
      await repeated(random, () => object(Wallet, from, { callId }).deposit({ amount }));
      return { deposited: amount };
    }
    const transfer = (options: object) => object(Wallet, from, options).transfer({ to, amount });
    if (kind === "reliable") await repeated(random, () => transfer({ callId }));
    // Whether a plain one took place is not known, and need not be.
    else await transfer({ timeout }).catch(() => undefined);
    return { deposited: 0 };
  },

  async check({ object, answers }) {
    const deeds = deedsOf(answers);
    const wallets = await Promise.all(WALLETS.map((id) => object(Wallet, id).getBalance()));
    const balances = wallets.map(({ balance }) => balance);
    const deposited = deeds.reduce((sum, { deposited }) => sum + deposited, 0);
    same(
      "the money in all wallets",
      balances.reduce((sum, balance) => sum + balance, 0),
      deposited,
    );
    same("whether a wallet owes something", Math.min(...balances) < 0, false);
  },
} satisfies Workload<{ readonly deposited: number }>;
