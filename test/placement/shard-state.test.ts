import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ShardEvent,
  type ShardRecord,
  type ShardState,
  type ShardStep,
  serves,
  shardTransition,
} from "../../src/placement/shard-state.ts";

/** One record of each state; those of a move are of move 5, and 5 is the last that any of them has seen. */
const RECORDS = {
  unknown: undefined,
  owned: { state: { kind: "owned", epoch: 3 }, seen: 5 },
  leaving: { state: { kind: "leaving", epoch: 3, move: 5, to: "B" }, seen: 5 },
  gone: { state: { kind: "gone", epoch: 3, move: 5, to: "B" }, seen: 5 },
  incoming: { state: { kind: "incoming", epoch: 4, move: 5, from: "S" }, seen: 5 },
  ready: { state: { kind: "ready", epoch: 4, move: 5, from: "S" }, seen: 5 },
} as const satisfies Record<string, ShardRecord | undefined>;

type Kind = ShardEvent["kind"];

/** Events as they come in a history: the source of every move serves under epoch 3. */
function event(kind: Kind, move: number): ShardEvent {
  switch (kind) {
    case "claim":
      return { kind };
    case "offer":
      return { kind, move, to: "T" };
    case "stage":
      return { kind, move, from: "S", epoch: 4 };
    case "drop":
      return { kind, move, from: "S", epoch: 3 };
    default:
      return { kind, move };
  }
}

function text(step: ShardStep): string {
  if (step.kind !== "next") return step.kind;
  const { state, seen } = step.record;
  const move = "move" in state ? ` m${state.move} ${"to" in state ? state.to : state.from}` : "";
  return `${state.kind} e${state.epoch}${move}, seen ${seen}`;
}

const no = "refused";
const done = "done";

/** What becomes of each record with the event of an older move (4), of its own (5) and of a newer one (6). */
const TABLE: Record<Kind, Record<keyof typeof RECORDS, readonly [old: string, own: string, newer: string]>> = {
  claim: {
    unknown: ["owned e1, seen 0", "owned e1, seen 0", "owned e1, seen 0"],
    owned: [no, no, no],
    leaving: [no, no, no],
    gone: [no, no, no],
    incoming: [no, no, no],
    ready: [no, no, no],
  },
  offer: {
    unknown: [no, no, no],
    owned: [no, no, "leaving e3 m6 T, seen 6"],
    leaving: [no, done, "leaving e3 m6 T, seen 6"],
    gone: [no, no, no],
    incoming: [no, no, no],
    ready: [no, no, no],
  },
  commit: {
    unknown: [no, no, no],
    owned: [no, no, no],
    leaving: [no, "gone e4 m5 B, seen 5", no],
    gone: [no, done, no],
    incoming: [no, no, no],
    ready: [no, no, no],
  },
  undo: {
    unknown: [done, done, done],
    owned: [done, done, "owned e3, seen 6"],
    leaving: [done, "owned e3, seen 5", "leaving e3 m5 B, seen 6"],
    gone: [done, no, "gone e3 m5 B, seen 6"],
    incoming: [done, done, "incoming e4 m5 S, seen 6"],
    ready: [done, done, "ready e4 m5 S, seen 6"],
  },
  stage: {
    unknown: ["incoming e4 m4 S, seen 4", "incoming e4 m5 S, seen 5", "incoming e4 m6 S, seen 6"],
    owned: [no, no, no],
    leaving: [no, no, no],
    gone: [no, no, "incoming e4 m6 S, seen 6"],
    incoming: [no, done, "incoming e4 m6 S, seen 6"],
    ready: [no, "incoming e4 m5 S, seen 5", "incoming e4 m6 S, seen 6"],
  },
  verify: {
    unknown: [no, no, no],
    owned: [no, no, no],
    leaving: [no, no, no],
    gone: [no, no, no],
    incoming: [no, "ready e4 m5 S, seen 5", no],
    ready: [no, done, no],
  },
  activate: {
    unknown: [no, no, no],
    owned: [done, done, no],
    leaving: [done, done, no],
    gone: [done, done, no],
    incoming: [done, no, no],
    ready: [done, "owned e4, seen 5", no],
  },
  drop: {
    unknown: ["gone e3 m4 S, seen 4", "gone e3 m5 S, seen 5", "gone e3 m6 S, seen 6"],
    owned: [done, done, "owned e3, seen 6"],
    leaving: [done, done, "leaving e3 m5 B, seen 6"],
    gone: [done, done, "gone e3 m5 B, seen 6"],
    incoming: [done, "gone e3 m5 S, seen 5", "incoming e4 m5 S, seen 6"],
    ready: [done, "gone e3 m5 S, seen 5", "ready e4 m5 S, seen 6"],
  },
};

const cells = (Object.keys(TABLE) as Kind[]).flatMap((kind) =>
  (Object.keys(RECORDS) as (keyof typeof RECORDS)[]).map((name) => [kind, name] as const),
);

describe("a shard at its partition", () => {
  test.each(cells)("[OWN1] [OWN2] [MIG4] %s at a shard that is %s", (kind, name) => {
    const steps = [4, 5, 6].map((move) => shardTransition(RECORDS[name], event(kind, move)));
    expect(steps.map(text)).toEqual(TABLE[kind][name]);
  });

  test("[OWN1] owned and leaving are served, nothing else is", () => {
    const served = Object.entries(RECORDS).filter(([, record]) => serves(record?.state));
    expect(served.map(([name]) => name)).toEqual(["owned", "leaving"]);
  });

  test("[OWN2] rows of an epoch that is not above the one a partition knows are refused", () => {
    const gone = { state: { kind: "gone", epoch: 7, move: 5, to: "B" }, seen: 5 } as const;
    expect(text(shardTransition(gone, { kind: "stage", move: 6, from: "S", epoch: 7 }))).toBe(no);
    expect(text(shardTransition(gone, { kind: "stage", move: 6, from: "S", epoch: 8 }))).toBe(
      "incoming e8 m6 S, seen 6",
    );
  });

  test("[MIG4] a refusal says why", () => {
    for (const [kind, name] of cells) {
      const step = shardTransition(RECORDS[name], event(kind, 4));
      if (step.kind === "refused") expect(step.reason).toMatch(/^(the move is stale|it(s epoch)? is .+)$/);
    }
  });

  test("[MIG4] [OWN2] a whole life: claimed, moved away, back again, a move undone", () => {
    const life: [ShardEvent, string][] = [
      [{ kind: "claim" }, "owned e1, seen 0"],
      [{ kind: "offer", move: 1, to: "B" }, "leaving e1 m1 B, seen 1"],
      [{ kind: "commit", move: 1 }, "gone e2 m1 B, seen 1"],
      [{ kind: "undo", move: 1 }, no],
      [{ kind: "stage", move: 2, from: "B", epoch: 3 }, "incoming e3 m2 B, seen 2"],
      [{ kind: "activate", move: 2 }, no],
      [{ kind: "verify", move: 2 }, "ready e3 m2 B, seen 2"],
      [{ kind: "stage", move: 2, from: "B", epoch: 3 }, "incoming e3 m2 B, seen 2"],
      [{ kind: "verify", move: 2 }, "ready e3 m2 B, seen 2"],
      [{ kind: "activate", move: 2 }, "owned e3, seen 2"],
      [{ kind: "offer", move: 1, to: "B" }, no],
      [{ kind: "offer", move: 3, to: "C" }, "leaving e3 m3 C, seen 3"],
      [{ kind: "undo", move: 3 }, "owned e3, seen 3"],
      [{ kind: "offer", move: 3, to: "C" }, no],
      [{ kind: "undo", move: 4 }, "owned e3, seen 4"],
      [{ kind: "offer", move: 4, to: "C" }, no],
    ];
    let record: ShardRecord | undefined;
    for (const [each, expected] of life) {
      const step = shardTransition(record, each);
      expect(text(step), JSON.stringify(each)).toBe(expected);
      if (step.kind === "next") record = step.record;
    }
  });
});

/** The epoch somebody is known to serve under, or to have served: rows that come in announce the next one. */
function known({ kind, epoch }: ShardState): number {
  return kind === "incoming" || kind === "ready" ? epoch - 1 : epoch;
}

/** Events of a cluster in which the source of a later move serves under an epoch that is no lower. */
const events = fc
  .record({
    kind: fc.constantFrom<Kind>("claim", "offer", "commit", "undo", "stage", "verify", "activate", "drop"),
    move: fc.integer({ min: 1, max: 8 }),
    peer: fc.constantFrom("B", "C"),
  })
  .map(({ kind, move, peer }): ShardEvent => {
    const epoch = Math.ceil(move / 2);
    if (kind === "offer") return { kind, move, to: peer };
    if (kind === "stage") return { kind, move, from: peer, epoch: epoch + 1 };
    if (kind === "drop") return { kind, move, from: peer, epoch };
    return event(kind, move);
  });

describe("any history of a shard at its partition", () => {
  const histories = fc.array(events, { maxLength: 60 });

  function walk(history: readonly ShardEvent[], look: (before: ShardRecord | undefined, each: ShardEvent) => void) {
    let record: ShardRecord | undefined;
    for (const each of history) {
      look(record, each);
      const step = shardTransition(record, each);
      if (step.kind === "next") record = step.record;
    }
  }

  test("[OWN2] epochs and the number of the last move never go back, and no shard is forgotten", () => {
    fc.assert(
      fc.property(histories, (history) =>
        walk(history, (before, each) => {
          const step = shardTransition(before, each);
          if (step.kind !== "next" || before === undefined) return;
          expect(step.record.seen).toBeGreaterThanOrEqual(before.seen);
          expect(known(step.record.state)).toBeGreaterThanOrEqual(known(before.state));
        }),
      ),
      { numRuns: 2_000 },
    );
  });

  test("[OWN2] [MIG4] whoever begins to serve does so by a claim, or under a higher epoch than any it knew", () => {
    fc.assert(
      fc.property(histories, (history) =>
        walk(history, (before, each) => {
          const step = shardTransition(before, each);
          if (step.kind !== "next" || !serves(step.record.state) || serves(before?.state)) return;
          if (before === undefined) expect(each.kind).toBe("claim");
          else expect([each.kind, step.record.state.epoch > known(before.state)]).toEqual(["activate", true]);
        }),
      ),
      { numRuns: 2_000 },
    );
  });

  test("[OWN1] [MIG4] whoever stops serving does so by a commit alone", () => {
    fc.assert(
      fc.property(histories, (history) =>
        walk(history, (before, each) => {
          const step = shardTransition(before, each);
          if (step.kind !== "next" || !serves(before?.state) || serves(step.record.state)) return;
          expect(each.kind).toBe("commit");
        }),
      ),
      { numRuns: 2_000 },
    );
  });

  test("[MIG4] an event that comes again changes nothing more", () => {
    fc.assert(
      fc.property(histories, (history) =>
        walk(history, (before, each) => {
          const step = shardTransition(before, each);
          if (step.kind !== "next") return;
          const again = shardTransition(step.record, each);
          if (again.kind === "next") expect(again.record).toEqual(step.record);
          // A claim is made once. A commit is the source's own doing, and is told apart by `seen`.
          else if (each.kind !== "claim" && each.kind !== "commit") expect(again.kind).toBe("done");
        }),
      ),
      { numRuns: 2_000 },
    );
  });

  test("[MIG4] the record that was given is left as it is", () => {
    const frozen = (record: ShardRecord | undefined) =>
      record && Object.freeze({ ...record, state: Object.freeze({ ...record.state }) });
    fc.assert(
      fc.property(histories, (history) => walk(history, (before, each) => shardTransition(frozen(before), each))),
    );
  });
});
