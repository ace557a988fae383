import { type HostProcess, type Ready, spawnHost } from "../local/host-process.ts";
import { DownTime } from "../soak/down-time.ts";

const TOKEN = "t".repeat(32);

export interface KillableHostOptions {
  readonly port: number;
  /** A `wrangler.toml`. */
  readonly config: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Flags for `edgeverse start`. */
  readonly flags?: readonly string[];
}

/** The real host, which can be killed and comes back at the same address. */
export class KillableHost {
  readonly url: string;
  readonly down = new DownTime();
  readonly #options: KillableHostOptions;
  #process: HostProcess | undefined;
  #ready: Ready | undefined;

  constructor(options: KillableHostOptions) {
    this.#options = options;
    this.url = `http://127.0.0.1:${options.port}`;
  }

  async start(): Promise<void> {
    const { port, config, environment, flags = [] } = this.#options;
    const all = { EDGEVERSE_ADMIN_TOKEN: TOKEN, ...environment, PORT: `${port}` };
    this.#process = spawnHost(all, ["--json"], ["--config", config, ...flags]);
    this.#ready = await this.#process.ready();
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
    await this.start();
    up();
  }

  /** Asks for a change, or looks. @throws Error for any answer but a good one */
  async admin<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    return this.ask(method, `admin/v1/${path}`, body);
  }

  /** @throws Error for any answer but a good one */
  async ask<Body>(method: string, path: string, body?: unknown): Promise<Body> {
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

  /** @returns the exit status */
  async stop(): Promise<number | null> {
    this.#process?.child.kill("SIGTERM");
    return (await this.#process?.exited) ?? null;
  }
}
