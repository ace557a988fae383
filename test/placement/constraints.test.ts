import { describe, expect, test } from "vitest";
import { Constraints } from "../../src/placement/plan-constraints.ts";
import type { PlanShard, TypeRule } from "../../src/placement/plan-types.ts";
import { load, member } from "./plan-fixture.ts";

const MEMBERS = [
  member("p0", { labels: { disk: "ssd", zone: "a" } }),
  member("p1", { labels: { disk: "ssd", zone: "b" } }),
  member("p2", { labels: { zone: "a" } }),
  member("p3", { labels: { disk: "ssd", zone: "a" }, state: "cordoned" }),
];

const made = (...rules: TypeRule[]) => new Constraints(MEMBERS, rules);
/** A shard with objects of these types. */
const of = (...types: string[]): PlanShard => ({
  shard: 0,
  owner: "p0",
  base: "p0",
  held: false,
  pinned: false,
  moving: false,
  lastMoved: null,
  load: load(1, types),
});
const { load: _, ...BARE } = of();

const members = (constraints: Constraints, shard: PlanShard) =>
  MEMBERS.map((_, index) => index).filter((index) => constraints.allows(shard, index));
const even = () => 0;

describe("rules", () => {
  test("[PLAN1] none allow everything and wish for nothing", () => {
    const none = made();
    expect(none.any).toBe(false);
    none.place(of("A"), 0);
    expect([members(none, of("A")), none.score(of("A"), 0), none.keyOf(of("A"))]).toEqual([[0, 1, 2, 3], 0, ""]);
    expect(made({ type: "A" }).any).toBe(true);
  });

  test("[PLAN1] `on` names labels that a partition must have, `avoid` some of which it must have none", () => {
    const rules = made({ type: "A", on: { disk: "ssd", zone: "a" } }, { type: "B", avoid: { disk: "hdd", zone: "a" } });
    expect(members(rules, of("A"))).toEqual([0, 3]);
    expect(members(rules, of("B"))).toEqual([1]);
    expect(members(rules, of("A", "B"))).toEqual([]);
    expect(members(rules, of("C"))).toEqual([0, 1, 2, 3]);
    expect(members(rules, BARE)).toEqual([0, 1, 2, 3]);
    expect(rules.best(of("A"), even)).toBe(0);
  });

  test("[PLAN1] several of one type all count, and those of `*` for every shard", () => {
    const rules = made(
      { type: "A", on: { disk: "ssd" } },
      { type: "A", on: { zone: "b" } },
      { type: "*", avoid: { zone: "a" } },
    );
    expect([of("A"), of("B"), BARE].map((shard) => members(rules, shard))).toEqual([[1], [1], [1]]);
    expect(made({ type: "*", on: { zone: "b" } }).best(BARE, even)).toBe(1);
  });

  test("[PLAN1] `antiAffinity` goes both ways, and ends with the last shard of the other type", () => {
    const rules = made({ type: "A", antiAffinity: ["B", "C"] });
    rules.place(of("A"), 0);
    rules.place(of("A"), 0);
    rules.place(of("C"), 1);
    expect([of("A"), of("B"), of("C"), of("D")].map((shard) => members(rules, shard))).toEqual([
      [0, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
      [0, 1, 2, 3],
    ]);
    rules.place(of("A"), 0, -1);
    expect(members(rules, of("B"))).toEqual([1, 2, 3]);
    rules.place(of("A"), 0, -1);
    expect(members(rules, of("B"))).toEqual([0, 1, 2, 3]);
  });

  test("[PLAN1] types that share a shard are not kept apart", () => {
    const rules = made({ type: "A", antiAffinity: ["B"] });
    rules.place(of("A", "B"), 0);
    expect(members(rules, of("A", "B"))).toEqual([0, 1, 2, 3]);
    expect(members(rules, of("A"))).toEqual([1, 2, 3]);
  });

  test("[PLAN1] each label of `prefer` and each type of `affinity` that is there is a point", () => {
    const rules = made({ type: "A", prefer: { disk: "ssd", zone: "a" }, affinity: ["B", "C"] });
    const scores = () => MEMBERS.map((_, index) => rules.score(of("A"), index));
    expect(scores()).toEqual([2, 1, 1, 2]);
    rules.place(of("B"), 2);
    rules.place(of("B"), 2);
    rules.place(of("B", "C"), 1);
    rules.place(of("D"), 0);
    expect(scores()).toEqual([2, 3, 2, 2]);
    expect(rules.score(of("B"), 1)).toBe(0);
  });

  test("[PLAN1] shards are alike by the types that rules name, in whatever order", () => {
    const rules = made({ type: "A", affinity: ["B"], antiAffinity: ["C"] });
    expect(rules.keyOf(of("C", "A", "x", "B"))).toBe(rules.keyOf(of("y", "B", "A", "C")));
    expect(rules.keyOf(of("x", "y"))).toBe(rules.keyOf(BARE));
    const keys = [of("A"), of("B"), of("A", "B"), of("C"), of("x")].map((shard) => rules.keyOf(shard));
    expect(new Set(keys).size).toBe(5);
  });

  test("[PLAN1] more mixtures of types than are remembered are told apart all the same", () => {
    const types = Array.from({ length: 13 }, (_, index) => `T${index}`);
    const rules = made(
      ...types.map((type, index) => (index < 6 ? { type, on: { zone: "a" } } : { type, avoid: { disk: "ssd" } })),
    );
    const wrong: string[][] = [];
    for (let mixture = 0; mixture < 10_000; mixture++) {
      const held = types.filter((_, index) => ((mixture % 5_000) >> index) % 2 === 1);
      const low = held.some((type) => types.indexOf(type) < 6);
      const high = held.some((type) => types.indexOf(type) >= 6);
      const allowed = rules.allows(of(...held), 0) ? "0" : rules.allows(of(...held), 1) ? "1" : "2";
      if (allowed !== (high ? "2" : "0") || rules.allows(of(...held), 1) !== (!low && !high)) wrong.push(held);
    }
    expect(wrong).toEqual([]);
  });
});

describe("the member that suits best", () => {
  test("[PLAN1] has the most points, and of those with as many the most room; the first of equals", () => {
    const rules = made({ type: "A", prefer: { zone: "a" }, affinity: ["B"] });
    const room = (...rooms: number[]) => rules.best(of("A"), (index) => rooms[index] as number);
    expect(room(5, 1, 3)).toBe(2);
    expect(room(3, 1, 5)).toBe(0);
    expect(room(3, 1, 3)).toBe(0);
    rules.place(of("B"), 1);
    expect(room(5, 9, 5)).toBe(0);
    expect(room(5, 1, 5)).toBe(1);
    rules.place(of("B"), 2);
    expect(room(0, 0, 9)).toBe(2);
  });

  test("[PLAN1] is active, and far from what must not be near", () => {
    const rules = made({ type: "A", on: { disk: "ssd" }, antiAffinity: ["B"] });
    rules.place(of("B"), 1);
    rules.place(of("B"), 1, -1);
    expect(rules.best(of("A"), (index) => -index)).toBe(1);
    rules.place(of("B"), 1);
    expect(rules.best(of("A"), (index) => -index)).toBe(0);
    rules.place(of("B"), 0);
    expect(rules.best(of("A"), even)).toBeUndefined();
    rules.place(of("B"), 1, -1);
    expect(rules.best(of("A"), even)).toBe(1);
  });
});
