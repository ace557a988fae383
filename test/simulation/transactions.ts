import { z } from "zod";
import { EdgeverseError, method, VirtualObject } from "../../src/index.ts";
import { POISON } from "../../src/testing/simulation/sim-storage.ts";
import type { Workload } from "../../src/testing/simulation/workload.ts";
import { checkSerializable, type Transaction } from "./serializability.ts";

const groups = ["g0", "g1"];
const names = ["a", "b", "c", "d"];
const token = z.object({ token: z.string() });
const story = z.object({
  token: z.string(),
  cells: z.array(z.string()),
  deed: z.enum(["append", "look", "refuse", "throw", "poison"]),
  /** Awaits something before the transaction. */
  late: z.boolean(),
  /** Awaits something in the middle of it. */
  slow: z.boolean(),
});
type Story = z.infer<typeof story>;
/** Cells, and what they held. */
type Seen = [cell: string, tokens: string[]][];

/** Lets time pass: a reliable call of it takes a commit, and often messages. */
class Pause extends VirtualObject {
  static override readonly type = "Pause";
  static override readonly methods = { rest: method() };
  rest(): void {}
}

/** A list that is appended to, in transactions with others of its group. */
class Cell extends VirtualObject.withState(z.object({ tokens: z.array(z.string()).default([]) })) {
  static override readonly type = "Cell";
  static override readonly shardBy = (id: string) => id.split(":")[0];
  static override readonly methods = {
    run: method({ request: story }),
    append: method({ request: token }),
    see: method({ readonly: true }),
    refuse: method({ request: token }),
    rest: method(),
  };

  async run({ token, cells, deed, late, slow }: Story): Promise<Seen> {
    if (late) await this.rest();
    const objects = cells.map((id) => [Cell, id] as const);
    return this.transact(objects, async (...stubs) => {
      const seen: Seen = [];
      for (const [index, stub] of stubs.entries()) {
        const poisoned = deed === "poison" && index === 0 ? token + POISON : token;
        const list = deed === "look" ? await stub.see() : await stub.append({ token: poisoned });
        seen.push([cells[index] as string, list]);
        if (slow) await stub.rest();
      }
      if (deed === "refuse") await stubs[0]?.refuse({ token }).catch(() => undefined);
      if (deed === "throw") this.fail("THROWN", "after all of it");
      return seen;
    });
  }

  /** Answers what was there before. */
  append({ token }: { token: string }): string[] {
    const before = [...this.state.tokens];
    this.state.tokens.push(token);
    return before;
  }

  see(): string[] {
    return this.state.tokens;
  }

  refuse({ token }: { token: string }): void {
    this.state.tokens.push(`refused ${token}`);
    this.fail("REFUSED", "no");
  }

  async rest(): Promise<void> {
    await this.object(Pause, this.id, { callId: this.callIdFor("rest") }).rest();
  }
}

let moment = 0;

/** Transactions over the cells of a group, plain and reliable, by cells and by desks, with all their ends. */
export default {
  objects: [Cell, Pause],
  calls: 40,
  async call({ object, random, n }): Promise<Transaction> {
    const group = random.pick(groups);
    const cells = names.filter(() => random.chance(0.6)).map((name) => `${group}:${name}`);
    if (cells.length === 0) cells.push(`${group}:a`);
    if (random.chance(0.5)) cells.reverse();
    const [name, late, slow] = [`t${n}`, random.chance(0.2), random.chance(0.4)];
    const deed = random.weighted({ append: 12, look: 4, refuse: 2, throw: 1, poison: 1 });
    const alone = random.chance(0.15);
    const reliable = deed !== "poison" && random.chance(0.4);
    const options = reliable ? { callId: name } : {};
    // A desk is in nobody's transaction but its own. Only such a one may await something first and not fail over it.
    const by = late || random.chance(0.3) ? `${group}:desk${n % 3}` : random.pick(cells);
    const begin = ++moment;
    const ended = (outcome: Transaction["outcome"], reads?: Transaction["reads"]): Transaction => {
      const appends = alone || deed === "look" ? [] : cells;
      return { token: name, appends, reads, outcome, begin, end: ++moment };
    };
    try {
      if (alone) return ended("happened", { [by]: await object(Cell, by).see() });
      const seen = await object(Cell, by, options).run({ token: name, cells, deed, late, slow });
      if (deed === "refuse" || deed === "throw") throw new Error(`[TX2] ${name} happened, and a part of it failed`);
      return ended("happened", Object.fromEntries(seen));
    } catch (error) {
      if (!(error instanceof EdgeverseError)) throw error;
      if (error.code === "DEADLOCK" || error.code === "INTERNAL") throw new Error(`[TX4] ${name}: ${error.message}`);
      const failed = error.code === "CALL_FAILED" || (error.code === "COMMIT_REFUSED" && !reliable);
      return ended(failed ? "did not" : "unknown");
    }
  },
  async check({ object, answers }) {
    const final: Record<string, readonly string[]> = {};
    for (const group of groups) {
      for (const name of [...names, "desk0", "desk1", "desk2"]) {
        final[`${group}:${name}`] = await object(Cell, `${group}:${name}`).see();
      }
    }
    checkSerializable(
      answers.map(({ answer }) => answer as Transaction),
      final,
    );
  },
} satisfies Workload<Transaction>;
