import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { cleanUp, type HostProcess, spawnHost, temporaryFolder } from "../local/host-process.ts";
import { freePort } from "../support/free-port.ts";
import { checkLedger, checkLog } from "./check-ledger.ts";
import { PlainTraffic } from "./plain-traffic.ts";
import { seeded, WalletTraffic } from "./wallet-traffic.ts";

const TOKEN = "t".repeat(32);
const SHARDS = 32;

afterAll(cleanUp);

class Operator {
  readonly #url: string;
  constructor(url: string) {
    this.#url = url;
  }

  async send<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.#url}/admin/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }

  async until(what: string, done: () => Promise<boolean>, ms = 60_000): Promise<void> {
    const deadline = Date.now() + ms;
    while (!(await done().catch(() => false))) {
      if (Date.now() > deadline) {
        throw new Error(
          `${what} took too long: ${JSON.stringify(await this.send("GET", "moves?active=true&limit=5"))}`,
        );
      }
      await sleep(50);
    }
  }

  settled(): Promise<void> {
    return this.until("moves", async () => {
      const { counts } = await this.send<{ counts: { active: number; planned: number } }>("GET", "moves?limit=1");
      return counts.active + counts.planned === 0;
    });
  }

  /** Sends every shard to the other one of two partitions. */
  async swap(names: readonly [string, string]): Promise<number> {
    const { shards } = await this.send<{ shards: { shard: number; partition: string }[] }>("GET", "shards?limit=1000");
    let moves = 0;
    for (const { shard, partition } of shards) {
      if (!names.includes(partition)) continue;
      const to = partition === names[0] ? names[1] : names[0];
      try {
        await this.send("POST", `shards/${shard}/move`, { partition: to });
        moves++;
      } catch (error) {
        // The planner was faster.
        if (!String(error).includes("CONFLICT")) throw error;
      }
    }
    await this.settled();
    return moves;
  }

  async drain(name: string): Promise<void> {
    await this.send("POST", `partitions/${name}/drain`);
    await this.until(
      `the drain of ${name}`,
      async () => (await this.send(`GET`, `partitions/${name}`))["drained"] === true,
    );
    expect(await this.send("GET", `partitions/${name}`)).toMatchObject({ assignedShards: 0, shards: 0 });
  }

  async reshard(count: number): Promise<void> {
    await this.send("POST", "shard-count", { count });
    await this.until(`${count} shards`, async () => {
      const { shards, target } = await this.send<{ shards: number; target: number | null }>("GET", "shard-count");
      return shards === count && target === null;
    });
  }
}

async function begin() {
  const port = await freePort();
  const data = temporaryFolder();
  const start = (): HostProcess =>
    spawnHost(
      {
        EDGEVERSE_DATA: data,
        PORT: String(port),
        EDGEVERSE_ADMIN_TOKEN: TOKEN,
        EDGEVERSE_PARTITIONS: "2",
        EDGEVERSE_SHARDS: String(SHARDS),
        EDGEVERSE_STABLE_FOR: "50ms",
        EDGEVERSE_MOVE_COOLDOWN: "10ms",
      },
      ["--json"],
      [],
    );
  const host = start();
  await host.ready();
  const url = `http://127.0.0.1:${port}`;
  return { url, start, host, operator: new Operator(url) };
}

describe("the real host under load", () => {
  test("[MIG1] [MEM1] [SPLIT1] every shard moves back and forth, partitions come and go, shards double and halve: no call fails", {
    timeout: 240_000,
  }, async () => {
    const { url, host, operator } = await begin();
    const wallets = new WalletTraffic({ url: () => url, wallets: 60, random: seeded(7) });
    const plain = new PlainTraffic(url, 60);
    wallets.start(8);
    plain.start(8);
    await sleep(300);
    let moves = await operator.swap(["p0", "p1"]);
    moves += await operator.swap(["p0", "p1"]);
    expect(moves).toBeGreaterThan(1.5 * SHARDS);
    await operator.send("POST", "partitions", { name: "p2", weight: 2 });
    await operator.until(
      "p2 takes shards",
      async () => Number((await operator.send("GET", "partitions/p2"))["assignedShards"]) > 0,
    );
    await operator.settled();
    await operator.drain("p0");
    await operator.send("POST", "partitions/p0/uncordon");
    await operator.settled();
    await operator.reshard(SHARDS * 2);
    await operator.swap(["p1", "p2"]);
    await operator.reshard(SHARDS / 2);
    await operator.drain("p2");
    await operator.send("DELETE", "partitions/p2");
    // The whole process stands still for a while, in the middle of moves.
    const { workerdPid } = await host.ready();
    const random = seeded(11);
    for (let stop = 0; stop < 4; stop++) {
      const swapping = operator.swap(["p0", "p1"]);
      await sleep(random() * 40);
      process.kill(workerdPid, "SIGSTOP");
      await sleep(200 + random() * 800);
      process.kill(workerdPid, "SIGCONT");
      await swapping;
    }
    await wallets.stop();
    await plain.stop();
    console.info(`${wallets.calls.size} reliable and ${plain.calls} plain calls, none failed`);
    expect(plain.failed.slice(0, 5)).toEqual([]);
    expect(wallets.failures).toBe(0);
    expect(plain.calls).toBeGreaterThan(500);
    expect(await plain.check()).toEqual([]);
    await checkLedger(url, wallets.calls.values());
    await checkLog(url, TOKEN, wallets.calls);
    expect(host.stderr()).not.toContain("stuck");
    host.child.kill("SIGTERM");
    expect(await host.exited).toBe(0);
  });

  test("[MIG4] [CALL1] kill -9 of the whole host in the middle of moves: nothing is lost or run twice, and they end", {
    timeout: 240_000,
  }, async () => {
    const made = await begin();
    const { url, start, operator } = made;
    let { host } = made;
    const random = seeded(Number(process.env["EDGEVERSE_TEST_SEED"] ?? Date.now() % 1_000_000));
    const wallets = new WalletTraffic({ url: () => url, wallets: 60, random });
    wallets.start(12);
    await sleep(300);
    for (let kill = 0; kill < 8; kill++) {
      const swapping = operator.swap(["p0", "p1"]).catch(() => undefined);
      if (kill === 4) void operator.send("POST", "shard-count", { count: SHARDS * 2 }).catch(() => undefined);
      await sleep(random() * 120);
      const { workerdPid } = await host.ready();
      process.kill(workerdPid, "SIGKILL");
      host.child.kill("SIGKILL");
      await host.exited;
      host = start();
      await host.ready();
      // Its requests ended with the host.
      await swapping;
    }
    await operator.settled();
    await wallets.stop();
    await checkLedger(url, wallets.calls.values());
    await checkLog(url, TOKEN, wallets.calls);
    const { shards } = await operator.send<{ shards: { why: string; claimed: boolean }[] }>("GET", "shards?limit=1000");
    expect(shards.filter(({ why }) => why.startsWith("claimed;"))).toEqual([]);
    host.child.kill("SIGTERM");
    expect(await host.exited).toBe(0);
  });
});
