import { describe, expect, test } from "vitest";
import { plan } from "../../src/placement/plan.ts";
import type { Plan, PlanMember, PlanShard, Policy } from "../../src/placement/plan-types.ts";
import { cluster, load, member, NOW, POLICY } from "./plan-fixture.ts";

const byCount: Policy = { ...POLICY, batch: 100, threshold: 0.01 };
const byLoad: Policy = { ...byCount, strategy: "load" };

const movesOf = (made: Plan) => made.moves.map(({ shard, from, to }) => `${shard} ${from}>${to}`);
const planned = (members: readonly PlanMember[], shards: readonly Partial<PlanShard>[], policy: Policy) =>
  plan(
    cluster(members, shards.length, (shard) => shards[shard] as Partial<PlanShard>),
    policy,
    NOW,
  );
/** As many shards of each member, one member after the other. */
const counts = (...numbers: number[]): Partial<PlanShard>[] =>
  numbers.flatMap((count, index) => Array.from({ length: count }, () => ({ owner: `p${index}` })));
/** One shard of p0 for each load. */
const loads = (...values: number[]): Partial<PlanShard>[] => values.map((value) => ({ load: load(value) }));

describe("by count, a giver gives", () => {
  const pair = [member("p0"), member("p1")];

  test("[PLAN1] first what the taker has by the base, then what is away from its base, then the rest, by number", () => {
    const shards = [
      {},
      { base: "p2" },
      { base: "p1" },
      {},
      { base: "gone" },
      { base: "p1" },
      { base: "p2" },
      {},
      {},
      {},
      {},
      {},
      {},
      {},
    ];
    const made = planned([...pair, member("p2", { state: "cordoned" })], shards, { ...byCount, batch: 7 });
    expect(movesOf(made).map((move) => Number(move.split(" ")[0]))).toEqual([2, 5, 1, 4, 6, 0, 3]);
    expect(made.moves[0]).toMatchObject({ reason: "balance-count", detail: "14 shards against 0" });
  });

  test("[PLAN1] what the rules wish for before all of that", () => {
    const labels = { disk: "ssd" };
    const policy: Policy = { ...byCount, batch: 3, rules: [{ type: "A", prefer: { disk: "ssd" } }] };
    const shards = [{}, { base: "p1" }, { load: load(1, ["A"]) }, { load: load(1, ["A"]) }, {}, {}, {}, {}];
    const wished = planned([member("p0"), member("p1", { labels })], shards, policy);
    expect(movesOf(wished)).toEqual(["2 p0>p1", "3 p0>p1", "1 p0>p1"]);
    const kept = planned([member("p0", { labels }), member("p1")], shards, policy);
    expect(movesOf(kept)).toEqual(["1 p0>p1", "0 p0>p1", "4 p0>p1"]);
    const both = planned([member("p0", { labels }), member("p1", { labels })], shards, policy);
    expect(movesOf(both)).toEqual(["1 p0>p1", "0 p0>p1", "4 p0>p1"]);
  });

  test("[PLAN2] nothing that is pinned, on its way, or moved a moment ago", () => {
    const still = NOW - byCount.cooldown + 1;
    const shards = [{ pinned: true }, { moving: true }, { lastMoved: still }, { lastMoved: still - 1 }, {}, {}];
    const made = planned(pair, shards, byCount);
    expect(movesOf(made)).toEqual(["3 p0>p1", "4 p0>p1", "5 p0>p1"]);
    expect(made.skipped.toSorted((a, b) => (a.reason < b.reason ? -1 : 1))).toStrictEqual([
      { reason: "cooldown", count: 1 },
      { reason: "moving", count: 1 },
      { reason: "pinned", count: 1 },
    ]);
  });
});

describe("by count, shards are shared", () => {
  test("[PLAN1] between the fullest and the emptiest, one after the other, until no two differ by two", () => {
    const members = [member("p0"), member("p1"), member("p2")];
    expect(movesOf(planned(members, counts(5, 3, 1), byCount))).toEqual(["0 p0>p2", "1 p0>p2"]);
    expect(movesOf(planned(members, counts(4, 4, 1), byCount))).toEqual(["0 p0>p2", "4 p1>p2"]);
    expect(movesOf(planned(members, counts(2, 1, 1), byCount))).toEqual([]);
  });

  test("[PLAN1] when they differ by more than the threshold, not when just by that", () => {
    const pair = [member("p0"), member("p1")];
    expect(movesOf(planned(pair, counts(6, 4), { ...byCount, threshold: 0.4 }))).toEqual([]);
    expect(movesOf(planned(pair, counts(6, 4), { ...byCount, threshold: 0.39 }))).toEqual(["0 p0>p1"]);
  });

  test("[PLAN1] by weight: when a move turns no order round", () => {
    const members = [member("p0"), member("p1", { weight: 2 })];
    expect(movesOf(planned(members, counts(3, 3), byCount))).toEqual(["0 p0>p1"]);
    expect(movesOf(planned(members, counts(2, 3), byCount))).toEqual([]);
    // To the lighter one: 2 and 10 are 3 and 7.5 for their weights, 3 and 9 are 4.5 and 6.75.
    expect(movesOf(planned(members, counts(2, 10), byCount))).toEqual(["2 p1>p0", "3 p1>p0"]);
    expect(planned(members, counts(0, 8), byCount).moves[0]?.detail).toBe("6 shards against 0");
  });

  test("[MEM1] a cordoned member gives and is given nothing; a draining one takes no part", () => {
    const members = [member("p0"), member("p1", { state: "cordoned" }), member("p2", { state: "draining" })];
    expect(movesOf(planned(members, counts(0, 4), byCount))).toEqual(["0 p1>p0", "1 p1>p0"]);
    const made = planned(members, counts(4, 0), byCount);
    expect(made.moves).toEqual([]);
    const alone = planned([member("p0"), member("p1", { state: "draining" })], counts(4), byCount);
    expect(alone.skipped).toStrictEqual([{ reason: "balanced", count: 1, detail: "there is nobody to share with" }]);
  });

  test("[PLAN3] and where none differ by more, or the rules forbid it, the plan says so", () => {
    const even = planned([member("p0"), member("p1")], counts(3, 3), byCount);
    const detail = "no two partitions differ by more than the threshold";
    expect(even.skipped).toStrictEqual([{ reason: "balanced", count: 1, detail }]);
    const rules: Policy["rules"] = [{ type: "A", on: { disk: "ssd" } }];
    const shards = Array.from({ length: 4 }, () => ({ load: load(1, ["A"]) }));
    const forbidden = planned([member("p0", { labels: { disk: "ssd" } }), member("p1")], shards, { ...byCount, rules });
    expect(forbidden.skipped).toStrictEqual([
      { reason: "constraint", count: 1, detail: "no shard of p0 may go to p1" },
    ]);
    const moved = planned([member("p0"), member("p1")], counts(4, 0), byCount);
    expect(moved.skipped).toEqual([]);
  });

  test("[PLAN2] what is stuck with one taker goes on with the next one, in their order", () => {
    const labels = { disk: "ssd" };
    const members = [member("p0", { labels }), member("p1"), member("p2", { labels }), member("p3", { labels })];
    const shards = [...Array.from({ length: 6 }, () => ({ load: load(1, ["A"]) })), { owner: "p2" }];
    const made = planned(members, shards, { ...byCount, rules: [{ type: "A", on: { disk: "ssd" } }] });
    expect(movesOf(made)).toEqual(["0 p0>p3", "1 p0>p2", "2 p0>p3", "6 p2>p1"]);
    expect(made.skipped).toContainEqual({ reason: "constraint", count: 1, detail: "no shard of p0 may go to p1" });
  });
});

describe("by load, a giver gives", () => {
  const pair = [member("p0"), member("p1")];

  test("[PLAN1] what brings the two nearest to one another, one after the other", () => {
    const made = planned(pair, loads(1, 8, 3, 4), byLoad);
    expect(movesOf(made)).toEqual(["1 p0>p1"]);
    expect(made.moves[0]).toMatchObject({
      reason: "balance-load",
      detail: "200 % of the ideal load against 0 %",
    });
    expect(movesOf(planned(pair, loads(5, 5, 5, 5, 4), byLoad))).toEqual(["3 p0>p1", "2 p0>p1"]);
    expect(movesOf(planned(pair, loads(2, 9), byLoad))).toEqual(["0 p0>p1"]);
  });

  test("[PLAN1] by weight", () => {
    const heavy = [member("p0"), member("p1", { weight: 3 })];
    const made = planned(heavy, loads(4, 3, 3, 2), byLoad);
    expect(made.stats.members.map(({ load }) => load)).toEqual([0.25, 0.75]);
    expect(made.moves[0]?.detail).toBe("400 % of the ideal load against 0 %");
    const other = planned([member("p0", { weight: 3 }), member("p1")], loads(4, 3, 3, 2), byLoad);
    expect(other.stats.members.map(({ load }) => load)).toEqual([0.75, 0.25]);
  });

  test("[PLAN1] nothing without load, nor what would only move the trouble", () => {
    expect(movesOf(planned(pair, [...loads(0, 0, 6, 6), {}], byLoad))).toEqual(["3 p0>p1"]);
    const one = planned(pair, loads(7, 0), byLoad);
    const detail = "no shard's move would lower the greatest load";
    expect(one.moves).toEqual([]);
    expect(one.skipped).toStrictEqual([{ reason: "balanced", count: 1, detail }]);
  });

  test("[PLAN1] of those just as large the one that the taker has by the base", () => {
    const shards = loads(2, 2, 2, 2).map((shard, index) => (index === 2 ? { ...shard, base: "p1" } : shard));
    expect(movesOf(planned(pair, shards, { ...byLoad, batch: 1 }))).toEqual(["2 p0>p1"]);
  });
});

describe("by load, it is shared", () => {
  const pair = [member("p0"), member("p1")];

  test("[PLAN1] when two differ by more than the threshold, not when just by that", () => {
    const shards = [...loads(4, 1, 1), { owner: "p1", load: load(4) }];
    expect(movesOf(planned(pair, shards, { ...byLoad, threshold: 0.4 }))).toEqual([]);
    expect(movesOf(planned(pair, shards, { ...byLoad, threshold: 0.39 }))).toEqual(["1 p0>p1"]);
  });

  test("[PLAN3] when there is any, and somebody to share with", () => {
    const skippedOf = (members: readonly PlanMember[], shards: readonly Partial<PlanShard>[]) =>
      planned(members, shards, byLoad).skipped;
    const balanced = { reason: "balanced", count: 1 };
    expect(skippedOf(pair, loads(0, 0))).toStrictEqual([{ ...balanced, detail: "no load has been reported" }]);
    expect(skippedOf(pair, [{}, {}])).toStrictEqual([{ ...balanced, detail: "no load has been reported" }]);
    const drained = [member("p0"), member("p1", { state: "draining" })];
    expect(skippedOf(drained, loads(3, 3))).toStrictEqual([{ ...balanced, detail: "there is nobody to share with" }]);
    const even = [...loads(3), { owner: "p1", load: load(3) }];
    const detail = "no two partitions' loads differ by more than the threshold";
    expect(skippedOf(pair, even)).toStrictEqual([{ ...balanced, detail }]);
    expect(skippedOf(pair, loads(3, 3))).toEqual([]);
  });

  test("[PLAN3] where rules forbid it, or shards must stay, the plan says that alone", () => {
    const rules: Policy["rules"] = [{ type: "A", on: { disk: "ssd" } }];
    const shards = [1, 1, 1].map((value) => ({ load: load(value, ["A"]) }));
    const members = [member("p0", { labels: { disk: "ssd" } }), member("p1")];
    expect(planned(members, shards, { ...byLoad, rules }).skipped).toStrictEqual([
      { reason: "constraint", count: 1, detail: "no shard of p0 may go to p1" },
    ]);
    for (const [stays, reason] of [
      [{ pinned: true }, "pinned"],
      [{ moving: true }, "moving"],
      [{ lastMoved: NOW }, "cooldown"],
    ] as const)
      expect(
        planned(
          pair,
          loads(2, 2).map((shard) => ({ ...shard, ...stays })),
          byLoad,
        ).skipped,
      ).toStrictEqual([{ reason, count: 2 }]);
  });

  test("[PLAN3] a full batch is the only reason of a plan that is full", () => {
    expect(planned(pair, loads(2, 2, 2, 2), { ...byLoad, batch: 1 }).skipped.map(({ reason }) => reason)).toEqual([
      "batch",
    ]);
  });
});

test.each(["count", "load"] as const)("[PLAN3] by %s: what may not go is no reason while others go", (strategy) => {
  const policy: Policy = { ...byCount, strategy, rules: [{ type: "A", on: { disk: "ssd" } }] };
  const shards = [{ load: load(1, ["A"]) }, ...loads(1, 1, 1)];
  const made = planned([member("p0", { labels: { disk: "ssd" } }), member("p1")], shards, policy);
  expect(made.moves).toHaveLength(2);
  expect(made.skipped).toEqual([]);
});
