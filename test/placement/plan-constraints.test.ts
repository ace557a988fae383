import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plan } from "../../src/placement/plan.ts";
import type { PlanInput, PlanMember, PlanShard, Policy } from "../../src/placement/plan-types.ts";
import { cluster, countsOf, load, member, NOW, names, POLICY, reasons, settle } from "./plan-fixture.ts";

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
