import { afterAll, test } from "vitest";
import { Random } from "../../src/testing/simulation/random.ts";
import auctions from "../examples/auction-workload.ts";
import matches from "../examples/match-workload.ts";
import orders from "../examples/order-workload.ts";
import games from "../examples/tic-tac-toe-workload.ts";
import { cleanUp, until } from "../local/host-process.ts";
import { KilledHost } from "./killed-host.ts";
import { WorkloadClients } from "./workload-clients.ts";

const KILLS = Number(process.env["EDGEVERSE_TEST_KILLS"] ?? 3);
/** Answers of each story between two kills, at least. */
const CALLS = 60;

afterAll(cleanUp);

test(`[CALL1] [CALL7] [TIME1] the examples keep their promises through repeated calls, moves and ${KILLS} times kill -9`, {
  timeout: 300_000,
}, async () => {
  const seed = Number(process.env["EDGEVERSE_TEST_SEED"] ?? Date.now() % 1_000_000);
  console.info(`seed ${seed}`);
  const random = new Random(seed);
  const host = await KilledHost.start();
  const clients = [orders, matches, games, auctions].map(
    (workload, index) => new WorkloadClients<unknown>(workload, host.url, random.fork(`story ${index}`)),
  );
  for (const story of clients) story.start(5);
  for (let kill = 0; kill < KILLS; kill++) {
    const enough = clients.map(({ answered }) => answered + CALLS);
    await until(() => clients.every(({ answered }, index) => answered >= (enough[index] as number)), 60_000);
    await host.moveAndKill(random.int(64), random.int(100));
  }
  await Promise.all(clients.map((story) => story.stop()));
  console.info(`${clients.map(({ answered }) => answered)} calls`);
  await host.settled();
  for (const story of clients) await story.check();
  await host.stop();
});
