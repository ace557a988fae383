import { method, VirtualObject } from "edgeverse";
import { simulate, simulateSeeds, type Workload } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { Wallet } from "../../examples/wallet.ts";

const wallets = ["ann", "bob", "cem"];

/** Money that is deposited by calls that each count once: in the end the balances are what was acknowledged. */
const deposits = {
  objects: [Wallet],
  calls: 30,
  async call({ object, random, n }) {
    const [id, amount] = [random.pick(wallets), 1 + random.int(9)];
    await object(Wallet, id, { callId: `d${n}` }).deposit({ amount });
    return { id, amount };
  },
  async check({ object, answers }) {
    for (const id of wallets) {
      const sum = answers.reduce((all, { answer }) => all + (answer?.id === id ? answer.amount : 0), 0);
      const { balance } = await object(Wallet, id).getBalance();
      if (balance !== sum) throw new Error(`${id} has ${balance}, and ${sum} was acknowledged`);
    }
  },
} satisfies Workload<{ id: string; amount: number }>;

/** Answers with members in no order of the alphabet: that of jsonb is another. */
class Named extends VirtualObject.withState(z.object({ name: z.string().default(""), at: z.number().default(0) })) {
  static override readonly type = "Named";
  static override readonly methods = { put: method({ request: z.object({ name: z.string() }) }) };
  put({ name }: { name: string }) {
    this.state = { name, at: this.now() };
    return this.state;
  }
}

class Broken extends VirtualObject {
  static override readonly type = "Broken";
  static override readonly methods = { run: method() };
  run() {
    throw new TypeError("a mistake of its author");
  }
}

/** Tells clients of each call. */
class Bell extends VirtualObject.withState(z.object({ rung: z.number().default(0) })) {
  static override readonly type = "Bell";
  static override readonly methods = { ring: method(), count: method({ readonly: true }) };
  ring() {
    this.state.rung += 1;
    this.publish("bells/one", { rung: this.state.rung });
    this.broadcast("ding");
    return this.state.rung;
  }
  count() {
    return this.state.rung;
  }
}

describe("an author's own objects", () => {
  test("[CALL1] wallets hold what was acknowledged, whatever happens to the cluster", { timeout: 60_000 }, async () => {
    await simulateSeeds({ workload: deposits, seeds: 40 });
  });

  test("[PUSH4] may send messages to clients", async () => {
    const bells = {
      objects: [Bell],
      calls: 10,
      call: ({ object, n }) => object(Bell, "one", { callId: `c${n}` }).ring(),
      async check({ object, answers }) {
        const count = await object(Bell, "one").count();
        if (count !== answers.length) throw new Error(`it has rung ${count} times, and was to ${answers.length} times`);
      },
    } satisfies Workload<number>;
    await simulateSeeds({ workload: bells, seeds: 5 });
  });

  test("a promise that is broken is told with its seed, and the same seed breaks it again", async () => {
    const greedy = {
      ...deposits,
      async check({ object }) {
        const { balance } = await object(Wallet, "ann").getBalance();
        if (balance !== -1) throw new Error(`ann has ${balance}`);
      },
    } satisfies Workload;
    const told = simulateSeeds({ workload: greedy, seeds: 5, from: 7 });
    await expect(told).rejects.toThrow(/^seed 7: the workload's check: ann has \d+$/);
    const [first, second] = [
      await simulate({ seed: 7, workload: greedy }),
      await simulate({ seed: 7, workload: greedy }),
    ];
    expect(first.violation).toContain("ann has");
    expect(second).toEqual(first);
  });

  test("a client may do several things, wait, and be refused; the check hears what came of each", async () => {
    const { violation } = await simulate({
      seed: 3,
      workload: {
        objects: [Wallet],
        calls: 10,
        async call({ object, n, sleep }) {
          const wallet = object(Wallet, `w${n}`, { callId: "once" });
          await wallet.deposit({ amount: n + 1 });
          await sleep(100);
          if (n % 2 === 1) await object(Wallet, `w${n}`, { callId: "again" }).withdraw({ amount: 100 });
          return n;
        },
        check({ answers }) {
          expect(answers.map(({ n }) => n)).toEqual(Array.from({ length: 10 }, (_, n) => n));
          for (const { n, answer, error } of answers) {
            expect(n % 2 === 1 ? error?.reason : answer).toBe(n % 2 === 1 ? "INSUFFICIENT_FUNDS" : n);
          }
        },
      },
    });
    expect(violation).toBeUndefined();
  });

  test("[CALL5] of two types with the same ids and call ids each has its own calls, whatever their answers look like", async () => {
    const names = {
      objects: [Named, Wallet],
      calls: 20,
      async call({ object, n }) {
        await object(Named, "e", { callId: `c${n % 5}` }).put({ name: `n${n % 5}` });
        await object(Wallet, "e", { callId: `c${n % 5}` }).deposit({ amount: 1 });
      },
    } satisfies Workload;
    await simulateSeeds({ workload: names, seeds: 5 });
  });

  test("a mistake in the workload, and one in a method, break a seed", async () => {
    const { violation } = await simulate({
      seed: 1,
      workload: {
        objects: [Wallet],
        calls: 1,
        call: () => {
          throw new TypeError("a mistake of the workload's author");
        },
      },
    });
    expect(violation).toContain("call 0 of the workload threw TypeError: a mistake of the workload's author");
    const broken: Workload = { objects: [Broken], calls: 1, call: ({ object }) => object(Broken, "b").run() };
    expect((await simulate({ seed: 1, workload: broken })).violation).toContain("a mistake of its author");
  });
});
