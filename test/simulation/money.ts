import { z } from "zod";
import { EdgeverseError, method, VirtualObject } from "../../src/index.ts";
import type { Workload } from "../../src/testing/simulation/workload.ts";

const START = 100;
const GROUPS = ["g0", "g1", "g2"];
const NAMES = ["a", "b", "c"];
const membersOf = (group: string) => NAMES.map((name) => `${group}:${name}`);
const amount = z.number().int().positive();
const payment = z.object({ to: z.string(), amount, slow: z.boolean() });
const state = z.object({
  balance: z.number().int().min(0).default(START),
  /** What it has sent to other groups and got from them. */
  sent: z.number().int().default(0),
  got: z.number().int().default(0),
});
type Books = z.infer<typeof state>;
const EMPTY: Books = { balance: START, sent: 0, got: 0 };

/** Lets time pass: a reliable call of it takes a commit. */
class Bell extends VirtualObject {
  static override readonly type = "Bell";
  static override readonly methods = { ring: method() };
  ring(): void {}
}

class Till extends VirtualObject.withState(state) {
  static override readonly type = "Till";
  static override readonly shardBy = (id: string) => id.split(":")[0];
  static override readonly methods = {
    pay: method({ request: payment }),
    send: method({ request: payment }),
    withdraw: method({ request: z.object({ amount }) }),
    deposit: method({ request: z.object({ amount }) }),
    receive: method({ request: z.object({ amount }) }),
    wait: method(),
    books: method({ readonly: true }),
    count: method(),
  };

  async pay({ to, amount, slow }: z.infer<typeof payment>) {
    return this.transact(
      [
        [Till, this.id],
        [Till, to],
      ],
      async (payer, payee) => {
        await payer.withdraw({ amount });
        if (slow) await payer.wait();
        await payee.deposit({ amount });
      },
    );
  }
  /** To another group, which may be elsewhere. */
  send({ to, amount }: z.infer<typeof payment>) {
    this.withdraw({ amount });
    this.state.sent += amount;
    this.outbox(Till, to).receive({ amount });
  }
  withdraw({ amount }: { amount: number }) {
    if (this.state.balance < amount) this.fail("INSUFFICIENT_FUNDS", `balance is ${this.state.balance}`);
    this.state.balance -= amount;
  }
  deposit({ amount }: { amount: number }) {
    this.state.balance += amount;
  }
  receive({ amount }: { amount: number }) {
    this.state.balance += amount;
    this.state.got += amount;
  }
  async wait() {
    await this.object(Bell, this.id, { callId: this.callIdFor("wait") }).ring();
  }
  books(): Books {
    return { ...this.state };
  }
  /** All of its group at one moment. */
  async count() {
    const group = this.id.split(":")[0] as string;
    return this.transact(
      membersOf(group).map((id) => [Till, id] as const),
      async (...tills) => {
        const all: Books[] = [];
        for (const till of tills) all.push(await till.books());
        return all;
      },
    );
  }
}

/** What has left a group for others, less what has come; money that is nowhere, or twice, makes the sum another. */
function checkGroup(group: string, books: readonly Books[]): number {
  const sum = books.reduce((all, { balance, sent, got }) => all + balance + sent - got, 0);
  if (sum !== START * NAMES.length) throw new Error(`[TX2] the books of ${group} say ${sum}: ${JSON.stringify(books)}`);
  return books.reduce((all, { sent, got }) => all + sent - got, 0);
}

/** Of all groups at one instant: what is on its way can't be less than nothing ([CALL7]). */
function checkAll(inFlight: readonly number[]): number {
  const all = inFlight.reduce((sum, some) => sum + some, 0);
  if (all < 0) throw new Error(`[CALL7] ${-all} came that nobody sent`);
  return all;
}

/** What the auditor has seen, of all seeds. */
export const seen = { looks: 0, whole: 0, inFlight: 0 };

/** Payments in transactions and through the outbox, and auditors who look from inside and from outside. */
export default {
  objects: [Till, Bell],
  calls: 40,
  async call({ object, random, n }) {
    const group = random.pick(GROUPS);
    const id = random.pick(membersOf(group));
    const deed = random.weighted({ pay: 5, send: 3, count: 2 });
    const options = deed !== "count" && random.chance(0.5) ? { callId: `m${n}` } : {};
    const others = deed === "pay" ? [group] : GROUPS.filter((other) => other !== group);
    const to = random.pick(others.flatMap(membersOf).filter((other) => other !== id));
    const request = { to, amount: 1 + random.int(60), slow: random.chance(0.4) };
    try {
      if (deed === "count") checkGroup(group, await object(Till, id).count());
      else await object(Till, id, options)[deed](request);
    } catch (error) {
      if (!(error instanceof EdgeverseError) || error.code === "INTERNAL") throw error;
    }
  },
  audit(stored) {
    const books = new Map(GROUPS.map((group) => [group, membersOf(group).map((id) => stored(Till, id))]));
    seen.looks++;
    const inFlight: number[] = [];
    for (const [group, states] of books) {
      if (states.includes(undefined)) continue;
      inFlight.push(
        checkGroup(
          group,
          states.map((one) => (one === null ? EMPTY : state.parse(one))),
        ),
      );
    }
    if (inFlight.length < GROUPS.length) return;
    seen.whole++;
    if (checkAll(inFlight) > 0) seen.inFlight++;
  },
  async check({ object }) {
    const inFlight: number[] = [];
    for (const group of GROUPS) inFlight.push(checkGroup(group, await object(Till, `${group}:a`).count()));
    if (checkAll(inFlight) !== 0) throw new Error(`[CALL7] ${checkAll(inFlight)} was sent and never came`);
  },
} satisfies Workload<void>;
