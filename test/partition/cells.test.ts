import { method, VirtualObject } from "edgeverse";
import { ManualClock, TestCluster } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { TypeDefinition } from "../../src/object/registry.ts";
import { type CellLimits, Cells } from "../../src/partition/turns/activations.ts";
import type { TurnCell } from "../../src/partition/turns/turn.ts";

const DEFINITION = { type: "T" } as TypeDefinition;
const WHERE = { ring: 1, shard: 1, epoch: 1 };

function setup(limits: Partial<CellLimits> = {}) {
  const clock = new ManualClock();
  const evicted: [id: string, reason: string][] = [];
  const all = { idleTimeout: 60_000, maxObjects: 1_000, maxObjectBytes: 1e9, ...limits };
  const cells: Cells = new Cells(clock, all, (cell, reason) => {
    evicted.push([cell.id, reason]);
    cells.forget(cell);
  });
  const open = (id: string) => cells.open(`T/${id}`, DEFINITION, id, WHERE);
  const ids = () => [...cells.map.values()].map((cell) => cell.id);
  return { clock, cells, evicted, open, ids };
}

function sum(cells: Cells): number {
  return [...cells.map.values()].reduce((total, cell) => total + cell.bytes, 0);
}

describe("Cells", () => {
  test("opening an object twice gives the same cell; another key another one", () => {
    const { cells, open } = setup();
    const cell = open("a");
    expect(open("a")).toBe(cell);
    expect(open("b")).not.toBe(cell);
    expect([...cells.all()].map(({ key }) => key)).toEqual(["T/a", "T/b"]);
    expect(cell).toMatchObject({ id: "a", ...WHERE });
  });

  test("[LIFE2] beyond the limit the hand takes the first cell that was not used since it passed", () => {
    const { evicted, open, ids } = setup({ maxObjects: 3 });
    const [a, b, c] = ["a", "b", "c"].map(open) as [TurnCell, TurnCell, TurnCell];
    for (const cell of [a, b, c]) cell.referenced = false;
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

  test("[LIFE2] a cell in constant use hardly ever leaves, however many others come and go", () => {
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

  test.each<[string, (cell: TurnCell) => void]>([
    ["to be written", (cell) => (cell.dirty = true)],
    ["with a pending reliable call", (cell) => cell.held++],
    ["with a running turn", (cell) => cell.mailbox.enter({} as never, true)],
    ["with a waiting turn", (cell) => cell.mailbox.wait({} as never)],
  ])("[LIFE2] a cell %s stays, whatever the limits say", async (_, occupy) => {
    const { clock, cells, evicted, open, ids } = setup({ maxObjects: 1 });
    const busy = open("busy");
    occupy(busy);
    busy.referenced = false;
    for (const id of ["a", "b", "c"]) open(id);
    await clock.advance(300_000);
    cells.sweep();
    expect(evicted.map(([id]) => id)).not.toContain("busy");
    expect(ids()).toEqual(["busy"]);
    expect(open("busy")).toBe(busy);
  });

  test("[LIFE2] the size of all together is bounded, too, and counted exactly", () => {
    const text = "x".repeat(10_000);
    const one = Object.assign(setup().open("a"), { text }).bytes;
    const { cells, evicted, open } = setup({ maxObjectBytes: one * 1.5 });
    for (const id of ["a", "b"]) {
      const cell = Object.assign(open(id), { text, referenced: false });
      cells.account(cell);
    }
    expect(evicted).toEqual([]);
    expect(cells.bytes).toBe(sum(cells));
    expect(cells.bytes).toBe(one * 2);
    open("c");
    expect(evicted).toEqual([["a", "capacity"]]);
    expect(cells.bytes).toBe(sum(cells));
    expect(cells.bytes).toBeLessThanOrEqual(one * 1.5);
  });

  test("[LIFE2] whatever is opened, used, grown and forgotten: the limits hold and the bytes add up", () => {
    const step = fc.record({
      do: fc.constantFrom("open", "open", "open", "use", "grow", "forget", "clear" as const),
      id: fc.nat(20),
      size: fc.nat(500),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 80 }), (maxObjects, steps) => {
        const { cells, open } = setup({ maxObjects });
        for (const next of steps) {
          const known = cells.map.get(`T/${next.id}`);
          if (next.do === "open") {
            const cell = open(String(next.id));
            if (known !== undefined) expect(cell).toBe(known);
            expect(cells.map.size).toBeLessThanOrEqual(maxObjects);
          } else if (known !== undefined) {
            if (next.do === "use") known.referenced = true;
            if (next.do === "grow") {
              known.text = "x".repeat(next.size);
              cells.account(known);
            }
            if (next.do === "forget") cells.forget(known);
          }
          if (next.do === "clear" && next.size < 50) cells.clear();
          expect(cells.bytes).toBe(sum(cells));
        }
      }),
    );
  });

  test("[TURN1] opening a cell never evicts that cell: its caller is about to run a turn on it", () => {
    const { cells, open } = setup({ maxObjects: 2 });
    for (const id of ["a", "b"]) open(id).mailbox.enter({} as never, true);
    const cell = open("c");
    expect(cells.map.get("T/c")).toBe(cell);
    expect(open("c")).toBe(cell);
  });

  test("a cell that was forgotten changes nothing any more", () => {
    const { cells, open } = setup();
    const old = open("a");
    cells.forget(old);
    const young = open("a");
    expect(young).not.toBe(old);
    old.text = "x".repeat(1_000);
    cells.account(old);
    cells.forget(old);
    expect(cells.map.get("T/a")).toBe(young);
    expect(cells.bytes).toBe(young.bytes);
  });

  test("[LIFE2] an unused cell leaves after the idle timeout, a used one stays", async () => {
    const { clock, cells, evicted, open } = setup({ idleTimeout: 60_000 });
    open("a");
    const used = open("b");
    await clock.advance(59_999);
    cells.sweep();
    expect(evicted).toEqual([]);
    used.lastUsed = clock.now();
    await clock.advance(20_000);
    open("c");
    expect(evicted).toEqual([["a", "idle"]]);
    await clock.advance(60_000);
    cells.sweep();
    expect(evicted).toEqual([
      ["a", "idle"],
      ["b", "idle"],
      ["c", "idle"],
    ]);
    expect([cells.map.size, cells.bytes]).toEqual([0, 0]);
  });

  test("[LIFE2] opening an object that was idle for long gives a cell that is in the map", async () => {
    const { clock, cells, open } = setup({ idleTimeout: 60_000 });
    open("a");
    await clock.advance(120_000);
    const cell = open("a");
    expect(cells.map.get("T/a")).toBe(cell);
    expect(cell.lastUsed).toBe(clock.now());
  });

  test("[MEM2] objects in memory cost no timer", async () => {
    const { clock, cells, open } = setup();
    for (let index = 0; index < 100; index++) open(String(index));
    expect(clock.timers).toBe(0);
    cells.clear();
    expect([cells.map.size, cells.bytes, clock.timers]).toEqual([0, 0, 0]);
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
    const clock = cluster.clock as ManualClock;
    const sent = ["x", "y", "a", "a", "a"].map((id) => cluster.send("Slow", id, "bump"));
    for (let round = 0; round < 10; round++) {
      await clock.advance(1);
      for (const open of gates.splice(0)) open();
    }
    await Promise.all(sent);
    expect(await cluster.call("Slow", "a", "get")).toBe(3);
  });
});
