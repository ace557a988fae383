import { describe, expect, test } from "vitest";
import { plan } from "../../src/placement/plan.ts";
import type { Plan, PlanMember, PlanShard, Policy } from "../../src/placement/plan-types.ts";
import { cluster, load, member, NOW, POLICY } from "./plan-fixture.ts";

const many: Policy = { ...POLICY, batch: 100 };
const off: Policy = { ...many, strategy: "off" };

const movesOf = (made: Plan) => made.moves.map(({ shard, to, reason }) => `${shard} ${to} ${reason}`);

/** One shard for each of these. */
function planned(members: readonly PlanMember[], shards: readonly Partial<PlanShard>[], policy = off): Plan {
  const made = plan(
    cluster(members, shards.length, (shard) => shards[shard] as Partial<PlanShard>),
    policy,
    NOW,
  );
  return { ...made, skipped: made.skipped.filter(({ reason }) => reason !== "off") };
}

describe("a drain", () => {
  const members = [
    member("p0", { state: "draining" }),
    member("p1"),
    member("p2", { state: "cordoned" }),
    member("p3", { weight: 2 }),
  ];

  test("[MEM1] goes to the base owner if it may have it, else to who has most room for its weight", () => {
    const made = planned(members, [
      { base: "p1" },
      { base: "p2" },
      { base: "p0" },
      { base: "nobody" },
      { owner: "p1" },
      { owner: "p3" },
    ]);
    expect(movesOf(made)).toEqual(["0 p1 drain", "1 p3 drain", "2 p3 drain", "3 p3 drain"]);
    expect(made.moves[0]).toMatchObject({ from: "p0", detail: "p0 is being drained" });
    expect(made.skipped).toEqual([]);
  });

  test("[MEM1] takes what a partition has that is no member any more", () => {
    const made = planned(members, [{ owner: "gone", base: "p1" }, { owner: "gone", base: "gone" }, { owner: "p2" }]);
    expect(movesOf(made)).toEqual(["0 p1 drain", "1 p3 drain"]);
    expect(made.stats.members.map(({ shards }) => shards)).toEqual([0, 1, 1, 1]);
  });

  test("[PLAN3] that finds nobody says so", () => {
    const made = planned([member("p0", { state: "draining" }), member("p1", { state: "cordoned" })], [{}, {}]);
    expect(made.skipped).toStrictEqual([{ reason: "no-target", count: 2, detail: "shard 0 of p0" }]);
  });

  test("[PLAN1] stops where the batch is full, and leaves what is on its way", () => {
    const made = planned(members, [{ moving: true }, {}, {}, {}], { ...off, batch: 2 });
    expect(movesOf(made)).toEqual(["1 p1 drain", "2 p3 drain"]);
    expect(made.skipped).toStrictEqual([{ reason: "batch", count: 1, detail: "at most 2 moves a plan" }]);
  });
});

describe("a pin", () => {
  const members = [member("p0"), member("p1", { state: "cordoned" }), member("p2", { state: "draining" })];

  test("[PLAN2] moves to the member it names, wherever it is", () => {
    const made = planned(members, [
      { owner: "p2", pinned: true, pinnedTo: "p1" },
      { pinned: true, pinnedTo: "p0" },
    ]);
    expect(movesOf(made)).toEqual(["0 p1 pin"]);
    expect(made.moves[0]?.detail).toBe("pinned to p1");
  });

  test("[PLAN3] to nobody, or to one that drains, stays where it is and says so", () => {
    const made = planned(members, [
      { pinned: true, pinnedTo: "p2" },
      { owner: "p2", base: "p0", pinned: true, pinnedTo: "nobody" },
    ]);
    expect(made.moves).toEqual([]);
    expect(made.skipped).toStrictEqual([{ reason: "no-target", count: 2, detail: "pin of shard 0" }]);
  });

  test("[PLAN2] to where it is gives way to no drain; one that names nobody does", () => {
    const made = planned(members, [
      { owner: "p2", base: "p0", pinned: true },
      { owner: "p2", base: "p0", pinned: true, pinnedTo: "p2" },
    ]);
    expect(movesOf(made)).toEqual(["0 p0 drain"]);
    const detail = "shard 1 is pinned to p2, which is being drained";
    expect(made.skipped).toStrictEqual([{ reason: "pinned", count: 1, detail }]);
  });
});

describe("a rule", () => {
  const members = [member("p0"), member("p1", { labels: { gpu: "yes" } }), member("p2", { labels: { gpu: "yes" } })];
  const rules: Policy["rules"] = [{ type: "Model", on: { gpu: "yes" } }];
  const model = { load: load(1, ["Model"]) };

  test("[PLAN1] moves what may not be where it is, whatever the strategy; pins and moves are left", () => {
    const made = planned(members, [model, {}, { ...model, pinned: true }, { ...model, moving: true }, model], {
      ...off,
      rules,
    });
    expect(movesOf(made)).toEqual(["0 p1 constraint", "4 p2 constraint"]);
    expect(made.moves[0]?.detail).toBe("p0 may not have it by the rules");
    expect(made.skipped).toStrictEqual([{ reason: "pinned", count: 1 }]);
  });

  test("[PLAN1] stops where the batch is full", () => {
    const made = planned(members, [model, model, model], { ...off, rules, batch: 1 });
    expect(movesOf(made)).toEqual(["0 p1 constraint"]);
  });

  test("[MIG7] waits for a window", () => {
    const windows = [{ from: "13:00", to: "14:00" }];
    expect(planned(members, [model], { ...many, rules, windows }).moves).toEqual([]);
    expect(planned(members, [model], { ...many, rules, windows: [{ from: "12:00", to: "12:01" }] }).moves).toHaveLength(
      1,
    );
  });

  test("[PLAN1] that keeps types apart moves the one and then has no more against the other", () => {
    const apart: Policy = { ...off, rules: [{ type: "A", antiAffinity: ["B"] }] };
    const [a, b] = [{ load: load(1, ["A"]) }, { load: load(1, ["B"]) }];
    expect(movesOf(planned(members, [a, b, b], apart))).toEqual(["0 p1 constraint"]);
    const roomy = [member("p0", { state: "draining" }), member("p1", { weight: 100 }), member("p2")];
    expect(movesOf(planned(roomy, [a, b, a], apart))).toEqual(["0 p1 drain", "1 p2 drain", "2 p1 drain"]);
  });

  test("[PLAN3] against a pinned shard counts it once, though it can't be balanced either", () => {
    const made = planned(members, [{ ...model, pinned: true }, {}, {}, {}], { ...many, rules, threshold: 0.01 });
    expect(made.skipped).toContainEqual({ reason: "pinned", count: 1 });
    expect(made.moves.map(({ reason }) => reason)).toContain("balance-count");
  });

  test("[PLAN3] that nobody meets says so", () => {
    const made = planned(members, [model], { ...off, rules: [{ type: "Model", on: { gpu: "no" } }] });
    const detail = "no partition may have shard 0 by the rules";
    expect(made.skipped).toStrictEqual([{ reason: "no-target", count: 1, detail }]);
  });

  test("[PLAN1] is no cause to move what it allows", () => {
    expect(planned(members, [{}, { load: load(1, ["Other"]) }], { ...off, rules }).moves).toEqual([]);
  });
});

describe("a change of membership", () => {
  const members = [member("p0"), member("p1"), member("p2", { state: "cordoned" })];
  // Balanced however they go.
  const wide: Policy = { ...many, threshold: 100 };
  const held = { held: true, base: "p1" };

  test("[MEM1] puts what it holds back where the base has it", () => {
    const made = planned(members, [held, { base: "p1" }, { held: true, base: "p0" }], wide);
    expect(movesOf(made)).toEqual(["0 p1 membership"]);
    expect(made.moves[0]?.detail).toBe("the base assignment has it at p1");
  });

  test("[PLAN3] leaves pins, what moved a moment ago, and what nobody may have, and says so", () => {
    const made = planned(
      members,
      [
        { ...held, pinned: true },
        { ...held, lastMoved: NOW - wide.cooldown + 1 },
        { ...held, lastMoved: NOW - wide.cooldown },
        { held: true, base: "p2" },
        { held: true, base: "gone" },
        { ...held, moving: true },
      ],
      wide,
    );
    expect(movesOf(made)).toEqual(["2 p1 membership"]);
    expect(made.skipped).toStrictEqual([
      { reason: "pinned", count: 1 },
      { reason: "cooldown", count: 1 },
      { reason: "no-target", count: 2, detail: "shard 3" },
      ...made.skipped.slice(3),
    ]);
  });

  test("[PLAN1] stops where the batch is full", () => {
    expect(movesOf(planned(members, [held, held, held], { ...wide, batch: 2 }))).toEqual([
      "0 p1 membership",
      "1 p1 membership",
    ]);
  });

  test("[PLAN4] waits until membership is stable, and not a ms longer", () => {
    for (const [since, moves] of [
      [NOW - many.stableFor + 1, 0],
      [NOW - many.stableFor, 1],
    ] as const)
      expect(planned([member("p0"), member("p1", { since })], [held], wide).moves).toHaveLength(moves);
  });

  test("[PLAN3] balances nothing when the batch went to what must move", () => {
    const members = [member("p0", { state: "draining" }), member("p1"), member("p2")];
    const made = planned(members, [{}, { owner: "p1" }, { owner: "p1" }, { owner: "p1" }], { ...POLICY, batch: 1 });
    expect(made.skipped.map(({ reason }) => reason)).toEqual(["batch"]);
    expect(movesOf(made)).toEqual(["0 p2 drain"]);
    const unbalanced = plan(
      cluster(members, 4, () => ({})),
      { ...off, batch: 1 },
      NOW,
    );
    expect(unbalanced.skipped.map(({ reason }) => reason)).toEqual(["batch"]);
  });
});

describe("what a plan says of the members", () => {
  test("[PLAN3] shards and load where they will be, ideals by weight, and the imbalance", () => {
    const members = [
      member("p0"),
      member("p1", { weight: 2 }),
      member("p2", { state: "draining", weight: 5 }),
      member("p3", { state: "cordoned", weight: 4 }),
    ];
    const made = planned(
      members,
      [
        { load: load(3) },
        { load: load(1) },
        { moving: true, movingTo: "p1", load: load(2) },
        { moving: true, load: load(0) },
        { owner: "p2", base: "p1", load: load(1) },
      ],
      { ...many, threshold: 100 },
    );
    expect(made.stats).toEqual({
      members: [
        { name: "p0", shards: 3, ideal: 0.71, load: 0.5714 },
        { name: "p1", shards: 2, ideal: 1.43, load: 0.4286 },
        { name: "p2", shards: 0, ideal: 0, load: 0 },
        { name: "p3", shards: 0, ideal: 2.86, load: 0 },
      ],
      imbalance: 4.225,
    });
  });

  test("[PLAN3] where all drain there is no ideal", () => {
    const { stats } = planned([member("p0", { state: "draining" })], [{}]);
    expect(stats).toEqual({ members: [{ name: "p0", shards: 1, ideal: 0, load: 0 }], imbalance: 1 });
  });

  test.each(["off", "count", "load"] as const)(
    "[PLAN3] load is a share of all, by the kinds that count: %s",
    (strategy) => {
      const loadWeights = { objects: 3, calls: 1, busy: 0, bytes: 1 };
      const nothing = load(0);
      const { stats } = planned(
        [member("p0"), member("p1")],
        [
          { load: { ...nothing, objects: 1, busy: 7 } },
          { owner: "p1", load: { ...nothing, objects: 1, calls: 5 } },
          { owner: "p1" },
        ],
        { ...many, strategy, loadWeights, threshold: 100 },
      );
      expect(stats.members.map(({ load }) => load)).toEqual([0.375, 0.625]);
    },
  );
});
