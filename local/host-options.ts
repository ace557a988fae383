import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { OTHER_NAMES } from "../src/config/config.ts";
import { HostError } from "./host-error.ts";

/** What a person can say about a local host, by environment variable or by flag. */
export interface HostOptions {
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on; 0 lets the system choose a free one. */
  readonly port: number;
  /** Absolute path of the folder that holds everything that must survive a restart. */
  readonly dataDir: string;
  /** Absolute path of the `wrangler.toml` that describes the worker. */
  readonly configFile: string;
  readonly adminToken?: string;
  readonly databaseUrl?: string;
  /** `false` runs without a call log: objects and reliable calls work, nothing is written to Postgres. */
  readonly postgres: boolean;
  /** Print one JSON line instead of the banner when ready. */
  readonly json: boolean;
  readonly help: boolean;
  /** Every other `EDGEVERSE_*` variable, given to the worker as it is. */
  readonly variables: Readonly<Record<string, string>>;
}

export const HELP = `Run Edgeverse on this machine.

Flags
  --json           when ready, print one line of JSON instead of the banner
  --config <file>  describe the worker by another wrangler.toml (default: ./wrangler.toml)
  --no-postgres    run without a call log
  --help           this text

Environment
  PORT                   port to listen on, 0 for any free one (8787)
  HOST                   address to listen on (127.0.0.1)
  EDGEVERSE_DATA         folder for all state (.edgeverse)
  EDGEVERSE_ADMIN_TOKEN  bearer token of the admin API (made and kept in the data folder when absent)
  DATABASE_URL           Postgres for the call log (an embedded one when absent)
  EDGEVERSE_*            settings of the worker, see docs/operations.md
`;

/** Variables that speak to the host, or that the host itself decides. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set(OTHER_NAMES);

/** Reads flags and environment; throws {@link HostError} with a sentence a person can act on. */
export function readHostOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): HostOptions {
  const flags = readFlags(argv);
  const given = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  const adminToken = given("EDGEVERSE_ADMIN_TOKEN");
  const databaseUrl = given("DATABASE_URL");
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(env))
    if (name.startsWith("EDGEVERSE_") && value !== undefined && !NOT_PASSED_ON.has(name)) variables[name] = value;
  return {
    host: readHost(given("HOST") ?? "127.0.0.1"),
    port: readPort(given("PORT") ?? "8787"),
    dataDir: resolve(given("EDGEVERSE_DATA") ?? ".edgeverse"),
    configFile: resolve(flags.config ?? "wrangler.toml"),
    ...(adminToken === undefined ? {} : { adminToken }),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    postgres: flags["no-postgres"] !== true,
    json: flags.json === true,
    help: flags.help === true,
    variables,
  };
}

function readFlags(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
        config: { type: "string" },
        "no-postgres": { type: "boolean" },
      },
    }).values;
  } catch (cause) {
    throw new HostError(`${cause instanceof Error ? cause.message.split(". ")[0] : cause}; see --help`);
  }
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new HostError(`PORT must be a number from 0 to 65535, not "${text}"`);
  return port;
}

function readHost(text: string): string {
  const host = text.replace(/^\[(.*)\]$/, "$1");
  if (!/^[A-Za-z0-9.:_-]+$/.test(host)) throw new HostError(`HOST must be an address or a host name, not "${text}"`);
  return host;
}
