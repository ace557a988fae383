import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { cleanUp } from "../local/host-process.ts";
import { KilledHost } from "./killed-host.ts";
import { seeded } from "./wallet-traffic.ts";

const WALLETS = 30;
const MONEY = 1_000;
const CLIENTS = 12;
const KILLS = 6;

afterAll(cleanUp);

test(`[CALL7] transfers with deadlines of a few ms, reliable ones beside them, and ${KILLS} times kill -9 make and lose no money`, {
  timeout: 300_000,
}, async () => {
  const seed = Number(process.env["EDGEVERSE_TEST_SEED"] ?? Date.now() % 1_000_000);
  console.info(`seed ${seed}`);
  const random = seeded(seed);
  const below = (most: number) => Math.floor(random() * most);
  const host = await KilledHost.start();
  const call = (id: string, method: string, request: object, headers: Record<string, string> = {}) =>
    fetch(`${host.url}/api/v1/objects/call/Wallet/${id}/${method}`, {
      method: "POST",
      headers,
      body: JSON.stringify({ request }),
    });
  const wallets = Array.from({ length: WALLETS }, (_, index) => `w${index}`);
  for (const id of wallets) {
    expect((await call(id, "deposit", { amount: MONEY }, { "idempotency-key": "first" })).status).toBe(200);
  }
  let over = false;
  let calls = 0;
  const client = async (name: number): Promise<void> => {
    for (let n = 0; !over; n++) {
      const [from, to] = [wallets[below(WALLETS)] as string, wallets[below(WALLETS)] as string];
      const headers: Record<string, string> =
        n % 2 === 0 ? { "edgeverse-timeout": String(1 + below(12)) } : { "idempotency-key": `${name}-${n}` };
      calls++;
      const answer = await call(from, "transfer", { to, amount: 1 + below(200) }, headers).catch(() => undefined);
      await answer?.text().catch(() => "");
      if (answer === undefined) await sleep(20);
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, name) => client(name));
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(200 + below(700));
    await host.moveAndKill(kill, below(100));
  }
  await sleep(500);
  over = true;
  await Promise.all(clients);
  console.info(`${calls} transfers`);
  expect(calls).toBeGreaterThan(300);
  await host.settled();
  const balances: number[] = [];
  for (const id of wallets) {
    const answer = (await (await call(id, "getBalance", {})).json()) as { response: { balance: number } };
    balances.push(answer.response.balance);
  }
  expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(WALLETS * MONEY);
  expect(Math.min(...balances)).toBeGreaterThanOrEqual(0);
  await host.stop();
});
