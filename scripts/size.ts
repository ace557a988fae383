/**
 * `npm run size`: what an author's import and the default deployment weigh, and what workerd computes until it has loaded the
 * latter. Fails when something is over its budget.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "..");

/** KiB gzipped. Of the host, 11 are the pages of its examples. */
export const BUDGETS = { authoring: 3, class: 30, host: 285, client: 10_000 / 1024 } as const;

export interface Bundle {
  readonly kib: number;
  /** Modules that are loaded, as paths from the root of the repository. */
  readonly modules: readonly string[];
  /** Packages that are left out. */
  readonly packages: readonly string[];
}

/** What `import { VirtualObject, method } from "edgeverse"` loads, zod apart. */
export function authoringImport(): Promise<Bundle> {
  return bundle('export { VirtualObject, method } from "edgeverse";', ["zod", "zod/*"]);
}

/** A class of objects with all that it loads: zod too, as far as it is used. */
export function objectClass(): Promise<Bundle> {
  return bundle('export { Counter } from "./examples/counter.ts";', []);
}

/** Everything of `edgeverse/client`. */
export function client(): Promise<Bundle> {
  return bundle('export * from "edgeverse/client";', []);
}

async function bundle(contents: string, external: string[]): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: ROOT },
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    minify: true,
    metafile: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: [...external, "cloudflare:*", "node:*"],
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  return {
    kib: gzipSync(outputFiles[0]?.contents ?? "").length / 1024,
    modules: Object.keys(metafile.inputs).filter((path) => path !== "<stdin>"),
    packages: [...new Set(imports.map(({ path }) => path))],
  };
}

/** KiB, gzipped, of what `wrangler deploy` uploads for the default host. */
export async function hostUpload(): Promise<number> {
  const output = await wrangler((folder) => ["deploy", "--dry-run", "--outdir", folder]);
  const found = /Total Upload: .* gzip: ([\d.]+) KiB/.exec(output);
  if (found === null) throw new Error(`wrangler does not say what it would upload: ${output}`);
  return Number(found[1]);
}

/** Ms that workerd computes to load the default host: the busy part of wrangler's own profile of it. */
export async function startUp(): Promise<number> {
  const output = await wrangler((folder) => ["check", "startup", "--outfile", join(folder, "startup.cpuprofile")]);
  const found = /Active: ([\d.]+) ms/.exec(output);
  if (found === null) throw new Error(`wrangler does not say how long the start took: ${output}`);
  return Number(found[1]);
}

async function wrangler(parameters: (folder: string) => string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "edgeverse-size-"));
  try {
    const bin = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
    const { stdout } = await promisify(execFile)(process.execPath, [bin, ...parameters(folder)], {
      cwd: ROOT,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
    });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const [authoring, counter, browser] = [await authoringImport(), await objectClass(), await client()];
  const host = await hostUpload();
  const times: number[] = [];
  for (let round = 0; round < 5; round++) times.push(await startUp());
  const [least, , median, , most] = times.sort((a, b) => a - b);
  const rows = [
    ["import { VirtualObject, method }, without zod", authoring.kib, BUDGETS.authoring],
    ["a class of objects, with zod", counter.kib, BUDGETS.class],
    ["edgeverse/client, all of it", browser.kib, BUDGETS.client],
    ["the default host, as wrangler uploads it", host, BUDGETS.host],
  ] as const;
  for (const [what, kib, budget] of rows) {
    console.log(`${what.padEnd(48)}${kib.toFixed(1).padStart(6)} KiB gzipped of ${Number(budget.toFixed(1))}`);
    if (kib > budget) process.exitCode = 1;
  }
  console.log(
    `${"loading the default host in workerd".padEnd(48)}${median?.toFixed(0).padStart(6)} ms of CPU, median of 5 (${least}–${most}), by wrangler check startup`,
  );
}
