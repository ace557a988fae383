import { describe, expect, test } from "vitest";
import type { ShardEvent, ShardRecord } from "../../src/placement/shard-state.ts";
import { type Exploration, explore, type Model } from "../../src/testing/explore/explore.ts";
import { FLAWS, type Flaw } from "../../src/testing/explore/flaws.ts";
import { type MoveModelOptions, moveModel } from "../../src/testing/explore/move-model.ts";

function summary(name: string, { states, transitions, depth }: Exploration<unknown>, start: number): string {
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  return `${name}: ${states} states, ${transitions} transitions, depth ${depth}, ${seconds} s`;
}

describe("the live move of a shard, every state of it", () => {
  const configurations: [name: string, options: MoveModelOptions, atLeast: number][] = [
    ["two partitions, two moves, turns that take time", { slowTurns: true }, 150_000],
    ["two partitions, there, back and there again", { moves: 3 }, 450_000],
    ["two partitions, two late requests at once", { late: 2, oneCall: true }, 200_000],
    ["three partitions, two moves", { partitions: 3 }, 300_000],
    ["two partitions, two crashes at most", { crashes: 2, moves: 1 }, 10_000],
  ];
  test.each(configurations)(
    "[OWN1] [OWN2] [MIG3] [MIG4] [MIG5] [TURN3] [CALL1] [MAP3] %s",
    { timeout: 300_000 },
    (name, options, atLeast) => {
      const start = performance.now();
      const { violation, ...result } = explore(moveModel(options));
      console.log(summary(name, result, start));
      expect(violation && { ...violation, trace: violation.trace.map(({ action }) => action) }).toBeUndefined();
      expect(result.complete).toBe(true);
      expect(result.states).toBeGreaterThan(atLeast);
    },
  );

  test("[MIG4] every row of the table of states is walked, and no other", () => {
    const rows = new Set<string>();
    const watch = (record: ShardRecord | undefined, event: ShardEvent, after: string) =>
      rows.add(`${record?.state.kind ?? "unknown"} ${event.kind} ${after}`);
    const options = { moves: 3, oneCall: true } as const;
    explore(
      moveModel({
        ...options,
        watch: (record, event, step) =>
          step.kind === "next" ? watch(record, event, step.record.state.kind) : undefined,
      }),
    );
    expect([...rows].sort()).toEqual([
      "gone drop gone",
      "gone stage incoming",
      "incoming drop gone",
      "incoming drop incoming",
      "incoming verify ready",
      "leaving commit gone",
      "leaving undo owned",
      "owned offer leaving",
      "owned undo owned",
      "ready activate owned",
      "ready drop gone",
      "ready drop ready",
      "ready stage incoming",
      "unknown claim owned",
      "unknown drop gone",
      "unknown stage incoming",
    ]);
  });
});

/** What callers and operators would see; the other rules find most flaws before it comes to that. */
const SEEN = /^\[OWN1\]|^\[TURN3\]|^\[CALL1\]|^\[MIG4\] (when nobody|never none)/;

interface Expected {
  readonly options?: MoveModelOptions;
  /** Steps to the first broken rule, of all. */
  readonly steps: number;
  readonly seen: string;
}

const EXPECTED: Record<Flaw, Expected> = {
  "unchecked-commit": { steps: 8, seen: "[TURN3]" },
  "eager-target": { steps: 6, seen: "[OWN1]" },
  "skipped-undo": { steps: 9, seen: "[MIG4]" },
  "forgotten-ids": { steps: 10, seen: "[MIG4]" },
  "same-epoch": { steps: 7, seen: "[MIG4]" },
  "early-reply": { options: { slowTurns: true }, steps: 2, seen: "[TURN3]" },
  "served-after-commit": { steps: 7, seen: "[TURN3]" },
  "lost-changes": { steps: 9, seen: "[TURN3]" },
  "claimed-again": { steps: 7, seen: "[OWN1]" },
  "marks-left": { steps: 7, seen: "[CALL1]" },
  "undone-commit": { steps: 8, seen: "[OWN1]" },
  "reopened-copy": { steps: 8, seen: "[MIG4]" },
  "stale-reopen": { options: { slowTurns: true }, steps: 15, seen: "[TURN3]" },
  "opened-gate": { options: { slowTurns: true, moves: 3, oneCall: true }, steps: 21, seen: "[TURN3]" },
};

describe("a move that is done wrong is found out", () => {
  test.each(Object.keys(FLAWS) as Flaw[])("[OWN1] [OWN2] [MIG4] %s", { timeout: 120_000 }, (flaw) => {
    const { options, steps, seen } = EXPECTED[flaw];
    const model = moveModel({ ...options, flaw });
    const { violation } = explore(model);
    expect(violation?.trace.length, violation?.invariant).toBe(steps + 1);
    const outside = model.invariants.filter(({ name }) => SEEN.test(name));
    const { violation: visible } = explore({ ...model, steps: [], invariants: outside });
    expect(visible?.invariant).toContain(seen);
  });
});

describe("explore", () => {
  /** Two jugs of 3 and 5: pour until there are 4. */
  const jugs: Model<readonly [number, number]> = {
    initial: [[0, 0]],
    successors: ([three, five], emit) => {
      emit("fill 3", [3, five]);
      emit("fill 5", [three, 5]);
      emit("empty 3", [0, five]);
      emit("empty 5", [three, 0]);
      const over = Math.min(three, 5 - five);
      emit("3 into 5", [three - over, five + over]);
      const back = Math.min(five, 3 - three);
      emit("5 into 3", [three + back, five - back]);
    },
    key: (state) => state.join(),
    invariants: [],
    steps: [],
  };

  test("visits every state once and tells how far the farthest is", () => {
    expect(explore(jugs)).toEqual({ states: 16, transitions: 96, depth: 7, complete: true });
  });

  test("finds a shortest way to a broken invariant", () => {
    const four = { name: "never 4", fault: ([, five]: readonly [number, number]) => (five === 4 ? "4" : undefined) };
    const { violation, complete } = explore({ ...jugs, invariants: [four] });
    expect(complete).toBe(false);
    expect(violation).toMatchObject({ invariant: "never 4", reason: "4" });
    expect(violation?.trace.map(({ action }) => action)).toEqual([
      "",
      "fill 5",
      "5 into 3",
      "empty 3",
      "5 into 3",
      "fill 5",
      "5 into 3",
    ]);
    expect(violation?.trace.at(-1)?.state).toEqual([3, 4]);
  });

  test("finds a step that must not be, also between states that may be", () => {
    const step = {
      name: "no emptying of a full jug",
      fault: ([before]: readonly [number, number], [after]: readonly [number, number]) =>
        before === 3 && after === 0 ? "spilt" : undefined,
    };
    const { violation } = explore({ ...jugs, steps: [step] });
    expect(violation?.trace.map(({ action }) => action)).toEqual(["", "fill 3", "empty 3"]);
  });

  test("finds what leads nowhere: ends, cycles, and ways that only a fault opens", () => {
    /** 0 to 3 is a line whose end is the goal; 9 is an end, 5 and 6 a cycle that a fault alone leaves. */
    const steps: Record<number, [to: number, fault?: boolean][]> = {
      0: [[1]],
      1: [[2], [5]],
      2: [[3], [9]],
      5: [[6]],
      6: [[5], [3, true]],
    };
    const model = (closed: readonly number[]): Model<number> => ({
      initial: [0],
      successors: (state, emit) => {
        for (const [to, fault] of steps[state] ?? []) if (!closed.includes(to)) emit(`to ${to}`, to, fault);
      },
      key: String,
      invariants: [],
      steps: [],
      goal: { name: "reaches 3", reached: (state) => state === 3 },
    });
    const stranded = (closed: readonly number[]) => explore(model(closed)).violation?.trace.map(({ state }) => state);
    expect(stranded([])).toEqual([0, 1, 5]);
    expect(stranded([5])).toEqual([0, 1, 2, 9]);
    expect(stranded([5, 9])).toBeUndefined();
    expect(explore(model([5, 9])).complete).toBe(true);
  });

  test("stops at its limit, and says so", () => {
    expect(explore(jugs, { limit: 5 })).toMatchObject({ complete: false });
  });
});
