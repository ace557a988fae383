import { describe, expect, test } from "vitest";
import { rotated } from "../../src/reliable/owners.ts";
import { UpkeepBudget } from "../../src/reliable/upkeep-budget.ts";
import { ManualClock } from "../../src/testing/clocks.ts";

describe("what a run of upkeep may spend", () => {
  test("[CALL9] [CALL10] subrequests are taken whole or not at all, to the last one", () => {
    const budget = new UpkeepBudget(new ManualClock(), { messages: 5, time: 1_000 });
    expect(budget.take(3)).toBe(true);
    expect(budget.take(3)).toBe(false);
    expect(budget.take()).toBe(true);
    expect(budget.take()).toBe(true);
    expect(budget.take()).toBe(false);
  });

  test("[CALL9] [CALL10] when the time is up, nothing more is taken", async () => {
    const clock = new ManualClock();
    const budget = new UpkeepBudget(clock, { messages: 5, time: 1_000 });
    await clock.advance(999);
    expect(budget.take()).toBe(true);
    await clock.advance(1);
    expect(budget.take()).toBe(false);
  });
});

test("[CALL9] [CALL10] each is the first in its turn", () => {
  expect([0, 1.5, 2, 3].map((by) => rotated(["a", "b", "c"], by).join(""))).toEqual(["abc", "bca", "cab", "abc"]);
  expect(rotated([], 7)).toEqual([]);
});
