import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plan } from "../../src/placement/plan.ts";
import type { Policy } from "../../src/placement/plan-types.ts";
import { rendezvousOwner } from "../../src/placement/rendezvous.ts";
import { cluster, countsOf, load, member, NOW, names, POLICY, reasons, settle } from "./plan-fixture.ts";

describe("balancing by count", () => {
  test("[PLAN1] acts exactly when max − min ≥ 2 and above the threshold times the ideal", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 2, maxLength: 6 }), (counts) => {
        const owners = counts.flatMap((count, index) => Array<string>(count).fill(`p${index}`));
        fc.pre(owners.length > 0);
        const input = cluster(
          counts.map((_, index) => member(`p${index}`)),
          owners.length,
          (shard) => ({ owner: owners[shard] as string }),
        );
        const gap = Math.max(...counts) - Math.min(...counts);
        const acts = gap >= 2 && gap > 0.2 * (owners.length / counts.length);
        expect(plan(input, POLICY, NOW).moves.length > 0).toBe(acts);
        expect(reasons(plan(input, POLICY, NOW)).includes("balanced")).toBe(!acts);
      }),
    );
  });

  test("[PLAN1] comes to an end, leaves no gap, and then says that it is balanced", () => {
    const input = cluster(
      names(5).map((name) => member(name)),
      640,
      () => ({ owner: "p0" }),
    );
    const { input: after, last } = settle(input, POLICY);
    const counts = countsOf(after);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(0.2 * 128);
    expect(reasons(last)).toEqual(["balanced"]);
  });

  test("[PLAN1] weights: a member of weight 3 ends with three times as much, within the threshold", () => {
    const members = [member("p0"), member("p1", { weight: 3 })];
    const { input } = settle(
      cluster(members, 400, () => ({ owner: "p0" })),
      { ...POLICY, threshold: 0.01 },
    );
    const [light = 0, heavy = 0] = countsOf(input);
    expect(heavy / light).toBeGreaterThan(2.9);
    expect(heavy / light).toBeLessThan(3.1);
  });

  test("[PLAN1] at most max(1, shards / 128) a plan, or what the policy says", () => {
    const input = cluster([member("p0"), member("p1")], 512, () => ({ owner: "p0" }));
    expect(plan(input, POLICY, NOW).moves).toHaveLength(4);
    expect(plan(input, { ...POLICY, batch: 9 }, NOW).moves).toHaveLength(9);
    expect(reasons(plan(input, { ...POLICY, batch: 9 }, NOW))).toContain("batch");
  });

  test("[PLAN2] never moves a pinned shard; when the fullest is all pinned the next one gives", () => {
    const members = names(3).map((name) => member(name));
    const input = cluster(members, 120, (shard) =>
      shard < 70 ? { owner: "p0", pinned: true } : { owner: shard < 118 ? "p1" : "p2" },
    );
    const { input: after } = settle(input, POLICY);
    expect(after.shards.filter(({ shard, owner }) => shard < 70 && owner !== "p0")).toEqual([]);
    const [, second = 0, third = 0] = countsOf(after);
    expect(Math.abs(second - third)).toBeLessThanOrEqual(8);
  });

  test("[PLAN1] prefers to put shards back where the base assignment has them", () => {
    const members = names(3).map((name) => member(name));
    const input = cluster(members, 300, (shard) => ({ owner: "p0", base: `p${shard % 3}` }));
    const { input: after } = settle(input, { ...POLICY, threshold: 0.01 });
    const away = after.shards.filter(({ owner, base }) => owner !== base);
    expect(away.length).toBeLessThanOrEqual(6);
  });
});

describe("balancing by load", () => {
  const policy: Policy = { ...POLICY, strategy: "load" };

  test("[PLAN1] a load of 90 to 10 ends under 1.5 to 1, without swinging", () => {
    const members = [member("p0"), member("p1")];
    const input = cluster(members, 200, (shard) => ({
      owner: shard < 100 ? "p0" : "p1",
      load: load(shard < 100 ? 90 : 10),
    }));
    const { input: after, moves } = settle(input, policy);
    const sums = members.map(({ name }) =>
      after.shards.filter(({ owner }) => owner === name).reduce((sum, shard) => sum + (shard.load?.calls ?? 0), 0),
    );
    expect(Math.max(...sums) / Math.min(...sums)).toBeLessThan(1.5);
    expect(moves).toBeLessThanOrEqual(100);
  });

  test("[PLAN1] one hot shard stays: moving it would only move the trouble", () => {
    const input = cluster([member("p0"), member("p1")], 8, (shard) => ({
      owner: "p0",
      load: load(shard === 0 ? 1_000 : 0),
    }));
    expect(plan(input, policy, NOW).moves).toEqual([]);
  });

  test("[PLAN1] any load comes to an end", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(3), fc.nat(1_000)), { minLength: 4, maxLength: 60 }),
        fc.array(fc.constantFrom(1, 2, 5), { minLength: 4, maxLength: 4 }),
        (shards, weights) => {
          const members = weights.map((weight, index) => member(`p${index}`, { weight }));
          const input = cluster(members, shards.length, (shard) => {
            const [owner, value] = shards[shard] as [number, number];
            return { owner: `p${owner}`, load: load(value) };
          });
          settle(input, { ...policy, batch: 5 });
        },
      ),
    );
  });
});

describe("membership", () => {
  test("[MEM1] a drain ends with nothing left, whatever the strategy, the cooldown and the stability", () => {
    const members = [member("p0", { state: "draining", since: NOW }), member("p1"), member("p2")];
    const input = cluster(members, 256, (shard) => ({
      owner: "p0",
      base: shard % 2 === 0 ? "p1" : "p2",
      lastMoved: NOW,
      pinned: shard === 7,
    }));
    const { input: after } = settle(input, { ...POLICY, strategy: "off" });
    expect(countsOf(after)).toEqual([0, 128, 128]);
  });

  test("[PLAN2] a pin that names the draining partition stands in its way, and is reported", () => {
    const members = [member("p0", { state: "draining" }), member("p1")];
    const input = cluster(members, 4, (shard) => ({
      owner: "p0",
      base: "p1",
      ...(shard === 2 ? { pinned: true, pinnedTo: "p0" } : {}),
    }));
    const { input: after, last } = settle(input, POLICY);
    expect(countsOf(after)).toEqual([1, 3]);
    expect(last.skipped).toContainEqual(expect.objectContaining({ reason: "pinned" }));
  });

  test("[MEM1] a pin to a partition elsewhere moves there", () => {
    const input = cluster([member("p0"), member("p1", { state: "cordoned" })], 4, (shard) =>
      shard === 1 ? { pinned: true, pinnedTo: "p1" } : {},
    );
    expect(plan(input, POLICY, NOW).moves).toMatchObject([{ shard: 1, to: "p1", reason: "pin" }]);
  });

  test("[MAP2] [MEM1] adding a member moves what it gains by the base, within 5 % of the ideal", () => {
    const before = names(8).map((name) => ({ name, weight: 1 }));
    const after = names(9).map((name) => ({ name, weight: 1 }));
    const input = cluster(
      names(9).map((name) => member(name)),
      8_192,
      (shard) => {
        const owner = rendezvousOwner(shard, before);
        const base = rendezvousOwner(shard, after);
        return { owner, base, held: owner !== base };
      },
    );
    const { moves, input: settled } = settle(input, POLICY);
    expect(Math.abs(moves / (8_192 / 9) - 1)).toBeLessThan(0.05);
    expect(settled.shards.every(({ owner, base }) => owner === base)).toBe(true);
  });

  test("[MEM1] nothing goes to a cordoned or a draining member", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(3), { minLength: 8, maxLength: 80 }),
        fc.array(fc.nat(3), { minLength: 80, maxLength: 80 }),
        (owners, bases) => {
          const members = [
            member("p0"),
            member("p1", { state: "cordoned" }),
            member("p2", { state: "draining" }),
            member("p3"),
          ];
          const input = cluster(members, owners.length, (shard) => ({
            owner: `p${owners[shard]}`,
            base: `p${bases[shard]}`,
            held: owners[shard] !== bases[shard],
          }));
          for (const { to } of plan(input, { ...POLICY, batch: 100 }, NOW).moves) expect(["p0", "p3"]).toContain(to);
        },
      ),
    );
  });
});
