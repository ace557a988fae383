import { describe, expect, test } from "vitest";
import { simulate } from "../../src/testing/simulation/simulate.ts";
import { PLANTED } from "./planted-bugs.ts";

describe("the simulation finds", () => {
  const bugs = Object.entries(PLANTED);

  test.each(bugs)("%s", { timeout: 240_000 }, async (_name, { plant, within }) => {
    const remove = plant();
    let found: string | undefined;
    let seed = 1;
    try {
      for (; seed <= within && found === undefined; seed++) found = (await simulate({ seed })).violation;
    } finally {
      remove();
    }
    expect(found).toBeDefined();
  });
});
