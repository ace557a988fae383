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

test("[PLAN2] a silence that nobody has met for a minute is forgotten, and told again when it comes back", () => {
  let now = 0;
  const silence = new Silence({ now: () => now, after: () => () => undefined, soon: () => undefined });
  const fails = (time: number) => {
    now = time;
    return silence.failed("p", time);
  };
  expect([fails(0), fails(6_000)]).toEqual([false, true]);
  now = 65_999;
  expect(silence.has("p")).toBe(true);
  now = 66_000;
  expect(silence.has("p")).toBe(false);
  expect([fails(66_000), fails(72_000)]).toEqual([false, true]);
});
