import { describe, expect, test } from "vitest";
import { simulate } from "../../src/testing/simulation/simulate.ts";
import { simulateSeeds } from "../../src/testing/simulation/simulate-seeds.ts";
import { findBug } from "./plant.ts";
import { TRANSACTION_BUGS } from "./planted-transaction-bugs.ts";
import { checkSerializable, type Transaction } from "./serializability.ts";
import workload from "./transactions.ts";

/** A transaction that was sent at `begin` and answered at `end`. */
const done = (
  token: string,
  begin: number,
  end: number,
  reads: Record<string, string[]>,
  appends = Object.keys(reads),
): Transaction => ({ token, begin, end, reads, appends, outcome: "happened" });
const check = (transactions: Transaction[], final: Record<string, string[]>) => () =>
  checkSerializable(transactions, final);

describe("the check of a history", () => {
  test("takes what some order of transactions explains", () => {
    const one = done("t1", 1, 4, { a: [], b: [] });
    const other = done("t2", 2, 3, { a: ["t1"], b: ["t1"] });
    const lost: Transaction = { ...one, token: "t3", reads: undefined, outcome: "unknown" };
    expect(check([one, other, lost], { a: ["t1", "t2"], b: ["t1", "t2"] })).not.toThrow();
    expect(check([one, other, lost], { a: ["t1", "t2", "t3"], b: ["t1", "t2", "t3"] })).not.toThrow();
  });

  test.each([
    ["half of one", [done("t1", 1, 2, { a: [], b: [] })], { a: ["t1"], b: [] }, "half of t1"],
    ["one that is lost", [done("t1", 1, 2, { a: [] })], { a: [] }, "t1 was answered"],
    ["one that failed", [{ ...done("t1", 1, 2, { a: [] }), outcome: "did not" as const }], { a: ["t1"] }, "t1 failed"],
    ["one that ran twice", [done("t1", 1, 2, { a: [] })], { a: ["t1", "t1"] }, "twice"],
    ["a state that never was", [done("t1", 1, 2, { a: ["t0"] })], { a: ["t1"] }, "never was"],
    [
      "two that saw one another's cells in different orders",
      [done("t1", 1, 4, { a: [], b: ["t2"] }), done("t2", 2, 3, { a: ["t1"], b: [] })],
      { a: ["t1", "t2"], b: ["t2", "t1"] },
      "no order",
    ],
    [
      "two that each missed what the other wrote",
      [done("t1", 1, 4, { a: [], b: [] }, ["a"]), done("t2", 2, 3, { a: [], b: [] }, ["b"])],
      { a: ["t1"], b: ["t2"] },
      "no order",
    ],
    [
      "a reader that sees half",
      [done("t1", 1, 4, { a: [], b: [] }), done("t2", 2, 3, { a: ["t1"], b: [] }, [])],
      { a: ["t1"], b: ["t1"] },
      "no order",
    ],
    [
      "one that misses what had been answered",
      [done("t1", 1, 2, { a: [] }), done("t2", 3, 4, { a: [] }, [])],
      { a: ["t1"] },
      "no order",
    ],
  ])("refuses %s", (_, transactions, final, why) => {
    expect(check(transactions, final as never)).toThrow(why);
  });
});

describe("transactions in the simulation", () => {
  test("[TX1] [TX2] [TX3] [TX4] they are serializable, whatever happens to the cluster", {
    timeout: 300_000,
  }, async () => {
    await simulateSeeds({ workload, seeds: 60 });
  });

  test.each(Object.entries(TRANSACTION_BUGS))("a bug is found: %s", { timeout: 240_000 }, async (_, bug) => {
    expect(await findBug(bug, (seed) => simulate({ seed, workload }))).toBeDefined();
  });
});
