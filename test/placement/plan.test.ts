import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plan } from "../../src/placement/plan.ts";
import type { Plan, PlanInput, PlanMember, PlanShard, Policy, ShardLoad } from "../../src/placement/plan-types.ts";
import { policySchema } from "../../src/placement/policy.ts";
import { rendezvousOwner } from "../../src/placement/rendezvous.ts";

const NOW = Date.UTC(2026, 10, 21, 12, 0);
const POLICY: Policy = policySchema.parse({});

const member = (name: string, rest: Partial<PlanMember> = {}): PlanMember => ({
  name,
  weight: 1,
  labels: {},
  state: "active",
  since: 0,
  ...rest,
});
const names = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`);

/** Shards at `owner(n)`; the base is where they are unless it is said. */
function cluster(members: readonly PlanMember[], count: number, of: (shard: number) => Partial<PlanShard>): PlanInput {
  const shards = Array.from({ length: count }, (_, shard): PlanShard => {
    const given = of(shard);
    const owner = given.owner ?? "p0";
    return { shard, owner, base: owner, held: false, pinned: false, moving: false, lastMoved: null, ...given };
  });
  return { members, shards, inFlight: 0 };
}

function apply(input: PlanInput, made: Plan): PlanInput {
  const shards = [...input.shards];
  for (const { shard, to } of made.moves) {
    const before = shards[shard] as PlanShard;
    shards[shard] = { ...before, owner: to, held: false };
  }
  return { ...input, shards };
}

/** Plans and applies until nothing moves. */
function settle(input: PlanInput, policy: Policy, rounds = 2_000): { input: PlanInput; moves: number; last: Plan } {
  let now = input;
  let moves = 0;
  for (let round = 0; round < rounds; round++) {
    const made = plan(now, policy, NOW);
    if (made.moves.length === 0) return { input: now, moves, last: made };
    moves += made.moves.length;
    now = apply(now, made);
  }
  throw new Error("the plans do not come to an end");
}

const countsOf = ({ members, shards }: PlanInput) =>
  members.map(({ name }) => shards.filter(({ owner }) => owner === name).length);
const reasons = (made: Plan) => made.skipped.map(({ reason }) => reason);
const load = (value: number, types: string[] = []): ShardLoad => ({
  objects: value,
  calls: value,
  busy: value,
  bytes: value,
  types,
});

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

describe("constraints", () => {
  const members = [
    member("p0", { labels: { gpu: "no", zone: "a" } }),
    member("p1", { labels: { gpu: "yes", zone: "b" } }),
    member("p2", { labels: { gpu: "yes", zone: "a" } }),
  ];

  test("[PLAN1] `on` and `avoid` bind: a shard moves to where it may be, and no plan breaks them", () => {
    const policy: Policy = {
      ...POLICY,
      rules: [{ type: "Model", on: { gpu: "yes" }, avoid: { zone: "b" } }],
      batch: 50,
    };
    const input = cluster(members, 60, (shard) => ({
      owner: "p0",
      load: load(1, shard % 5 === 0 ? ["Model"] : ["Other"]),
    }));
    const { input: after } = settle(input, policy);
    for (const { owner, load: own } of after.shards) if (own?.types.includes("Model")) expect(owner).toBe("p2");
  });

  test("[PLAN1] `antiAffinity` keeps types apart, `prefer` and `affinity` choose among the rest", () => {
    const policy: Policy = {
      ...POLICY,
      strategy: "off",
      batch: 50,
      rules: [{ type: "A", antiAffinity: ["B"], prefer: { zone: "b" } }],
    };
    const input = cluster(members, 6, (shard) => ({ owner: "p0", load: load(1, [shard < 3 ? "A" : "B"]) }));
    const { input: after } = settle(input, policy);
    const at = (type: string) =>
      new Set(after.shards.filter((shard) => shard.load?.types.includes(type)).map(({ owner }) => owner));
    for (const owner of at("A")) expect(at("B").has(owner)).toBe(false);
    expect(at("A")).toEqual(new Set(["p1"]));
  });

  test("[PLAN1] where nobody suits, it stays and says so", () => {
    const policy: Policy = { ...POLICY, rules: [{ type: "*", on: { moon: "full" } }] };
    const made = plan(
      cluster(members, 2, () => ({ load: load(1, ["A"]) })),
      policy,
      NOW,
    );
    expect(made.moves).toEqual([]);
    expect(reasons(made)).toContain("no-target");
  });
});

describe("when it does not act", () => {
  const uneven = (rest: Partial<PlanShard> = {}, members = [member("p0"), member("p1")]) =>
    cluster(members, 100, () => ({ owner: "p0", ...rest }));

  test.each<[string, PlanInput, Partial<Policy>]>([
    ["off", uneven(), { strategy: "off" }],
    ["unstable", uneven({}, [member("p0"), member("p1", { since: NOW - 1 })]), {}],
    ["window", uneven(), { windows: [{ from: "01:00", to: "02:00" }] }],
    ["concurrency", { ...uneven(), inFlight: 4 }, {}],
    ["pinned", uneven({ pinned: true }), {}],
    ["cooldown", uneven({ lastMoved: NOW - 1 }), {}],
    ["balanced", uneven({}, [member("p0")]), {}],
  ])("[PLAN3] [PLAN4] [MIG7] says why: %s", (reason, input, changes) => {
    const made = plan(input, { ...POLICY, ...changes }, NOW);
    expect(made.moves).toEqual([]);
    expect(reasons(made)).toContain(reason);
  });

  test("[MIG7] windows may pass midnight, and belong to the day they begin on", () => {
    const policy = (days?: number[]): Policy => ({
      ...POLICY,
      windows: [{ from: "22:00", to: "04:00", ...(days === undefined ? {} : { days }) }],
    });
    const at = (hour: number, days?: number[]) =>
      plan(uneven(), policy(days), Date.UTC(2026, 10, 21, hour)).moves.length > 0;
    // The 21st is a Saturday.
    expect([21, 22, 3, 4].map((hour) => at(hour))).toEqual([false, true, true, false]);
    expect([22, 3].map((hour) => at(hour, [6]))).toEqual([true, false]);
    expect([22, 3].map((hour) => at(hour, [5]))).toEqual([false, true]);
  });

  test("[PLAN1] is pure: the same input gives the same plan and is left as it was", () => {
    const input = uneven({ load: load(3, ["A"]) });
    const before = JSON.stringify(input);
    expect(plan(input, POLICY, NOW)).toEqual(plan(input, POLICY, NOW));
    expect(JSON.stringify(input)).toBe(before);
  });

  test("[PLAN1] leaves shards alone that are moving", () => {
    expect(plan(uneven({ moving: true }), POLICY, NOW).moves).toEqual([]);
  });
});

describe("what is stuck stops only itself", () => {
  const both = (strategy: "count" | "load"): Policy => ({ ...POLICY, strategy, batch: 1_000 });
  const members = names(4).map((name, index) => member(name, { labels: index % 3 === 0 ? { gpu: "yes" } : {} }));

  test.each(["count", "load"] as const)("[PLAN3] by %s: held back by pins is not called balanced", (strategy) => {
    const input = cluster([member("p0"), member("p1")], 100, () => ({ pinned: true, load: load(1) }));
    expect(plan(input, both(strategy), NOW).skipped).toEqual([{ reason: "pinned", count: 100 }]);
  });

  test("[PLAN1] by load: an idle member gets some, though nobody is far above the ideal", () => {
    const input = cluster(
      names(12).map((name) => member(name)),
      1_200,
      (shard) => ({ owner: `p${shard % 12}`, load: load(shard % 12 === 11 ? 0 : 10) }),
    );
    const { input: after } = settle(input, both("load"));
    const idle = after.shards
      .filter(({ owner }) => owner === "p11")
      .reduce((sum, shard) => sum + (shard.load?.calls ?? 0), 0);
    expect(idle).toBeGreaterThan(700);
  });

  test.each(["count", "load"] as const)(
    "[PLAN1] by %s: a taker the rules forbid one giver takes from another",
    (strategy) => {
      const owner = (shard: number) => (shard < 200 ? "p0" : shard < 380 ? "p1" : shard < 385 ? "p2" : "p3");
      const input = cluster(members, 400, (shard) => ({
        owner: owner(shard),
        load: load(1, [shard < 200 ? "Model" : "Other"]),
      }));
      const policy = { ...both(strategy), rules: [{ type: "Model", on: { gpu: "yes" } }] };
      for (const count of countsOf(settle(input, policy).input)) expect(count).toBeGreaterThan(80);
    },
  );

  test("[PLAN1] a shard that no member may have does not keep the next one where it must not be", () => {
    const policy: Policy = {
      ...both("count"),
      strategy: "off",
      rules: [
        { type: "Lost", on: { moon: "full" } },
        { type: "Model", on: { gpu: "yes" } },
      ],
    };
    const input = cluster(members, 1_000, (shard) => ({
      owner: "p1",
      load: load(1, [shard < 990 ? "Lost" : "Model"]),
    }));
    const made = plan(input, policy, NOW);
    expect(made.moves.map(({ shard }) => shard)).toEqual([990, 991, 992, 993, 994, 995, 996, 997, 998, 999]);
    expect(made.skipped).toContainEqual(expect.objectContaining({ reason: "no-target", count: 990 }));
  });

  test("[PLAN1] by load: a hot shard stays and lets its neighbours go", () => {
    const input = cluster([member("p0"), member("p1")], 2, (shard) => ({ load: load(shard === 0 ? 99 : 1) }));
    expect(plan(input, both("load"), NOW).moves).toMatchObject([{ shard: 1, to: "p1" }]);
  });

  test.each(["count", "load"] as const)("[PLAN1] by %s: a shard on its way counts where it goes", (strategy) => {
    const input = cluster([member("p0"), member("p1")], 100, (shard) => ({
      load: load(1),
      ...(shard < 50 ? { moving: true, movingTo: "p1" } : {}),
    }));
    expect(plan(input, both(strategy), NOW).moves).toEqual([]);
  });

  test("[PLAN1] any cluster, any rules: plans obey them, spare what is pinned, and come to an end", () => {
    const type = fc.constantFrom("A", "B", "C");
    const rule = fc.record(
      {
        type: fc.constantFrom("*", "A", "B", "C"),
        on: fc.constantFrom({ gpu: "yes" }),
        avoid: fc.constantFrom({ zone: "z0" }, { zone: "z1" }),
        prefer: fc.constantFrom({ zone: "z2" }),
        affinity: fc.constantFrom(["A"], ["B", "C"]),
      },
      { requiredKeys: ["type"] },
    );
    const shard = fc.record({
      owner: fc.nat(5),
      base: fc.nat(5),
      pinned: fc.boolean(),
      size: fc.nat(50),
      types: fc.uniqueArray(type),
    });
    fc.assert(
      fc.property(
        fc.array(shard, { minLength: 1, maxLength: 60 }),
        fc.array(rule, { maxLength: 3 }),
        fc.array(fc.constantFrom("active", "active", "cordoned", "draining"), { minLength: 6, maxLength: 6 }),
        fc.constantFrom("count", "load"),
        (shards, rules, states, strategy) => {
          const all = states.map((state, index) =>
            member(`p${index}`, {
              state,
              weight: 1 + (index % 2),
              labels: { zone: `z${index % 3}`, gpu: index % 2 ? "yes" : "no" },
            }),
          );
          const input = cluster(all, shards.length, (index) => {
            const { owner, base, pinned, size, types } = shards[index] as (typeof shards)[number];
            return { owner: `p${owner}`, base: `p${base}`, held: owner !== base, pinned, load: load(size, types) };
          });
          const policy = { ...both(strategy), rules };
          for (const move of plan(input, policy, NOW).moves) {
            const to = all.find(({ name }) => name === move.to) as PlanMember;
            const own = input.shards[move.shard] as PlanShard;
            expect(to.state).toBe("active");
            expect(own.pinned && all.find(({ name }) => name === move.from)?.state !== "draining").toBe(false);
            for (const { type: of, on, avoid } of rules) {
              if (of !== "*" && !own.load?.types.includes(of)) continue;
              if (on !== undefined) expect(to.labels).toMatchObject(on);
              if (avoid !== undefined) expect(to.labels.zone).not.toBe(avoid.zone);
            }
          }
          settle(input, policy);
        },
      ),
    );
  });
});
