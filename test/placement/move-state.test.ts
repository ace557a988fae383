import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ended,
  type MoveEvent,
  type MovePhase,
  type MoveState,
  moveTransition,
  PLANNED,
} from "../../src/placement/move-state.ts";

const PHASES: readonly MovePhase[] = ["planned", "copying", "undoing", "committed", "dropping", "done", "undone"];

function stateIn(phase: MovePhase): MoveState {
  const reason = phase === "undoing" || phase === "dropping" || phase === "undone" ? "why" : null;
  return { phase, epoch: phase === "planned" || phase === "copying" || phase === "undoing" ? null : 3, reason };
}

const counts = { rows: 1, bytes: 2 };
const EVENTS = {
  start: { kind: "start" },
  copying: { kind: "reported", report: { kind: "copying", ...counts } },
  waiting: { kind: "reported", report: { kind: "waiting", reason: "a turn", ...counts } },
  committed: { kind: "reported", report: { kind: "committed", epoch: 4, active: false, ...counts } },
  active: { kind: "reported", report: { kind: "committed", epoch: 4, active: true, ...counts } },
  refused: { kind: "reported", report: { kind: "refused", reason: "no" } },
  "give up": { kind: "give up", reason: "too old" },
  undone: { kind: "undo answered", report: { kind: "undone", epoch: 2 } },
  "not undone": { kind: "undo answered", report: { kind: "committed", epoch: 4 } },
  activated: { kind: "activated" },
  dropped: { kind: "dropped" },
  forced: { kind: "forced" },
} as const satisfies Record<string, MoveEvent>;

/** What becomes of a move; all that is not here leaves it as it is. */
const TABLE: Partial<Record<MovePhase, Partial<Record<keyof typeof EVENTS, MoveState>>>> = {
  planned: {
    start: { phase: "copying", epoch: null, reason: null },
    "give up": { phase: "undone", epoch: null, reason: "too old" },
  },
  copying: {
    committed: { phase: "committed", epoch: 4, reason: null },
    active: { phase: "done", epoch: 4, reason: null },
    refused: { phase: "undoing", epoch: null, reason: "no" },
    "give up": { phase: "undoing", epoch: null, reason: "too old" },
  },
  undoing: {
    committed: { phase: "committed", epoch: 4, reason: null },
    active: { phase: "done", epoch: 4, reason: null },
    undone: { phase: "dropping", epoch: 2, reason: "why" },
    "not undone": { phase: "committed", epoch: 4, reason: null },
  },
  committed: { activated: { phase: "done", epoch: 3, reason: null } },
  dropping: {
    dropped: { phase: "undone", epoch: 3, reason: "why" },
    forced: { phase: "undone", epoch: 3, reason: "why" },
  },
};

const cells = PHASES.flatMap((phase) =>
  (Object.keys(EVENTS) as (keyof typeof EVENTS)[]).map((name) => [phase, name] as const),
);

describe("a move at the coordinator", () => {
  test.each(cells)("[MIG4] a move that is %s hears: %s", (phase, name) => {
    const before = Object.freeze(stateIn(phase));
    const after = moveTransition(before, EVENTS[name]);
    const expected = TABLE[phase]?.[name];
    if (expected === undefined) expect(after).toBe(before);
    else expect(after).toEqual(expected);
  });

  test("[MIG4] it ends done or undone, and nothing moves it from there", () => {
    expect(PHASES.filter((phase) => ended(stateIn(phase)))).toEqual(["done", "undone"]);
    expect(PLANNED).toEqual(stateIn("planned"));
  });
});

/** How far a move is. The source's word of a commit, once heard, is final. */
const RANK: Record<MovePhase, number> = {
  planned: 0,
  copying: 1,
  undoing: 2,
  dropping: 3,
  committed: 3,
  done: 4,
  undone: 4,
};

describe("any history of a move", () => {
  const histories = fc.array(fc.constantFrom(...Object.values(EVENTS)), { maxLength: 30 });

  test("[MIG4] goes forward only, and a repetition changes nothing", () => {
    fc.assert(
      fc.property(histories, (history: readonly MoveEvent[]) => {
        let state = PLANNED;
        for (const event of history) {
          const next = moveTransition(state, event);
          if (next !== state) expect(RANK[next.phase]).toBeGreaterThan(RANK[state.phase]);
          expect(moveTransition(next, event)).toEqual(event.kind === "give up" ? expect.anything() : next);
          state = next;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("[MIG4] [OWN2] it is never both: what is committed is not undone, what is undone is not committed", () => {
    fc.assert(
      fc.property(histories, (history: readonly MoveEvent[]) => {
        const phases = [PLANNED];
        for (const event of history) phases.push(moveTransition(phases.at(-1) as MoveState, event));
        const seen = new Set(phases.map(({ phase }) => phase));
        expect((seen.has("committed") || seen.has("done")) && (seen.has("dropping") || seen.has("undone"))).toBe(false);
        for (const { phase, epoch } of phases) {
          if (phase === "committed" || phase === "done" || phase === "dropping") expect(epoch).not.toBeNull();
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("[MIG6] from everywhere an end is left to go to", () => {
    for (const phase of PHASES) {
      const seen = new Set<string>([JSON.stringify(stateIn(phase))]);
      for (const text of seen) {
        for (const event of Object.values(EVENTS)) seen.add(JSON.stringify(moveTransition(JSON.parse(text), event)));
      }
      expect([...seen].some((text) => ended(JSON.parse(text) as MoveState))).toBe(true);
    }
  });
});
