import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIXED_POSITION, hashRange, positionOf } from "../../src/identity/hash-order.ts";
import { MAX_SHARDS } from "../../src/identity/object-id.ts";

const COUNTS = Array.from({ length: Math.log2(MAX_SHARDS) + 1 }, (_, power) => 2 ** power);
const hash = fc.nat(2 ** 32 - 1);

describe("ring", () => {
  test.each([
    [0, 0],
    [1, 0x80000000],
    [2, 0x40000000],
    [0x80000000, 1],
    [0xffffffff, 0xffffffff],
    [0x12345678, 0x1e6a2c48],
  ])("[ID2] the position of %i is its bits in reverse", (value, position) => {
    expect(positionOf(value)).toBe(position);
  });

  test("[ID2] reversing is its own inverse, unsigned, so no two hashes share a position", () => {
    fc.assert(
      fc.property(hash, (value) => {
        const binary = value.toString(2).padStart(32, "0");
        expect(positionOf(value)).toBe(Number.parseInt([...binary].reverse().join(""), 2));
        expect(positionOf(positionOf(value))).toBe(value);
      }),
      { numRuns: 1_000 },
    );
  });

  test("[ID2] [SPLIT1] `hash mod N = s` exactly where the position is in the range of s, for every N", () => {
    fc.assert(
      fc.property(hash, fc.nat(), (value, other) => {
        for (const shards of COUNTS) {
          const position = positionOf(value);
          for (const shard of [value % shards, other % shards]) {
            const { first, last } = hashRange(shard, shards);
            expect(position >= first && position <= last).toBe(value % shards === shard);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each(COUNTS)("[SPLIT1] the ranges of %i shards tile the ring without gap or overlap", (shards) => {
    const ranges = Array.from({ length: shards }, (_, shard) => hashRange(shard, shards));
    ranges.sort((a, b) => a.first - b.first);
    let next = 0;
    let gaps = 0;
    for (const { first, last } of ranges) {
      if (first !== next) gaps++;
      next = last + 1;
    }
    expect({ gaps, next }).toEqual({ gaps: 0, next: 2 ** 32 });
  });

  test("[SPLIT1] doubling splits a range in two halves and moves nothing", () => {
    fc.assert(
      fc.property(fc.constantFrom(...COUNTS.slice(0, -1)), fc.nat(), (shards, any) => {
        const shard = any % shards;
        const whole = hashRange(shard, shards);
        const low = hashRange(shard, shards * 2);
        const high = hashRange(shard + shards, shards * 2);
        expect([low.first, low.last + 1, high.last]).toEqual([whole.first, high.first, whole.last]);
      }),
    );
  });

  test("[ID4] objects fixed to a partition are outside of every shard's range", () => {
    for (const shards of COUNTS) expect(hashRange(0, shards).first).toBeGreaterThan(FIXED_POSITION);
  });
});
