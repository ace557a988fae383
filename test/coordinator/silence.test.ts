import { expect, test } from "vitest";
import { Silence } from "../../src/coordinator/silence.ts";

test("[PLAN2] a partition that fails each order at once becomes silent, and that is told once", () => {
  let now = 0;
  const silence = new Silence({ now: () => now, after: () => () => undefined, soon: () => undefined });
  const told = [0, 50, 350, 1_550, 4_999, 5_150, 7_150, 60_000].filter((time) => {
    now = time;
    return silence.failed("p", time);
  });
  expect(told).toEqual([5_150]);
  expect([silence.has("p"), silence.has("q")]).toEqual([true, false]);
  expect([silence.answered("p"), silence.answered("p"), silence.has("p")]).toEqual([true, false, false]);
  expect(silence.failed("p", now)).toBe(false);
});
