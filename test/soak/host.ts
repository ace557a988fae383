import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryFolder } from "../local/host-process.ts";
import { freePort } from "../support/free-port.ts";
import { KillableHost } from "../support/killable-host.ts";

/** Worker and configuration are beside it. A run's own configuration, with the address of its hook, is put into this folder. */
const HERE = import.meta.dirname;
const OWN = join(HERE, ".edgeverse");

/** The partition that falls silent. Only an operator's moves bring shards to it. */
export const SILENT = "silent";
export const PARTITIONS = ["p0", "p1", "p2"] as const;
const TINY = 1e-9;

/** The real host of the soak. */
export class SoakHost extends KillableHost {
  readonly #config: string;

  private constructor(port: number, databaseUrl: string | undefined, vars: Readonly<Record<string, string>>) {
    const config = join(OWN, `${port}.toml`);
    super({
      port,
      config,
      flags: databaseUrl === undefined ? ["--no-postgres"] : [],
      environment: {
        EDGEVERSE_DATA: temporaryFolder(),
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
      },
    });
    this.#config = config;
    const text = readFileSync(join(HERE, "wrangler.toml"), "utf8").replace('"worker.ts"', '"../worker.ts"');
    const lines = Object.entries(vars).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
    mkdirSync(OWN, { recursive: true });
    writeFileSync(config, [text, "[vars]", ...lines, ""].join("\n"));
  }

  /** @param vars variables of the worker */
  static async run(databaseUrl: string | undefined, vars: Readonly<Record<string, string>> = {}): Promise<SoakHost> {
    const host = new SoakHost(await freePort(), databaseUrl, vars);
    await host.start();
    await host.admin("POST", "partitions", { name: SILENT, weight: TINY });
    return host;
  }

  /** Finds objects by an index. @throws Error for any answer but a good one */
  async query<Body>(query: string): Promise<Body> {
    return this.ask("GET", `api/v1/objects/query/${query}`);
  }

  async silence(ms: number): Promise<void> {
    await fetch(`${this.url}/soak/silence?partition=${SILENT}&ms=${ms}`, { signal: AbortSignal.timeout(30_000) });
    await sleep(ms);
  }

  /** @returns the exit status */
  override async stop(): Promise<number | null> {
    rmSync(this.#config, { force: true });
    return super.stop();
  }
}
