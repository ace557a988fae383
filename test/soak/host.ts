import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type HostProcess, type Ready, spawnHost, temporaryFolder } from "../local/host-process.ts";
import { freePort } from "../support/free-port.ts";
import { DownTime } from "./down-time.ts";

const TOKEN = "t".repeat(32);
/** Worker and configuration are beside it. A run's own configuration, with the address of its hook, is put into this folder. */
const HERE = import.meta.dirname;
const OWN = join(HERE, ".edgeverse");

/** The partition that falls silent. Only an operator's moves bring shards to it. */
export const SILENT = "silent";
export const PARTITIONS = ["p0", "p1", "p2"] as const;
const TINY = 1e-9;

/** The real host, which can be killed and comes back at the same address. */
export class SoakHost {
  readonly url: string;
  readonly down = new DownTime();
  readonly #config: string;
  readonly #environment: Record<string, string>;
  #process: HostProcess | undefined;
  #ready: Ready | undefined;

  private constructor(port: number, databaseUrl: string | undefined, vars: Readonly<Record<string, string>>) {
    this.#config = join(OWN, `${port}.toml`);
    const text = readFileSync(join(HERE, "wrangler.toml"), "utf8").replace('"worker.ts"', '"../worker.ts"');
    const lines = Object.entries(vars).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
    mkdirSync(OWN, { recursive: true });
    writeFileSync(this.#config, [text, "[vars]", ...lines, ""].join("\n"));
    this.url = `http://127.0.0.1:${port}`;
    this.#environment = {
      PORT: `${port}`,
      EDGEVERSE_DATA: temporaryFolder(),
      EDGEVERSE_ADMIN_TOKEN: TOKEN,
      EDGEVERSE_PARTITIONS: `${PARTITIONS.length}`,
      EDGEVERSE_SHARDS: "32",
      EDGEVERSE_STABLE_FOR: "1s",
      EDGEVERSE_MOVE_COOLDOWN: "1s",
      EDGEVERSE_MOVE_STALL: "5s",
      EDGEVERSE_MAX_STATE: "1800000",
      EDGEVERSE_MAX_VALUE: "1800000",
      EDGEVERSE_MAX_MESSAGE: "1800000",
      // What an isolate has on Cloudflare. Here the router, four partitions and the coordinator share one.
      EDGEVERSE_HEAP: "128",
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    };
  }

  /** @param vars variables of the worker */
  static async start(databaseUrl: string | undefined, vars: Readonly<Record<string, string>> = {}): Promise<SoakHost> {
    const host = new SoakHost(await freePort(), databaseUrl, vars);
    await host.#start();
    await host.admin("POST", "partitions", { name: SILENT, weight: TINY });
    return host;
  }

  get workerdPid(): number | undefined {
    return this.#ready?.workerdPid;
  }

  get stderr(): string {
    return this.#process?.stderr() ?? "";
  }

  /** The host's last words, when its workerd has ended by itself. */
  get died(): string | undefined {
    const { stderr } = this;
    return stderr.includes("workerd ended") ? stderr.slice(-2_000) : undefined;
  }

  /** `kill -9` of the host and its workerd, and a new start. */
  async kill(): Promise<void> {
    const up = this.down.begin();
    if (this.#ready !== undefined) process.kill(this.#ready.workerdPid, "SIGKILL");
    this.#process?.child.kill("SIGKILL");
    await this.#process?.exited;
    await this.#start();
    up();
  }

  /** Asks for a change, or looks. @throws Error for any answer but a good one */
  async admin<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    return this.#ask(method, `admin/v1/${path}`, body);
  }

  /** Finds objects by an index. @throws Error for any answer but a good one */
  async query<Body>(query: string): Promise<Body> {
    return this.#ask("GET", `api/v1/objects/query/${query}`);
  }

  async #ask<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await fetch(`${this.url}/${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}` },
      signal: AbortSignal.timeout(30_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as Body;
  }

  async silence(ms: number): Promise<void> {
    await fetch(`${this.url}/soak/silence?partition=${SILENT}&ms=${ms}`, { signal: AbortSignal.timeout(30_000) });
    await sleep(ms);
  }

  /** @returns the exit status */
  async stop(): Promise<number | null> {
    this.#process?.child.kill("SIGTERM");
    rmSync(this.#config, { force: true });
    return (await this.#process?.exited) ?? null;
  }

  async #start(): Promise<void> {
    const worker = [
      "--config",
      this.#config,
      ...(this.#environment["DATABASE_URL"] === undefined ? ["--no-postgres"] : []),
    ];
    this.#process = spawnHost(this.#environment, ["--json"], worker);
    this.#ready = await this.#process.ready();
  }
}
