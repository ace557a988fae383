import { describe, expect, test } from "vitest";
import { simulate } from "../../src/testing/simulation/simulate.ts";
import { findBug } from "./plant.ts";
import { PLANTED } from "./planted-bugs.ts";

describe("the simulation finds", () => {
  const bugs = Object.entries(PLANTED);

  test.each(bugs)("%s", { timeout: 240_000 }, async (_, bug) => {
    expect(await findBug(bug, (seed) => simulate({ seed }))).toBeDefined();
  });
});
