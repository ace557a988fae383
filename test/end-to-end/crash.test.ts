import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { cleanUp, spawnHost, temporaryFolder } from "../local/host-process.ts";
import { freePort } from "../support/free-port.ts";
import { checkLedger, checkLog } from "./check-ledger.ts";
import { seeded, WalletTraffic } from "./wallet-traffic.ts";

const KILLS = Number(process.env["EDGEVERSE_TEST_KILLS"] ?? 20);

afterAll(cleanUp);

test(`[CALL1][CALL3][TURN3] ${KILLS} times kill -9 of the whole host: nothing acknowledged is lost, nothing runs twice`, {
  timeout: 300_000,
}, async () => {
  const seed = Number(process.env["EDGEVERSE_TEST_SEED"] ?? Date.now() % 1_000_000);
  console.info(`seed ${seed}`);
  const random = seeded(seed);
  const data = temporaryFolder();
  const port = await freePort();
  const start = () =>
    spawnHost(
      { EDGEVERSE_DATA: data, PORT: String(port), EDGEVERSE_ADMIN_TOKEN: "t".repeat(32), EDGEVERSE_PARTITIONS: "2" },
      ["--json"],
      [],
    );
  const url = `http://127.0.0.1:${port}`;
  const traffic = new WalletTraffic({ url: () => url, wallets: 40, random });
  let host = start();
  await host.ready();
  traffic.start(16);
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(100 + random() * 900);
    const { workerdPid } = await host.ready();
    process.kill(workerdPid, "SIGKILL");
    host.child.kill("SIGKILL");
    await host.exited;
    host = start();
    await host.ready();
  }
  await sleep(500);
  await traffic.stop();
  console.info(`${traffic.calls.size} calls, ${traffic.failures} failed attempts`);
  expect(traffic.calls.size).toBeGreaterThan(200);
  expect(traffic.failures).toBeGreaterThan(0);
  await checkLedger(url, traffic.calls.values());
  await checkLog(url, "t".repeat(32), traffic.calls);
  host.child.kill("SIGTERM");
  expect(await host.exited).toBe(0);
});
