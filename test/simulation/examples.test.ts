import { simulate, simulateSeeds, type Workload } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { planOf } from "../../src/testing/simulation/simulate.ts";
import auctions from "../examples/auction-workload.ts";
import matches from "../examples/match-workload.ts";
import orders from "../examples/order-workload.ts";
import games from "../examples/tic-tac-toe-workload.ts";
import transfers from "../examples/wallet-workload.ts";
import { findBug, type PlantedBug } from "./plant.ts";
import { AUCTION_BUGS, MATCH_BUGS, ORDER_BUGS, TIC_TAC_TOE_BUGS, WALLET_BUGS } from "./planted-example-bugs.ts";

describe("transfers in the simulation", () => {
  keepTheirPromises("[CALL7] money is neither lost nor made, whatever deadlines they have", transfers, WALLET_BUGS);
});

describe("orders in the simulation", () => {
  keepTheirPromises("[CALL7] each ends once; stock and money are neither lost nor made", orders, ORDER_BUGS);
});

describe("matches in the simulation", () => {
  keepTheirPromises("[CALL7] each is counted once by each of its players", matches, MATCH_BUGS);

  test("a process without a disk that sets an alarm does no harm", async () => {
    expect(await simulate({ seed: 116, workload: matches })).toMatchObject({ ok: true });
  });
});

describe("auctions in the simulation", () => {
  keepTheirPromises(
    "[TIME1] each closes once; the best bid pays it, and all other money is back",
    auctions,
    AUCTION_BUGS,
  );
});

describe("games of tic-tac-toe in the simulation", () => {
  keepTheirPromises("[CALL1] players take turns, and no cell is taken twice", games, TIC_TAC_TOE_BUGS);
});

function keepTheirPromises<Answer>(
  promise: string,
  workload: Workload<Answer>,
  bugs: Readonly<Record<string, PlantedBug>>,
) {
  test(promise, { timeout: 120_000 }, async () => {
    await simulateSeeds({ workload, seeds: 20 });
  });

  test.each(Object.entries(bugs))("a bug is found: %s", { timeout: 240_000 }, async (_, bug) => {
    const found = await findBug(bug, (seed) => simulate({ seed, workload, only: withoutLedgers(seed, workload) }));
    expect(found).toContain("the workload's check");
  });
}

/** The steps of a seed but for the calls of the simulation itself, which find what the workload is to find. */
function withoutLedgers<Answer>(seed: number, { calls }: Workload<Answer>): number[] {
  const { steps } = planOf(seed, calls);
  return steps.flatMap(({ kind }, index) => (kind === "call" || kind === "again" ? [] : [index]));
}
