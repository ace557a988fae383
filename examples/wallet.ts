import { method, VirtualObject } from "edgeverse";
import * as z from "zod";

const amount = z.number().int().positive();

/** Holds money. The invariants: a balance is never negative, and a transfer moves money but makes none. */
export class Wallet extends VirtualObject.withState(z.object({ balance: z.number().int().default(0) })) {
  static override readonly type = "Wallet";
  static override readonly methods = {
    deposit: method({ request: z.object({ amount }) }),
    withdraw: method({ request: z.object({ amount }) }),
    getBalance: method({ readonly: true }),
    transfer: method({ request: z.object({ to: z.string(), amount }) }),
  };

  deposit({ amount }: { amount: number }) {
    this.state.balance += amount;
    return { balance: this.state.balance };
  }

  withdraw({ amount }: { amount: number }) {
    if (amount > this.state.balance) {
      this.fail("INSUFFICIENT_FUNDS", `balance is ${this.state.balance}`, { balance: this.state.balance });
    }
    this.state.balance -= amount;
    return { balance: this.state.balance };
  }

  getBalance() {
    return { balance: this.state.balance };
  }

  /**
   * Takes the money here and pays it in there. Called reliably it does so exactly once, however often it is tried: every
   * attempt deposits under the same call id. Two wallets that transfer to each other at the same moment wait for each
   * other; one of them is refused with `DEADLOCK`. And if the last attempt fails after the deposit arrived, the money is
   * in both wallets: a transfer through an outbox has neither weakness.
   */
  async transfer({ to, amount }: { to: string; amount: number }) {
    if (to === this.id) return { balance: this.state.balance };
    this.withdraw({ amount });
    await this.object(Wallet, to, { callId: this.callIdFor("deposit") }).deposit({ amount });
    return { balance: this.state.balance };
  }
}
