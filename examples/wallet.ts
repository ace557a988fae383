import { method, VirtualObject } from "edgeverse";
import { z } from "zod";

const amount = z.number().int().positive();

/** Holds money. The invariants: a balance is never negative, and a transfer moves money but makes none. */
export class Wallet extends VirtualObject<{ balance: number }> {
  static override readonly type = "Wallet";
  static override readonly state = z.object({ balance: z.number().int().default(0) });
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
      throw this.fail("INSUFFICIENT_FUNDS", `balance is ${this.state.balance}`, { balance: this.state.balance });
    }
    this.state.balance -= amount;
    return { balance: this.state.balance };
  }

  getBalance() {
    return { balance: this.state.balance };
  }

  /**
   * Takes the money here and pays it in there, exactly once when the transfer itself is a reliable call: every attempt of
   * it deposits under the same derived call id.
   */
  async transfer({ to, amount }: { to: string; amount: number }) {
    if (to === this.id) return { balance: this.state.balance };
    this.withdraw({ amount });
    const callId = `${this.call.callId ?? this.call.requestId}:deposit`;
    await this.object(Wallet, to, { callId }).deposit({ amount });
    return { balance: this.state.balance };
  }
}
