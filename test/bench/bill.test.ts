import { describe, expect, test } from "vitest";
import { billOf } from "../../bench/cost/bill.ts";
import type { Counts } from "../../bench/cost/counts.ts";
import { PRICES } from "../../bench/cost/prices.ts";

const NOTHING: Counts = {
  workerRequests: 0,
  objectRequests: 0,
  rowsRead: 0,
  rowsWritten: 0,
  alarms: 0,
  timerMs: 0,
  statements: 0,
  postgresMinutes: 0,
};

describe("the bill", () => {
  test("Cloudflare's own example: 1.5 million requests to an object that is awake for a million seconds", () => {
    // https://developers.cloudflare.com/durable-objects/platform/pricing/, example 1, without what the plan includes
    const { parts } = billOf({ ...NOTHING, objectRequests: 1_500_000, timerMs: 1_000_000_000 - 1_500_000 * 5 });
    expect(parts.objectRequests).toBeCloseTo(0.225);
    expect(parts.gigabyteSeconds).toBeCloseTo(128_000 * 12.5e-6);
  });

  test("Neon's own example: a quarter of a unit, 9 hours a day for 30 days", () => {
    const { dollars } = billOf({ ...NOTHING, postgresMinutes: 30 * 9 * 60 });
    expect(dollars).toBeCloseTo(7.155);
  });

  test("nothing costs nothing", () => {
    expect(billOf(NOTHING).dollars).toBe(0);
  });
});

test.each(Object.entries(PRICES))("the price of %s says where and when it was read", (_, { dollars, source, read }) => {
  expect(dollars).toBeGreaterThan(0);
  expect(new URL(source).protocol).toBe("https:");
  expect(Date.parse(read)).toBeLessThanOrEqual(Date.now());
});
