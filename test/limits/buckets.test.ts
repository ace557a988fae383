import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { debtOf, paceOf, tokensLeft, waitFor } from "../../src/limits/bucket.ts";
import { BucketTable } from "../../src/limits/bucket-table.ts";

const limits = fc.record({
  rate: fc.oneof(fc.double({ min: 0.01, max: 10, noNaN: true }), fc.integer({ min: 1, max: 10_000 })),
  burst: fc.integer({ min: 1, max: 200 }),
});
/** Pauses in ms: none, short, and long enough to fill a bucket. */
const steps = fc.array(
  fc.record({
    pause: fc.oneof(fc.constant(0), fc.integer({ max: 50, min: 0 }), fc.integer({ min: 0, max: 60_000 })),
    cost: fc.integer({ min: 1, max: 5 }),
  }),
  { minLength: 1, maxLength: 300 },
);

describe("a bucket [LIM1]", () => {
  it("never gives more than its burst and its rate, in any time", () => {
    fc.assert(
      fc.property(limits, steps, (limit, calls) => {
        const pace = paceOf(limit);
        let [now, full] = [0, Number.NEGATIVE_INFINITY];
        const taken: { at: number; cost: number }[] = [];
        for (const { pause, cost } of calls) {
          now += pause;
          const debt = debtOf(full, now);
          if (waitFor(debt, cost, pace) > 0) continue;
          full = now + debt + cost * pace.interval;
          taken.push({ at: now, cost });
        }
        for (const [first, { at: start }] of taken.entries()) {
          let sum = 0;
          for (const { at, cost } of taken.slice(first)) {
            sum += cost;
            expect(sum).toBeLessThanOrEqual(limit.burst + (limit.rate * (at - start)) / 1_000 + 1e-3);
          }
        }
      }),
    );
  });

  it("gives its whole burst, and a token as soon as it says", () => {
    fc.assert(
      fc.property(limits, (limit) => {
        const pace = paceOf(limit);
        let full = 0;
        for (let left = limit.burst; left > 0; left--) {
          expect(tokensLeft(debtOf(full, 0), pace)).toBe(left);
          expect(waitFor(debtOf(full, 0), 1, pace)).toBe(0);
          full = debtOf(full, 0) + pace.interval;
        }
        const wait = waitFor(full, 1, pace);
        expect(wait).toBeGreaterThan(0);
        expect(wait).toBeLessThanOrEqual(pace.interval * (1 + 1e-6));
        expect(waitFor(debtOf(full, wait), 1, pace)).toBe(0);
      }),
    );
  });
});

describe("a table of buckets [LIM7]", () => {
  it("stays within its bytes, whatever keys come, and gives up the fullest", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 1_000 })), { maxLength: 2_000 }),
        (entries) => {
          const table = new BucketTable(5_000);
          for (const [key, full] of entries) {
            table.set(`client ${key}`, full, 0);
            expect(table.bytes).toBeLessThanOrEqual(5_000 + 120);
          }
          expect(table.size).toBeLessThan(50);
        },
      ),
    );
    const table = new BucketTable(1_000);
    for (const full of [100, 5, 80, 20, 90, 70, 10, 60, 30, 50, 40]) table.set(`k${full}`, full, 0);
    expect([100, 90, 80, 70, 60].map((full) => table.get(`k${full}`))).toEqual([100, 90, 80, 70, 60]);
    expect(table.get("k5")).toBe(Number.NEGATIVE_INFINITY);
  });

  it("holds a million clients off with the memory of some", () => {
    const BYTES = 256 * 1024;
    const table = new BucketTable(BYTES);
    for (let client = 0; client < 1_000_000; client++) table.set(`i:user-${client}`, client + 1_000, client);
    expect(table.bytes).toBeLessThanOrEqual(BYTES + 200);
    // The last thousand are the ones that lack something.
    expect(table.get("i:user-999999")).toBe(1_000_999);
  });

  it("keeps no bucket that is full", () => {
    const table = new BucketTable(10_000);
    table.set("a", 10, 0);
    table.set("a", 10, 20);
    expect([table.size, table.bytes]).toEqual([0, 0]);
  });
});
