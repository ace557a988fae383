import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { OTHER_NAMES } from "../src/config/config.ts";
import { findWranglerFile } from "./wrangler-file.ts";

/** What a person can say about a local host, by flag or by environment variable. */
export interface HostOptions {
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on; 0 lets the system choose a free one. */
  readonly port: number;
  /** Absolute path of the folder that holds everything that must survive a restart. */
  readonly dataDir: string;
  /** Absolute paths of the files that describe workers (`wrangler.toml`, `.jsonc`, `.json`): the one to serve first. */
  readonly configFiles: readonly [string, ...string[]];
  /** Which `[env.…]` of those files. */
  readonly environment?: string;
  readonly adminToken?: string;
  readonly databaseUrl?: string;
  /** `false` runs without Postgres: the log of reliable calls is local. */
  readonly postgres: boolean;
  /** MiB that V8's heap may have; V8's own limit when absent. */
  readonly heap?: number;
  /** Print one JSON line instead of the banner when ready. */
  readonly json: boolean;
  /** Every `EDGEVERSE_*` variable that is a setting of the worker. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Flags of `edgeverse dev` and `edgeverse start`, as commander gives them. */
export interface HostFlags {
  readonly port: number;
  readonly host: string;
  readonly data: string;
  readonly config?: readonly [string, ...string[]];
  readonly env?: string;
  readonly postgres: boolean;
  /** Of `edgeverse start` alone. */
  readonly heap?: number;
  readonly json?: boolean;
}

const ENVIRONMENT = `
Environment:
  DATABASE_URL           Postgres for the log of reliable calls (an embedded one when absent)
  EDGEVERSE_ADMIN_TOKEN  bearer token of the admin API (made, and kept in the data folder, when absent)
  EDGEVERSE_*            settings of the Worker, see docs/operations.md

These, and variables of your own, may also be in .dev.vars beside the Worker's file.`;

const ABOUT_CONFIG =
  "the Worker's file (default: wrangler.json, wrangler.jsonc or wrangler.toml of this folder); again for each further Worker that its bindings lead to";

export function hostFlags(command: Command): Command {
  return command
    .addOption(or("PORT", "--port <port>", "port to listen on, 0 for any free one").default(8787).argParser(readPort))
    .addOption(or("HOST", "--host <address>", "address to listen on").default("127.0.0.1").argParser(readHost))
    .addOption(or("EDGEVERSE_DATA", "--data <folder>", "folder for all state").default(".edgeverse"))
    .option("--config <file>", ABOUT_CONFIG, (file: string, before: readonly string[] = []) => [...before, file])
    .option("--env <name>", "an environment of that file: [env.<name>]")
    .option("--no-postgres", "run without Postgres, with a local log of reliable calls")
    .option("--json", "when ready, print one line of JSON instead of the banner")
    .addHelpText("after", ENVIRONMENT);
}

/** What only `edgeverse start` can do, where nothing is between it and workerd. */
export function startFlags(command: Command): Command {
  return hostFlags(command).addOption(
    or("EDGEVERSE_HEAP", "--heap <MiB>", "most memory of V8's heap; Cloudflare gives an isolate 128 MB").argParser(
      readHeap,
    ),
  );
}

/** A flag that a variable of the environment may give instead; one that is empty gives nothing. */
function or(variable: string, flags: string, about: string): Option {
  const option = new Option(flags, about);
  return process.env[variable] === "" ? option : option.env(variable);
}

/** Variables that speak to the host, or that the host itself decides. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set(OTHER_NAMES);

/** @throws HostError when there is no file that describes a worker */
export function readHostOptions(flags: HostFlags, env: Readonly<Record<string, string | undefined>>): HostOptions {
  const given = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  const adminToken = given("EDGEVERSE_ADMIN_TOKEN");
  const databaseUrl = given("DATABASE_URL");
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(env))
    if (name.startsWith("EDGEVERSE_") && value !== undefined && !NOT_PASSED_ON.has(name)) variables[name] = value;
  const [config, ...further] = flags.config ?? [findWranglerFile(process.cwd())];
  return {
    host: flags.host,
    port: flags.port,
    dataDir: resolve(flags.data),
    configFiles: [resolve(config), ...further.map((file) => resolve(file))],
    ...(flags.env === undefined ? {} : { environment: flags.env }),
    ...(adminToken === undefined ? {} : { adminToken }),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    postgres: flags.postgres,
    ...(flags.heap === undefined ? {} : { heap: flags.heap }),
    json: flags.json === true,
    variables,
  };
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError("It must be a number from 0 to 65535.");
  return port;
}

/** Below the least, V8 does not even get the Worker loaded. */
const HEAP = { least: 16, most: 65_536 } as const;

function readHeap(text: string): number {
  const heap = Number(text);
  if (!/^\d{1,5}$/.test(text) || heap < HEAP.least || heap > HEAP.most)
    throw new InvalidArgumentError(`It must be a number from ${HEAP.least} to ${HEAP.most}.`);
  return heap;
}

function readHost(text: string): string {
  const host = text.replace(/^\[(.*)\]$/, "$1");
  if (!/^[A-Za-z0-9.:_-]+$/.test(host)) throw new InvalidArgumentError("It must be an address or a host name.");
  return host;
}
