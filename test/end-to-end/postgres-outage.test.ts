import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { cleanUp, spawnHost, temporaryFolder } from "../local/host-process.ts";
import { findPostgres, startPostgresServer } from "../support/postgres-server.ts";
import { checkLedger, checkLog } from "./check-ledger.ts";
import { seeded, WalletTraffic } from "./wallet-traffic.ts";

const bin = findPostgres();
const token = "t".repeat(32);

afterAll(cleanUp);

test.skipIf(bin === undefined)(
  "[CALL6] Postgres stops under load and comes back: calls go on, `write-ahead` calls fail cleanly, the log catches up",
  { timeout: 120_000 },
  async () => {
    const server = await startPostgresServer(bin as string);
    try {
      const host = spawnHost(
        { EDGEVERSE_DATA: temporaryFolder(), DATABASE_URL: server.url, EDGEVERSE_ADMIN_TOKEN: token },
        ["--json"],
        [],
      );
      const { url } = await host.ready();
      const traffic = new WalletTraffic({ url: () => url, wallets: 20, random: seeded(7) });
      traffic.start(8);
      await sleep(1_000);
      await server.pause();
      const before = traffic.acknowledged;
      await sleep(2_000);
      expect(traffic.acknowledged).toBeGreaterThan(before + 50);
      expect((await fetch(`${url}/ready`)).status).toBe(503);

      const started = Date.now();
      const refused = await deposit(url, "careful", "before-1");
      expect(refused).toMatchObject({ status: 503, body: { code: "LOG_UNAVAILABLE" } });
      expect(Date.now() - started).toBeLessThan(6_000);
      expect(await balance(url, "careful")).toBe(0);

      await server.resume();
      await sleep(1_000);
      await traffic.stop();
      for (let tries = 0; (await deposit(url, "careful", "before-1")).status !== 200; tries++) {
        expect(tries).toBeLessThan(50);
        await sleep(200);
      }
      expect(await balance(url, "careful")).toBe(5);
      expect(traffic.failures).toBe(0);
      await checkLedger(url, traffic.calls.values());
      const careful = {
        callId: "before-1",
        wallet: "careful",
        method: "deposit" as const,
        amount: 5,
        answers: [{ status: 200, body: "", replayed: false }],
      };
      await checkLog(url, token, new Map([...traffic.calls, ["before-1", careful]]));
      host.child.kill("SIGTERM");
      expect(await host.exited).toBe(0);
    } finally {
      await server.stop();
    }
  },
);

async function deposit(url: string, wallet: string, callId: string) {
  const answer = await fetch(`${url}/api/v1/objects/call/Wallet/${wallet}/deposit`, {
    method: "POST",
    headers: { "idempotency-key": callId, "edgeverse-log": "write-ahead" },
    body: '{"request":{"amount":5}}',
  });
  return { status: answer.status, body: (await answer.json()) as unknown };
}

async function balance(url: string, wallet: string): Promise<unknown> {
  const answer = await fetch(`${url}/api/v1/objects/call/Wallet/${wallet}/getBalance`, { method: "POST" });
  return ((await answer.json()) as { response: { balance: number } }).response.balance;
}
