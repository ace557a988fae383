import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PlanShard } from "../../src/placement/plan-types.ts";
import { SortedStock } from "../../src/placement/sorted-stock.ts";

const shardOf = (shard: number, base = "p0"): PlanShard => ({
  shard,
  owner: "p0",
  base,
  held: false,
  pinned: false,
  moving: false,
  lastMoved: null,
});

/** Shards of these loads, by number. */
const stockOf = (loads: readonly number[], base?: (shard: number) => string) =>
  new SortedStock(
    loads.map((_, shard) => shardOf(shard, base?.(shard))),
    Float64Array.from(loads),
  );
const sizes = (stock: SortedStock, wish: number) => stock.around(wish).map((place) => stock.size(place));

describe("a stock of shards by load", () => {
  test("[PLAN1] has the largest that is at most the wish, and the smallest above it", () => {
    const stock = stockOf([5, 1, 9, 3]);
    expect([0, 1, 4, 5, 8, 9, 20].map((wish) => sizes(stock, wish))).toEqual([
      [1],
      [1, 3],
      [3, 5],
      [5, 9],
      [5, 9],
      [9],
      [9],
    ]);
    expect(stock.sample.shard).toBe(1);
  });

  test("[PLAN1] steps over what was taken, and says when it is empty", () => {
    const stock = stockOf([5, 1, 9, 3]);
    const take = (wish: number) => stock.take(stock.around(wish)[0] as number, undefined).shard;
    expect([take(4), stock.empty]).toEqual([3, false]);
    expect(sizes(stock, 4)).toEqual([1, 5]);
    expect([take(7), take(4)]).toEqual([0, 1]);
    expect(sizes(stock, 4)).toEqual([9]);
    expect(sizes(stock, 10)).toEqual([9]);
    expect([take(4), stock.empty]).toEqual([2, true]);
    expect(sizes(stock, 4)).toEqual([]);
  });

  test("[PLAN1] of those just as large it gives the one that belongs to the taker, on either side", () => {
    for (const home of [0, 2, 4]) {
      const stock = () => stockOf([7, 7, 7, 7, 7, 1, 9], (shard) => (shard === home || shard > 4 ? "p1" : "p0"));
      // The places of equal ones are in the order of their numbers, behind the one of load 1.
      expect(stock().take(3, "p1").shard).toBe(home);
      expect(stock().take(3, "p2").shard).toBe(2);
    }
  });

  test("[PLAN1] none of another load is given for its base", () => {
    const stock = stockOf([1, 7, 9], () => "p1");
    expect(stock.take(1, "p1").shard).toBe(1);
    const other = stockOf([1, 7, 9], (shard) => (shard === 1 ? "p0" : "p1"));
    expect(other.take(1, "p1").shard).toBe(1);
  });

  test("[PLAN1] any order of taking: what is around a wish is what a plain search finds", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(8), { minLength: 1, maxLength: 20 }), fc.array(fc.nat(9)), (loads, wishes) => {
        const stock = stockOf(loads);
        const left = new Map(loads.map((load, shard) => [shard, load]));
        for (const wish of wishes) {
          const low = Math.max(...[...left.values()].filter((load) => load <= wish));
          const high = Math.min(...[...left.values()].filter((load) => load > wish));
          expect(sizes(stock, wish)).toEqual([low, high].filter((load) => Number.isFinite(load)));
          const [place] = stock.around(wish);
          if (place === undefined) break;
          const { shard } = stock.take(place, undefined);
          expect(left.delete(shard)).toBe(true);
          expect(stock.empty).toBe(left.size === 0);
        }
      }),
      { numRuns: 50 },
    );
  });
});
