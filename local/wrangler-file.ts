import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { promisify } from "node:util";
import { HostError } from "./host-error.ts";
import { shortPath } from "./short-path.ts";
import { wranglerOf } from "./tools.ts";

/** A `wrangler.toml` (or `.jsonc`, `.json`) as wrangler's reader gives it, with defaults: as much of it as is used here by name. */
export interface WranglerConfig {
  readonly [key: string]: unknown;
  readonly name?: string;
  readonly main?: string;
  readonly compatibility_date?: string;
  readonly compatibility_flags: readonly string[];
  readonly triggers: { readonly crons?: readonly string[] };
  readonly durable_objects: {
    readonly bindings: readonly { readonly name: string; readonly class_name: string; readonly script_name?: string }[];
  };
  readonly exports?: Readonly<Record<string, { readonly type: string }>>;
  readonly services?: readonly { readonly service: string }[];
  readonly workflows?: readonly { readonly script_name?: string }[];
  readonly vars: Readonly<Record<string, unknown>>;
  readonly build: {
    readonly command?: string;
    readonly cwd?: string;
    readonly watch_dir?: string | readonly string[];
  };
  readonly define: Readonly<Record<string, string>>;
  readonly alias: Readonly<Record<string, string>>;
  readonly tsconfig?: string;
  readonly jsx_factory: string;
  readonly jsx_fragment: string;
}

export interface DurableObject {
  readonly className: string;
  readonly scriptName?: string;
  /** What the migrations say of the class; undefined when they don't name it. */
  readonly useSQLite?: boolean;
}

/** What wrangler makes of such a file for Miniflare. */
export interface LocalOptions {
  readonly [key: string]: unknown;
  /** Variables: `vars`, and over them those of `.dev.vars` or `.env`. */
  readonly bindings?: Readonly<Record<string, unknown>>;
  readonly durableObjects?: Readonly<Record<string, string | DurableObject>>;
  readonly additionalUnboundDurableObjects?: readonly DurableObject[];
}

export interface WranglerFile {
  readonly config: WranglerConfig;
  /** What a file that says nothing comes to. */
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly options: LocalOptions;
}

/** What the program that reads prints as JSON. */
export type ReaderReply = WranglerFile | { readonly error: string };

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

/** The program that reads: `.ts`, and `.js` where this package is installed. */
const READER = join(import.meta.dirname, `wrangler-reader${extname(import.meta.filename)}`);

/**
 * Reads a worker's file, and `.dev.vars` or `.env` beside it, with the reader of the project's wrangler. In a process of its own: wrangler
 * takes 130 MB, which this one would never get rid of.
 * @param environment one of the file's `[env.…]`
 * @throws HostError when the file is missing or wrangler refuses it
 */
export async function readWranglerFile(file: string, environment: string | undefined): Promise<WranglerFile> {
  if (!existsSync(file)) throw new HostError(`There is no ${shortPath(file)}`);
  wranglerOf(dirname(file)); // Says it when there is none.
  const args = [READER, file, ...(environment === undefined ? [] : [environment])];
  const reading = promisify(execFile)(process.execPath, args, {
    // Otherwise it says on standard output which files it reads.
    env: { ...process.env, WRANGLER_LOG: "warn" },
    maxBuffer: 64 * 1024 * 1024,
  });
  reading.child.stderr?.pipe(process.stderr, { end: false });
  const reply = JSON.parse((await reading).stdout) as ReaderReply;
  if (!("error" in reply)) return reply;
  throw new HostError(`Cannot read ${shortPath(file)}: ${reply.error.trim().replaceAll(/\s*\n\s*/g, " ")}`);
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
