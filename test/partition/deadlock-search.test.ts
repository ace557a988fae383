import { type EdgeverseError, method, VirtualObject } from "edgeverse";
import { systemClock, TestCluster } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { ChainLink } from "../../src/object/message.ts";
import { runningTurn } from "../../src/partition/turns/deadlock.ts";
import type { Turn, TurnActivation } from "../../src/partition/turns/turn.ts";
import { ancestry } from "../../src/partition/turns/turn-chain.ts";
import type { Waits } from "../../src/partition/turns/waits.ts";
import { simpleSearch } from "./simple-search.ts";

/** Gives to another one by a reliable call, and waits for it. */
class Giver extends VirtualObject.withState(z.object({ has: z.number().default(0) })) {
  static override readonly type = "Giver";
  static override readonly methods = {
    take: method({ request: z.object({ amount: z.number() }) }),
    give: method({ request: z.object({ to: z.string(), amount: z.number() }) }),
  };
  take({ amount }: { amount: number }) {
    this.state.has += amount;
  }
  async give({ to, amount }: { to: string; amount: number }) {
    this.state.has -= amount;
    await this.object(Giver, to, { callId: this.callIdFor("take") }).take({ amount });
  }
}

interface Visit {
  readonly to: string;
  readonly way: "turn" | "look" | "reliable";
  readonly ms: number;
  readonly next: readonly Visit[];
  /** The calls of `next` at once, or one after the other. */
  readonly together: boolean;
}
const visit: z.ZodType<Visit> = z.lazy(() =>
  z.object({
    to: z.string(),
    way: z.enum(["turn", "look", "reliable"]),
    ms: z.number(),
    next: z.array(visit),
    together: z.boolean(),
  }),
);

abstract class Guest extends VirtualObject<Record<string, never>> {
  async turn({ ms, next, together }: Visit) {
    await new Promise<void>((resolve) => clock.after(ms, resolve));
    const go = ({ to, way, ...rest }: Visit) => {
      const [type, id] = to.split("/") as [string, string];
      const guest = this.object(
        type === "Plain" ? Plain : Reentrant,
        id,
        way === "reliable" ? { callId: `${calls++}` } : {},
      );
      return guest[way === "look" ? "look" : "turn"]({ to, way, ...rest }).catch(expectNoDeadline);
    };
    if (together) await Promise.all(next.map(go));
    else for (const one of next) await go(one);
  }
  look(request: Visit) {
    return this.turn(request);
  }
}
const methods = { turn: method({ request: visit }), look: method({ readonly: true, request: visit }) };
class Plain extends Guest {
  static override readonly type = "Plain";
  static override readonly state = z.object({});
  static override readonly methods = methods;
}
class Reentrant extends Guest {
  static override readonly type = "Reentrant";
  static override readonly reentrant = true;
  static override readonly state = z.object({});
  static override readonly methods = methods;
}

/** A cycle that nobody found ends at a deadline. */
function expectNoDeadline(error: unknown) {
  if ((error as EdgeverseError).code === "DEADLINE_EXCEEDED") throw error;
}

let clock: TestCluster["clock"];
let calls = 0;

/** Asks both searches each time one is made; gives how often, and how often there was a cycle. */
async function checked(cluster: TestCluster, partition: string, counts: { asked: number; cycles: number }) {
  const { engine, activations } = await cluster.partition(partition).core();
  const { waits } = engine;
  const compare = (
    cycle: string[] | undefined,
    from: TurnActivation,
    callers: readonly (ChainLink & { readonly local: Turn | undefined })[],
  ) => {
    counts.asked++;
    expect(cycle !== undefined).toBe(callers.length > 0 && simpleSearch(from, callers, activations.map));
    if (cycle === undefined) return cycle;
    counts.cycles++;
    expect(cycle[0]).toBe(from.key);
    expect(callers.map(({ key }) => key)).toContain(cycle.at(-1));
    return cycle;
  };
  const [one, chained] = [waits.closesCycle.bind(waits), waits.chainClosesCycle.bind(waits)];
  const spied: Pick<Waits, "closesCycle" | "chainClosesCycle"> = {
    closesCycle: (turn) => compare(one(turn), turn.activation, [...ancestry(turn)].slice(1)),
    chainClosesCycle: (activation, chain) => {
      const local = ({ key, ...link }: ChainLink) => {
        const caller = activations.map.get(key);
        return caller === undefined ? undefined : runningTurn(caller, { key, ...link });
      };
      const callers = chain.map((link) => ({ ...link, local: local(link) }));
      return compare(chained(activation, chain), activation, callers);
    },
  };
  Object.assign(waits, spied);
}

const names = ["Plain/a", "Plain/b", "Plain/c", "Plain/d", "Reentrant/e", "Reentrant/f"];
const visits = (depth: number): fc.Arbitrary<Visit> =>
  fc.record({
    to: fc.constantFrom(...names),
    way: fc.constantFrom("turn", "turn", "look", "reliable"),
    ms: fc.nat(4),
    next: depth === 0 ? fc.constant([]) : fc.array(visits(depth - 1), { maxLength: 3 }),
    together: fc.boolean(),
  });

describe("the search for cycles", () => {
  for (const partitions of [1, 2])
    test(`[TURN7] finds one exactly when the simple search does, whatever waits for whatever, in ${partitions} partitions`, async () => {
      const counts = { asked: 0, cycles: 0 };
      await fc.assert(
        fc.asyncProperty(fc.array(visits(3), { minLength: 2, maxLength: 8 }), async (roots) => {
          using cluster = new TestCluster({
            objects: [Plain, Reentrant],
            partitions,
            config: { shards: 8, rebalance: "off", maxAttempts: 2, callTimeout: "20s" },
          });
          clock = cluster.clock;
          for (const partition of ["p0", "p1"].slice(0, partitions)) await checked(cluster, partition, counts);
          const replies = roots.map(({ to, way, ...rest }) => {
            const [type, id] = to.split("/") as [string, string];
            const options = way === "reliable" ? { callId: `${calls++}` } : {};
            return cluster.send(type, id, way === "look" ? "look" : "turn", { to, way, ...rest }, options);
          });
          const ends = await clock.until(Promise.all(replies));
          const late = ends.filter((reply) => reply.kind === "error" && reply.error.code === "DEADLINE_EXCEEDED");
          // In one partition none goes unseen.
          if (partitions === 1) expect(late).toEqual([]);
          expect(cluster.thrown).toEqual([]);
        }),
        { numRuns: 80 },
      );
      expect(counts.asked).toBeGreaterThan(200);
      expect(counts.cycles).toBeGreaterThan(20);
    });

  const orders: Record<string, (length: number) => number[]> = {
    "from its end": (length) => Array.from({ length }, (_, index) => length - 1 - index),
    "from its start": (length) => Array.from({ length }, (_, index) => index),
    "in any order": (length) => Array.from({ length }, (_, index) => (index * 7_919) % length),
  };
  for (const [name, order] of Object.entries(orders))
    test(`[TURN7] takes few steps for a long line of gifts, begun ${name}`, async () => {
      const length = 1_500;
      using cluster = new TestCluster({
        objects: [Giver],
        clock: systemClock,
        config: { shards: 8, partitionMailbox: 100_000, callTimeout: "10m" },
      });
      await Promise.all(
        Array.from({ length: length + 1 }, (_, i) => cluster.send("Giver", `w${i}`, "take", { amount: 10 })),
      );
      const gifts = order(length).map((i) => cluster.send("Giver", `w${i}`, "give", { to: `w${i + 1}`, amount: 1 }));
      const kinds = new Set((await Promise.all(gifts)).map(({ kind }) => kind));
      expect([...kinds]).toEqual(["response"]);
      const { stats } = (await cluster.partition("p0").core()).engine.waits;
      expect(stats.searches).toBeGreaterThanOrEqual(length - 1);
      expect(stats.steps).toBeLessThan(8 * length * Math.log2(length));
    });
});
