import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { type HostProcess, spawnHost, temporaryFolder } from "../local/host-process.ts";
import { freePort } from "../support/free-port.ts";

const TOKEN = "t".repeat(32);

/** The default host with two partitions and without Postgres, which is killed again and again and goes on where it was. */
export class KilledHost {
  readonly url: string;
  readonly #env: Record<string, string>;
  #host: HostProcess;

  static async start(): Promise<KilledHost> {
    const host = new KilledHost(await freePort());
    await host.#host.ready();
    return host;
  }

  private constructor(port: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#env = {
      EDGEVERSE_DATA: temporaryFolder(),
      PORT: String(port),
      EDGEVERSE_ADMIN_TOKEN: TOKEN,
      EDGEVERSE_PARTITIONS: "2",
      EDGEVERSE_SHARDS: "64",
    };
    this.#host = this.#spawn();
  }

  async admin<Body>(path: string, init?: RequestInit): Promise<Body> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`${this.url}/admin/v1/${path}`, { ...init, headers });
    return (await answer.json()) as Body;
  }

  /** Begins to move a shard to the other partition, and kills everything a few ms later. */
  async moveAndKill(shard: number, afterMs: number): Promise<void> {
    const { partition } = await this.admin<{ partition: string }>(`shards/${shard}`);
    const body = JSON.stringify({ partition: partition === "p0" ? "p1" : "p0" });
    await this.admin(`shards/${shard}/move`, { method: "POST", body });
    await sleep(afterMs);
    const { workerdPid } = await this.#host.ready();
    process.kill(workerdPid, "SIGKILL");
    this.#host.child.kill("SIGKILL");
    await this.#host.exited;
    this.#host = this.#spawn();
    await this.#host.ready();
  }

  /** Waits until every reminder has called, every message is delivered, and every reliable call has its outcome. */
  async settled(): Promise<void> {
    type Partitions = { partitions: { reminders: number; messages: number; openCalls: number }[] };
    const open = async () => {
      const { partitions } = await this.admin<Partitions>("partitions");
      return partitions.reduce((sum, { reminders, messages, openCalls }) => sum + reminders + messages + openCalls, 0);
    };
    await expect.poll(open, { timeout: 60_000, interval: 200 }).toBe(0);
  }

  async stop(): Promise<void> {
    this.#host.child.kill("SIGTERM");
    expect(await this.#host.exited).toBe(0);
  }

  #spawn(): HostProcess {
    return spawnHost(this.#env, ["--json", "--no-postgres"], []);
  }
}
