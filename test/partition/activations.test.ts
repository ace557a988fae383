import { method, VirtualObject } from "edgeverse";
import { ManualClock, TestCluster } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { TypeDefinition } from "../../src/object/registry.ts";
import { type ActivationLimits, Activations } from "../../src/partition/turns/activations.ts";
import type { TurnActivation } from "../../src/partition/turns/turn.ts";

const DEFINITION = { type: "T" } as TypeDefinition;
const WHERE = { position: 1, shard: 1, epoch: 1 };

function setup({ room = 1e9, ...limits }: Partial<ActivationLimits> & { room?: number } = {}) {
  const clock = new ManualClock();
  const evicted: [id: string, reason: string][] = [];
  const all = { idleTimeout: 60_000, maxObjects: 1_000, ...limits };
  const activations: Activations = new Activations(clock, all, { room }, (activation, reason) => {
    evicted.push([activation.id, reason]);
    activations.forget(activation);
  });
  const open = (id: string) => activations.open(`T/${id}`, DEFINITION, id, WHERE);
  const ids = () => [...activations.map.values()].map((activation) => activation.id);
  return { clock, activations, evicted, open, ids };
}

function sum(activations: Activations): number {
  return [...activations.map.values()].reduce((total, activation) => total + activation.bytes, 0);
}

describe("Activations", () => {
  test("opening an object twice gives the same activation; another key another one", () => {
    const { activations, open } = setup();
    const activation = open("a");
    expect(open("a")).toBe(activation);
    expect(open("b")).not.toBe(activation);
    expect([...activations.all()].map(({ key }) => key)).toEqual(["T/a", "T/b"]);
    expect(activation).toMatchObject({ id: "a", ...WHERE });
  });

  test("[LIFE2] beyond the limit the hand takes the first activation that was not used since it passed", () => {
    const { evicted, open, ids } = setup({ maxObjects: 3 });
    const [a, b, c] = ["a", "b", "c"].map(open) as [TurnActivation, TurnActivation, TurnActivation];
    for (const activation of [a, b, c]) activation.referenced = false;
    b.referenced = true;
    open("d");
    expect(evicted).toEqual([["a", "capacity"]]);
    open("e");
    // b had a second chance, c had none.
    expect(evicted).toEqual([
      ["a", "capacity"],
      ["c", "capacity"],
    ]);
    expect(ids().sort()).toEqual(["b", "d", "e"]);
  });

  test("[LIFE2] an activation in constant use hardly ever leaves, however many others come and go", () => {
    const { evicted, open } = setup({ maxObjects: 50 });
    for (let index = 0; index < 5_000; index++) {
      open("hot").referenced = true;
      open(`cold${index}`);
    }
    const hot = evicted.filter(([id]) => id === "hot").length;
    expect(evicted.length).toBeGreaterThanOrEqual(4_950);
    // Only when the hand went all the way round in one go, which a flag can't outlast.
    expect(hot).toBeLessThanOrEqual(100);
  });

  test.each<[string, (activation: TurnActivation) => void]>([
    ["to be written", (activation) => (activation.dirty = true)],
    ["with a pending reliable call", (activation) => activation.pendingCalls++],
    ["with a running turn", (activation) => activation.mailbox.enter({} as never, true)],
    ["with a waiting turn", (activation) => activation.mailbox.wait({} as never)],
  ])("[LIFE2] an activation %s stays, whatever the limits say", async (_, occupy) => {
    const { clock, activations, evicted, open, ids } = setup({ maxObjects: 1 });
    const busy = open("busy");
    occupy(busy);
    busy.referenced = false;
    for (const id of ["a", "b", "c"]) open(id);
    await clock.advance(300_000);
    activations.sweep();
    expect(evicted.map(([id]) => id)).not.toContain("busy");
    expect(ids()).toEqual(["busy"]);
    expect(open("busy")).toBe(busy);
  });

  test("[LIFE2] the size of all together is bounded, too, and counted exactly", () => {
    const text = "x".repeat(10_000);
    const one = Object.assign(setup().open("a"), { text }).bytes;
    const { activations, evicted, open } = setup({ room: one * 1.5 });
    for (const id of ["a", "b"]) {
      const activation = Object.assign(open(id), { text, referenced: false });
      activations.account(activation);
    }
    expect(evicted).toEqual([]);
    expect(activations.bytes).toBe(sum(activations));
    expect(activations.bytes).toBe(one * 2);
    open("c");
    expect(evicted).toEqual([["a", "capacity"]]);
    expect(activations.bytes).toBe(sum(activations));
    expect(activations.bytes).toBeLessThanOrEqual(one * 1.5);
  });

  test("[LIFE2] whatever is opened, used, grown and forgotten: the limits hold and the bytes add up", () => {
    const step = fc.record({
      do: fc.constantFrom("open", "open", "open", "use", "grow", "forget", "clear" as const),
      id: fc.nat(20),
      size: fc.nat(500),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 80 }), (maxObjects, steps) => {
        const { activations, open } = setup({ maxObjects });
        for (const next of steps) {
          const known = activations.map.get(`T/${next.id}`);
          if (next.do === "open") {
            const activation = open(String(next.id));
            if (known !== undefined) expect(activation).toBe(known);
            expect(activations.map.size).toBeLessThanOrEqual(maxObjects);
          } else if (known !== undefined) {
            if (next.do === "use") known.referenced = true;
            if (next.do === "grow") {
              known.text = "x".repeat(next.size);
              activations.account(known);
            }
            if (next.do === "forget") activations.forget(known);
          }
          if (next.do === "clear" && next.size < 50) activations.clear();
          expect(activations.bytes).toBe(sum(activations));
        }
      }),
    );
  });

  test("[TURN1] opening an activation never evicts that activation: its caller is about to run a turn on it", () => {
    const { activations, open } = setup({ maxObjects: 2 });
    for (const id of ["a", "b"]) open(id).mailbox.enter({} as never, true);
    const activation = open("c");
    expect(activations.map.get("T/c")).toBe(activation);
    expect(open("c")).toBe(activation);
  });

  test("an activation that was forgotten changes nothing any more", () => {
    const { activations, open } = setup();
    const old = open("a");
    activations.forget(old);
    const young = open("a");
    expect(young).not.toBe(old);
    old.text = "x".repeat(1_000);
    activations.account(old);
    activations.forget(old);
    expect(activations.map.get("T/a")).toBe(young);
    expect(activations.bytes).toBe(young.bytes);
  });

  test("[LIFE2] an unused activation leaves after the idle timeout, a used one stays", async () => {
    const { clock, activations, evicted, open } = setup({ idleTimeout: 60_000 });
    open("a");
    const used = open("b");
    await clock.advance(59_999);
    activations.sweep();
    expect(evicted).toEqual([]);
    used.lastUsed = clock.now();
    await clock.advance(20_000);
    open("c");
    expect(evicted).toEqual([["a", "idle"]]);
    await clock.advance(60_000);
    activations.sweep();
    expect(evicted).toEqual([
      ["a", "idle"],
      ["b", "idle"],
      ["c", "idle"],
    ]);
    expect([activations.map.size, activations.bytes]).toEqual([0, 0]);
  });

  test("[LIFE2] opening an object that was idle for long gives an activation that is in the map", async () => {
    const { clock, activations, open } = setup({ idleTimeout: 60_000 });
    open("a");
    await clock.advance(120_000);
    const activation = open("a");
    expect(activations.map.get("T/a")).toBe(activation);
    expect(activation.lastUsed).toBe(clock.now());
  });

  test("[MEM2] objects in memory cost no timer", async () => {
    const { clock, activations, open } = setup();
    for (let index = 0; index < 100; index++) open(String(index));
    expect(clock.timers).toBe(0);
    activations.clear();
    expect([activations.map.size, activations.bytes, clock.timers]).toEqual([0, 0, 0]);
  });
});

describe("a partition short of memory", () => {
  const gates: (() => void)[] = [];

  class Slow extends VirtualObject<{ value: number }> {
    static override readonly type = "Slow";
    static override readonly state = z.object({ value: z.number().default(0) });
    static override readonly methods = { bump: method(), get: method({ readonly: true }) };
    async bump() {
      const before = this.state.value;
      await new Promise<void>((resolve) => gates.push(resolve));
      this.state.value = before + 1;
      return this.state.value;
    }
    get() {
      return this.state.value;
    }
  }

  test("[TURN1] [LIFE2] runs one turn at a time per object even while every object is busy", async () => {
    gates.length = 0;
    const cluster = new TestCluster({ objects: [Slow], config: { maxObjects: 2 } });
    const clock = cluster.clock;
    const sent = ["x", "y", "a", "a", "a"].map((id) => cluster.send("Slow", id, "bump"));
    for (let round = 0; round < 10; round++) {
      await clock.advance(1);
      for (const open of gates.splice(0)) open();
    }
    await Promise.all(sent);
    expect(await cluster.call("Slow", "a", "get")).toBe(3);
  });
});
