import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { cleanUp, spawnHost, temporaryFolder } from "../local/host-process.ts";
import { freePort } from "../support/free-port.ts";
import { seeded } from "./wallet-traffic.ts";

const TOKEN = "t".repeat(32);
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
  const port = await freePort();
  const env = { EDGEVERSE_DATA: temporaryFolder(), PORT: String(port), EDGEVERSE_ADMIN_TOKEN: TOKEN };
  const start = () =>
    spawnHost({ ...env, EDGEVERSE_PARTITIONS: "2", EDGEVERSE_SHARDS: "64" }, ["--json", "--no-postgres"], []);
  const url = `http://127.0.0.1:${port}`;
  const call = (id: string, method: string, request: object, headers: Record<string, string> = {}) =>
    fetch(`${url}/api/v1/objects/call/Wallet/${id}/${method}`, {
      method: "POST",
      headers,
      body: JSON.stringify({ request }),
    });
  const admin = async <Body>(path: string, init?: RequestInit): Promise<Body> => {
    const answer = await fetch(`${url}/admin/v1/${path}`, { ...init, headers: { authorization: `Bearer ${TOKEN}` } });
    return (await answer.json()) as Body;
  };
  let host = start();
  await host.ready();
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
    const { partition } = await admin<{ partition: string }>(`shards/${kill}`);
    const to = partition === "p0" ? "p1" : "p0";
    await admin(`shards/${kill}/move`, { method: "POST", body: JSON.stringify({ partition: to }) });
    await sleep(below(100));
    const { workerdPid } = await host.ready();
    process.kill(workerdPid, "SIGKILL");
    host.child.kill("SIGKILL");
    await host.exited;
    host = start();
    await host.ready();
  }
  await sleep(500);
  over = true;
  await Promise.all(clients);
  console.info(`${calls} transfers`);
  expect(calls).toBeGreaterThan(300);
  await expect
    .poll(
      async () => {
        const { partitions } = await admin<{ partitions: { messages: number; openCalls: number }[] }>("partitions");
        return partitions.reduce((sum, { messages, openCalls }) => sum + messages + openCalls, 0);
      },
      { timeout: 60_000, interval: 200 },
    )
    .toBe(0);
  const balances: number[] = [];
  for (const id of wallets) {
    const answer = (await (await call(id, "getBalance", {})).json()) as { response: { balance: number } };
    balances.push(answer.response.balance);
  }
  expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(WALLETS * MONEY);
  expect(Math.min(...balances)).toBeGreaterThanOrEqual(0);
  host.child.kill("SIGTERM");
  expect(await host.exited).toBe(0);
});
