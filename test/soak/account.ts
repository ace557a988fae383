import { method, type RequestOf, VirtualObject } from "edgeverse";
import * as z from "zod";
import { membersOf, START } from "./groups.ts";

const state = z.object({
  balance: z.number().int().min(0).default(START),
  /** Events that it has emitted. */
  paid: z.number().int().default(0),
});
const paid = z.object({ n: z.number().int(), to: z.string(), amount: z.number().int() });
const change = z.object({ amount: z.number().int().positive() });

/** Pays others of its group in transactions, tells the outside of each payment, and can count what all of them hold. */
export class Account extends VirtualObject.withState(state, { "account.paid": paid }) {
  static override readonly type = "Account";
  static override readonly shardBy = (id: string) => id.slice(0, id.lastIndexOf(":"));
  static override readonly methods = {
    pay: method({ request: z.object({ to: z.string(), amount: z.number().int().positive() }) }),
    withdraw: method({ internal: true, request: change.extend({ to: z.string() }) }),
    deposit: method({ internal: true, request: change }),
    view: method({ readonly: true }),
    count: method({ request: z.object({ group: z.string() }) }),
  };

  async pay({ to, amount }: RequestOf<typeof Account.methods.pay>) {
    return this.transact(
      [
        [Account, this.id],
        [Account, to],
      ],
      async (payer, payee) => {
        await payer.withdraw({ amount, to });
        return payee.deposit({ amount });
      },
    );
  }

  withdraw({ amount, to }: RequestOf<typeof Account.methods.withdraw>) {
    if (this.state.balance < amount) this.fail("INSUFFICIENT_FUNDS", `balance is ${this.state.balance}`);
    this.state.balance -= amount;
    this.emit("account.paid", { n: ++this.state.paid, to, amount });
  }

  deposit({ amount }: RequestOf<typeof Account.methods.deposit>) {
    this.state.balance += amount;
  }

  view() {
    return { balance: this.state.balance, paid: this.state.paid };
  }

  /** What the group holds at one moment. */
  async count({ group }: RequestOf<typeof Account.methods.count>) {
    return this.transact(
      membersOf(group).map((id) => [Account, id] as const),
      async (...accounts) => {
        let sum = 0;
        for (const account of accounts) sum += (await account.view()).balance;
        return { sum };
      },
    );
  }
}
