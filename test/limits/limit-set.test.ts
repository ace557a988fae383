import { describe, expect, it } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { LimitSet } from "../../src/limits/limit-set.ts";
import { checkLimits, limitsDocumentSchema, mergedLimits } from "../../src/limits/limits-schema.ts";
import { ObjectLimits } from "../../src/limits/object-limits.ts";
import { RefusalCounters } from "../../src/observe/refusal-counters.ts";

const CLIENT = { kind: "client" } as const;

function objectLimits(limits: Parameters<typeof checkLimits>[0]) {
  const clock = { now: 1_800_000_000_000 };
  const counters = new RefusalCounters();
  const made = new ObjectLimits({ now: () => clock.now, counters, limits });
  const taken = (...call: Parameters<ObjectLimits["take"]>) => {
    try {
      made.take(...call);
      return true;
    } catch (error) {
      return EdgeverseError.from(error).details;
    }
  };
  return { clock, counters, made, taken };
}

describe("limits [LIM1]", () => {
  it("are checked when they are declared", () => {
    expect(() => checkLimits({ a: { per: "client", rate: 0 } })).toThrow(/Cannot use the limits: a\.rate/);
    expect(() => checkLimits({ "a b": { per: "client", rate: 1 } })).toThrow(/must be a name/);
    expect(() => checkLimits({ a: { per: "client", rate: 0.001, burst: 1e6 } })).toThrow(/30 days/);
    expect(() => checkLimits({ a: { per: "object", rate: 1, burst: 2, costs: { "A.b": 3 } } })).toThrow(/nobody/);
    expect(() => checkLimits({ a: { per: "object", rate: 1, costs: { b: 3 } } })).toThrow(/Type\.method/);
    expect(() =>
      checkLimits(
        Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`l${n}`, { per: "client", rate: 1 } as const])),
      ),
    ).toThrow(/more than 32/);
    // @ts-expect-error: a word that is none
    expect(() => checkLimits({ a: { per: "shard", rate: 1 } })).toThrow(/a\.per/);
    expect(checkLimits({ a: { per: "client", rate: 5 } })).toEqual({ a: { per: "client", rate: 5 } });
  });

  it("are for types and methods by pattern, and creations only where no method is named", () => {
    const set = new LimitSet(
      {
        all: { per: "object", rate: 1 },
        posts: { per: "object", rate: 1, type: "Chat*", method: "post" },
        weighed: { per: "method", rate: 100, type: "Report", costs: { "Report.render": 20, "Report.ping": 0 } },
        clients: { per: "client", rate: 1 },
      },
      ["object", "method"],
    );
    const names = (type?: string, method?: string) =>
      set.charges(type, method).map(({ limit, cost }) => `${limit.name} ${cost}`);
    expect(names("ChatRoom", "post")).toEqual(["all 1", "posts 1"]);
    expect(names("ChatRoom", "read")).toEqual(["all 1"]);
    expect(names("ChatRoom")).toEqual(["all 1"]);
    expect(names("Report", "render")).toEqual(["all 1", "weighed 20"]);
    expect(names("Report", "ping")).toEqual(["all 1"]);
    expect(names()).toEqual(["all 1"]);
    expect(set.charges("ChatRoom", "post")).toBe(set.charges("ChatRoom", "post"));
  });

  it("take nothing from one another when one refuses", () => {
    const { clock, taken, counters } = objectLimits({
      wide: { per: "object", rate: 1, burst: 3 },
      narrow: { per: "object", rate: 1, burst: 1, method: "post" },
    });
    expect(taken(CLIENT, "Chat", "a", "post")).toBe(true);
    expect(taken(CLIENT, "Chat", "a", "post")).toMatchObject({ limit: "narrow", per: "object", cost: 1 });
    expect(taken(CLIENT, "Chat", "a", "post")).toMatchObject({ limit: "narrow" });
    expect(taken(CLIENT, "Chat", "a", "read")).toBe(true);
    expect(taken(CLIENT, "Chat", "a", "read")).toBe(true);
    expect(taken(CLIENT, "Chat", "a", "read")).toMatchObject({ limit: "wide" });
    expect(taken(CLIENT, "Chat", "b", "post")).toBe(true);
    clock.now += 1_000;
    expect(taken(CLIENT, "Chat", "a", "read")).toBe(true);
    expect(counters.values).toEqual({ narrow: 2, wide: 1 });
  });

  it("count a method of all objects together where they are per method, and spare exempt roles and those who are no clients [LIM5]", () => {
    const { taken } = objectLimits({ render: { per: "method", rate: 1, burst: 1, type: "Report", exempt: ["staff"] } });
    expect(taken(CLIENT, "Report", "a", "render")).toBe(true);
    expect(taken(CLIENT, "Report", "b", "render")).toMatchObject({ limit: "render" });
    expect(taken(CLIENT, "Report", "b", "read")).toBe(true);
    expect(taken({ kind: "client", identity: { id: "u", roles: ["staff"] } }, "Report", "b", "render")).toBe(true);
    for (const kind of ["object", "worker", "system"] as const)
      expect(taken({ kind }, "Report", "b", "render")).toBe(true);
  });

  it("lock nobody out for longer when the clock is set back", () => {
    const { clock, taken } = objectLimits({ all: { per: "object", rate: 1, burst: 2 } });
    expect([taken(CLIENT, "A", "a"), taken(CLIENT, "A", "a")]).toEqual([true, true]);
    clock.now -= 3_600_000;
    expect(taken(CLIENT, "A", "a")).toMatchObject({ limit: "all" });
    expect(taken(CLIENT, "A", "other")).toBe(true);
  });

  it("keep their buckets when other limits change", () => {
    const same = { per: "object", rate: 1, burst: 1 } as const;
    const { made, taken } = objectLimits({ same, other: { per: "method", rate: 1, burst: 1, type: "B" } });
    expect([taken(CLIENT, "A", "a"), taken(CLIENT, "B", "b")]).toEqual([true, true]);
    made.apply(mergedLimits({ same, other: same }, { other: null, more: { per: "object", rate: 5, type: "C" } }));
    expect([taken(CLIENT, "A", "a"), taken(CLIENT, "B", "b2")]).toEqual([expect.anything(), true]);
    expect(taken(CLIENT, "A", "a")).toMatchObject({ limit: "same" });
    expect(limitsDocumentSchema.safeParse({ same: null, x: { per: "client", rate: 3 } }).success).toBe(true);
  });
});
