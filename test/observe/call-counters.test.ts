import { expect, test } from "vitest";
import { CallCounters, sumOfCalls } from "../../src/observe/call-counters.ts";
import { Histogram } from "../../src/observe/histogram.ts";

test("[CALL17] a histogram has each value in the first range that holds it, and what is larger in the last", () => {
  const histogram = new Histogram([1, 10]);
  for (const value of [0, 1, 1.5, 10, 11, 1_000_000]) histogram.add(value);
  expect(histogram.values).toEqual({ bounds: [1, 10], counts: [2, 2, 2], sum: 1_000_023.5 });
});

test("[CALL17] counts of several partitions are summed, histograms place by place", () => {
  const [one, two] = [new CallCounters(), new CallCounters()];
  one.ended("success", 3);
  one.ended("failed", 700_000);
  one.count("replayed");
  one.shipped(7, 260);
  two.ended("success", 4);
  two.ended("expired", 0);
  two.count("retried");
  two.shipped(500, undefined);
  two.reconciled({ seen: 2, driven: 1, completed: 0, pending: 0, refused: 1, unreachable: 0, left: 0 });
  const sum = sumOfCalls([one.values, two.values]);
  expect(sum).toMatchObject({ success: 2, failed: 1, expired: 1, parked: 0, retried: 1, replayed: 1 });
  expect(sum.latency.sum).toBe(700_007);
  expect(sum.latency.counts.reduce((total, count) => total + count, 0)).toBe(4);
  expect(sum.latency.counts[sum.latency.bounds.indexOf(5)]).toBe(2);
  expect(sum.batch.counts.filter((count) => count > 0)).toEqual([1, 1]);
  expect(sum.lag.counts.reduce((total, count) => total + count, 0)).toBe(1);
  expect(sum.reconciler).toMatchObject({ runs: 1, seen: 2, driven: 1, refused: 1 });
  expect(one.values).toMatchObject({ success: 1, reconciler: { runs: 0 } });
});

test("[CALL17] no partition has counted nothing", () => {
  expect(sumOfCalls([])).toEqual(new CallCounters().values);
});
