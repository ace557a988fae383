import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CallContext } from "../../src/object/call.ts";
import type { TypeDefinition } from "../../src/object/registry.ts";
import { Activation } from "../../src/partition/turns/activation.ts";
import { type Caller, cycleThrough } from "../../src/partition/turns/cycle-search.ts";
import {
  type Awaited,
  Turn,
  type TurnActivation,
  type TurnPlan,
  type TurnServices,
} from "../../src/partition/turns/turn.ts";
import { simpleSearch } from "./simple-search.ts";

/** Who waits for whom, made by hand: objects, what runs and waits on them, and messages that nobody has answered. */
class Graph {
  readonly objects = new Map<string, TurnActivation>();
  readonly #sent: Awaited[] = [];

  object(name: string): TurnActivation {
    const key = `T/${name}`;
    const known = this.objects.get(key);
    if (known !== undefined) return known;
    const made = new Activation<Turn>({ type: "T" } as TypeDefinition, name, 7, 1, 1);
    this.objects.set(key, made);
    return made;
  }

  turn(name: string, does: "runs" | "waits" | "has left", parent?: Turn): Turn {
    const activation = this.object(name);
    const info: Partial<CallContext> = { requestId: "r" };
    const plan = { info, readonly: false, parent } as Partial<TurnPlan> as TurnPlan;
    const turn = new Turn(activation, plan, {} as TurnServices);
    turn.status = does === "waits" ? "waiting" : "running";
    if (does === "runs") activation.mailbox.enter(turn, false);
    if (does === "waits") activation.mailbox.wait(turn);
    turn.beginWait();
    return turn;
  }

  /** The turn has sent a call to an object, which may be elsewhere. */
  send(turn: Turn, name: string, readonly = false): void {
    const awaited = { turn, key: `T/${name}`, readonly };
    turn.awaits ??= new Set();
    turn.awaits.add(awaited);
    this.#sent.push(awaited);
  }

  search(from: string, callers: readonly Caller[]) {
    return cycleThrough(this.object(from), callers, {
      activation: (key) => this.objects.get(key),
      sentTo: (key) => this.#sent.filter((awaited) => awaited.key === key),
    });
  }
}

const caller = (turn: Turn, readonly = false): Caller => ({
  key: turn.activation.key,
  turn: "t",
  readonly,
  local: turn,
});
const elsewhere = (name: string, readonly = false): Caller => ({
  key: `T/${name}`,
  turn: "t",
  readonly,
  local: undefined,
});

describe("a cycle that a call would close", () => {
  test("[TURN7] goes through calls, turns in line and messages, and names each object once", () => {
    const graph = new Graph();
    // a's turn has called b, where it waits for one that has sent a message to c, where one has called d.
    const a = graph.turn("a", "runs");
    graph.turn("b", "waits", a);
    const b = graph.turn("b", "runs");
    graph.send(b, "c");
    const d = graph.turn("d", "runs", graph.turn("c", "runs"));
    expect(graph.search("a", [caller(d)]).cycle).toEqual(["T/a", "T/b", "T/c", "T/d"]);
    // One that is only called by what runs there does not wait for it.
    expect(graph.search("d", [caller(a)]).cycle).toBeUndefined();
  });

  test("[TURN7] goes through an object elsewhere, unless both calls only read there", () => {
    for (const [sent, called, closes] of [
      [false, false, true],
      [true, false, true],
      [false, true, true],
      [true, true, false],
    ] as const) {
      const graph = new Graph();
      const a = graph.turn("a", "runs");
      graph.send(a, "x", sent);
      const cycle = closes ? ["T/a", "T/x"] : undefined;
      expect(graph.search("a", [elsewhere("x", called)]).cycle, `${sent} ${called}`).toEqual(cycle);
      expect(graph.search("a", [elsewhere("y", called)]).cycle).toBeUndefined();
    }
  });

  test("[TURN7] is none through a turn that has ended, or an answer that is on its way", () => {
    const graph = new Graph();
    const a = graph.turn("a", "runs");
    const b = graph.turn("b", "runs", a);
    expect(graph.search("a", [caller(b)]).cycle).toEqual(["T/a", "T/b"]);
    b.endWait();
    expect(graph.search("a", [caller(b)]).cycle).toBeUndefined();
    b.beginWait();
    a.status = "ended";
    graph.object("a").mailbox.leave(a);
    expect(graph.search("a", [caller(b)]).cycle).toBeUndefined();
  });

  test.each(["ahead", "behind"])("[TURN7] is not looked for in a long line %s of the shorter one", (long) => {
    const graph = new Graph();
    const line = (name: string) => {
      let last = graph.turn(`${name}0`, "runs");
      for (let n = 1; n < 300; n++) last = graph.turn(`${name}${n}`, "runs", last);
      return last;
    };
    const end = line("a");
    const other = graph.turn("b", "runs");
    const { cycle, steps } = long === "ahead" ? graph.search("a0", [caller(other)]) : graph.search("b", [caller(end)]);
    expect(cycle).toBeUndefined();
    expect(steps).toBeLessThan(12);
  });

  test("[TURN7] is found exactly when the simple search finds one", () => {
    const names = ["a", "b", "c", "d"];
    const name = fc.constantFrom(...names, "x", "y");
    const link = fc.record({
      on: fc.constantFrom(...names),
      does: fc.constantFrom("runs", "runs", "waits", "has left"),
      parent: fc.option(fc.nat(), { nil: undefined, freq: 1 }),
      sent: fc.array(fc.record({ to: name, readonly: fc.boolean() }), { maxLength: 2 }),
    });
    const called = fc.record({
      pick: fc.nat(),
      away: fc.option(fc.constantFrom("x", "y", "a"), { nil: undefined }),
      readonly: fc.boolean(),
    });
    let cycles = 0;
    fc.assert(
      fc.property(
        fc.array(link, { minLength: 1, maxLength: 12 }),
        fc.array(called, { minLength: 1, maxLength: 3 }),
        (links, calls) => {
          const graph = new Graph();
          const running: Turn[] = [];
          for (const { on, does, parent, sent } of links) {
            const turn = graph.turn(on, does, parent === undefined ? undefined : running[parent % running.length]);
            if (does === "waits") continue;
            running.push(turn);
            for (const { to, readonly } of sent) graph.send(turn, to, readonly);
          }
          const callers = calls.map(({ pick, away, readonly }) => {
            const turn = running[pick % running.length];
            return away !== undefined || turn === undefined ? elsewhere(away ?? "x", readonly) : caller(turn, readonly);
          });
          const { cycle } = graph.search("a", callers);
          expect(cycle !== undefined).toBe(simpleSearch(graph.object("a"), callers, graph.objects));
          if (cycle === undefined) return;
          cycles++;
          expect(cycle[0]).toBe("T/a");
          expect(callers.map(({ key }) => key)).toContain(cycle.at(-1));
        },
      ),
      { numRuns: 500 },
    );
    expect(cycles).toBeGreaterThan(30);
  });
});
