import { describe, expect, test } from "vitest";
import { runSeeds } from "../../src/testing/simulation/run-seeds.ts";
import { shrink } from "../../src/testing/simulation/shrink.ts";
import { planOf, simulate } from "../../src/testing/simulation/simulate.ts";
import { REGRESSIONS } from "./regressions.ts";

const SEEDS = Number(process.env["EDGEVERSE_SIM_SEEDS"] ?? 2_000);
const FROM = Number(process.env["EDGEVERSE_SIM_FROM"] ?? 1);

describe("the simulation", () => {
  test(`every promise is kept under ${SEEDS} seeds of crashes, lost messages and moves`, {
    timeout: 900_000,
  }, async () => {
    const { failed, moves, calls } = await runSeeds({ from: FROM, seeds: SEEDS });
    const told = failed.slice(0, 10).map(({ seed, violation }) => {
      return `${violation}\n  npm run simulate -- --seed ${seed}`;
    });
    expect(told).toEqual([]);
    expect(calls).toBeGreaterThan(SEEDS * 10);
    if (SEEDS >= 100) expect(moves).toBeGreaterThan(SEEDS / 2);
  });

  test.each([1, 7, 23, 40])("seed %i gives the same story each time, event by event", async (seed) => {
    const [first, second] = [[] as string[], [] as string[]];
    const one = await simulate({ seed, onTrace: (line) => first.push(line) });
    const other = await simulate({ seed, onTrace: (line) => second.push(line) });
    expect(second).toEqual(first);
    expect(other).toEqual(one);
    expect((await simulate({ seed: seed + 1 })).hash).not.toBe(one.hash);
  });

  test("a part of a seed's steps is a story too", async () => {
    const all = planOf(3).steps.length;
    const { stats } = await simulate({ seed: 3, only: [0, 1, 2] });
    expect(all).toBeGreaterThan(3);
    expect(stats.steps).toBe(3);
  });

  test("a seed that keeps its promises is not cut down", async () => {
    expect(await shrink({ seed: 1 })).toMatchObject({ result: { ok: true }, runs: 0 });
  });
});

describe("seeds that once failed", () => {
  const seeds = Object.entries(REGRESSIONS).flatMap(([what, those]) => those.map((seed) => [seed, what] as const));
  test.each(seeds)("%i: %s", async (seed) => {
    const { violation } = await simulate({ seed });
    expect(violation).toBeUndefined();
  });
});
