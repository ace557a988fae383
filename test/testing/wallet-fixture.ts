import { type CallContext, method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import * as z from "zod";
import type { MoveVote } from "../../src/object/shard-move.ts";

export const bug = new TypeError("nothing has no length");
/** What a test holds in its hand: when slow methods go on, and what the class says to a move. */
export const hand = { gate: Promise.withResolvers<void>(), vote: "allow" as MoveVote };

export class Wallet extends VirtualObject.withState(z.object({ balance: z.number().int().default(0) })) {
  static override readonly type = "Wallet";
  static override readonly access = { anonymous: true };
  static override readonly methods = {
    deposit: method({ request: z.object({ amount: z.number().int().positive() }) }),
    withdraw: method({ request: z.object({ amount: z.number().int().positive() }) }),
    balance: method({ readonly: true }),
    payInto: method({ request: z.object({ other: z.string() }) }),
    payReliably: method({ request: z.object({ other: z.string() }) }),
    slowly: method(),
    slowlyPayInto: method({ request: z.object({ other: z.string() }) }),
    digest: method({ request: z.object({ text: z.string() }) }),
    never: method({ timeout: "700ms" }),
    broken: method(),
    breakOther: method({ request: z.object({ other: z.string() }) }),
    who: method(),
  };
  static override onMove(): MoveVote {
    return hand.vote;
  }
  deposit({ amount }: { amount: number }) {
    this.state.balance += amount;
    return this.state.balance;
  }
  withdraw({ amount }: { amount: number }) {
    if (amount > this.state.balance) this.fail("INSUFFICIENT_FUNDS", `balance is ${this.state.balance}`, { amount });
    this.state.balance -= amount;
  }
  balance() {
    return this.state.balance;
  }
  async payInto({ other }: { other: string }) {
    return this.object(Wallet, other).deposit({ amount: 1 });
  }
  async payReliably({ other }: { other: string }) {
    return this.object(Wallet, other, { callId: this.callIdFor("pay") }).deposit({ amount: 1 });
  }
  async slowly() {
    await hand.gate.promise;
    return ++this.state.balance;
  }
  async slowlyPayInto({ other }: { other: string }) {
    this.state.balance++;
    await hand.gate.promise;
    return this.object(Wallet, other).deposit({ amount: 1 });
  }
  async digest({ text }: { text: string }) {
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return Buffer.from(bytes).toString("hex");
  }
  async never() {
    await new Promise<never>(() => undefined);
  }
  broken() {
    throw bug;
  }
  async breakOther({ other }: { other: string }) {
    return this.object(Wallet, other).broken();
  }
  who(): { who: string | null; callId: string | null } {
    const { identity, callId }: CallContext = this.context;
    return { who: identity?.id ?? null, callId: callId ?? null };
  }
}

export class Other extends VirtualObject {
  static override readonly type = "Other";
}

export function startAgain(): void {
  hand.gate = Promise.withResolvers<void>();
  hand.vote = "allow";
}

/** An id whose object `owner` has. */
export function idAt(cluster: TestCluster, owner: string): string {
  for (let index = 0; ; index++) if (cluster.ownerOf(Wallet, `w${index}`) === owner) return `w${index}`;
}

export function pair(): { cluster: TestCluster; here: string; there: string } {
  const cluster = new TestCluster({ objects: [Wallet], partitions: 2 });
  return { cluster, here: idAt(cluster, "p0"), there: idAt(cluster, "p1") };
}
