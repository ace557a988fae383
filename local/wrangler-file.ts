import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { HostError } from "./host-error.ts";
import { shortPath } from "./short-path.ts";
import { wranglerOf } from "./tools.ts";

/** A `wrangler.toml` (or `.jsonc`, `.json`) as wrangler's reader gives it, with defaults: as much of it as is used here by name. */
export interface WranglerConfig {
  readonly main?: string;
  readonly compatibility_date?: string;
  readonly compatibility_flags: readonly string[];
  readonly triggers: { readonly crons?: readonly string[] };
  readonly durable_objects: {
    readonly bindings: readonly { readonly name: string; readonly class_name: string; readonly script_name?: string }[];
  };
  readonly vars: Readonly<Record<string, unknown>>;
  readonly build: { readonly command?: string; readonly cwd?: string };
  readonly define: Readonly<Record<string, string>>;
  readonly alias: Readonly<Record<string, string>>;
  readonly tsconfig?: string;
  readonly jsx_factory: string;
  readonly jsx_fragment: string;
}

interface DurableObject {
  readonly className: string;
  readonly scriptName?: string;
  /** What the migrations say of the class; undefined when they don't name it. */
  readonly useSQLite?: boolean;
}

/** What wrangler makes of such a file for a local run. */
export interface LocalOptions {
  /** Variables: `vars`, and over them those of `.dev.vars` or `.env`. */
  readonly bindings?: Readonly<Record<string, unknown>>;
  readonly durableObjects?: Readonly<Record<string, string | DurableObject>>;
  readonly additionalUnboundDurableObjects?: readonly DurableObject[];
}

export interface WranglerFile {
  readonly config: WranglerConfig;
  readonly options: LocalOptions;
}

/** The part of wrangler's programming interface that reads files. */
interface WranglerReader {
  unstable_readConfig(args: { config: string; env: string | undefined }): WranglerConfig;
  unstable_getMiniflareWorkerOptions(
    config: WranglerConfig,
    env: string | undefined,
  ): { readonly workerOptions: LocalOptions };
}

/** In the order in which wrangler looks for them. */
const NAMES = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/** @throws HostError when the folder has none */
export function findWranglerFile(folder: string): string {
  const found = NAMES.map((name) => join(folder, name)).find(existsSync);
  if (found !== undefined) return found;
  throw new HostError(
    `There is no wrangler.toml, wrangler.jsonc or wrangler.json in ${folder}: go to your project's folder, or name the file with --config`,
  );
}

/**
 * Reads a worker's file, and `.dev.vars` or `.env` beside it, with the reader of the project's wrangler.
 * @param environment one of the file's `[env.…]`
 * @throws HostError when the file is missing or wrangler refuses it
 */
export function readWranglerFile(file: string, environment: string | undefined): WranglerFile {
  if (!existsSync(file)) throw new HostError(`There is no ${shortPath(file)}`);
  const wrangler = wranglerOf(dirname(file))("wrangler") as WranglerReader;
  const level = process.env["WRANGLER_LOG"];
  // Otherwise it says on standard output which files it reads.
  process.env["WRANGLER_LOG"] = "warn";
  try {
    const config = wrangler.unstable_readConfig({ config: file, env: environment });
    return { config, options: wrangler.unstable_getMiniflareWorkerOptions(config, environment).workerOptions };
  } catch (error) {
    const reason = (error as Error).message.trim().replaceAll(/\s*\n\s*/g, " ");
    throw new HostError(`Cannot read ${shortPath(file)}: ${reason}`);
  } finally {
    if (level === undefined) delete process.env["WRANGLER_LOG"];
    else process.env["WRANGLER_LOG"] = level;
  }
}

/** The Durable Object classes that the worker itself exports, bound or not. */
export function ownClasses({
  durableObjects = {},
  additionalUnboundDurableObjects = [],
}: LocalOptions): DurableObject[] {
  const bound = Object.values(durableObjects).map((named) =>
    typeof named === "string" ? { className: named } : named,
  );
  const own = [...bound, ...additionalUnboundDurableObjects].filter(({ scriptName }) => scriptName === undefined);
  return [...new Map(own.map((object) => [object.className, object])).values()];
}
