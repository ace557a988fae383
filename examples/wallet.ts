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
   * Takes the money here and sends it there: both happen, or neither. On its way it is in no wallet, and never in two. A
   * transfer that is called reliably takes place once, however often it is tried.
   */
  transfer({ to, amount }: { to: string; amount: number }) {
    if (to === this.id) return { balance: this.state.balance };
    const left = this.withdraw({ amount });
    this.outbox(Wallet, to).deposit({ amount });
    return left;
  }
}
