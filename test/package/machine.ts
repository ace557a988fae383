import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** What a project on this machine would have too: npm's own settings, and how to reach and to trust the registry. */
const KEPT = [
  "PATH",
  "HOME",
  "TMPDIR",
  "NODE_EXTRA_CA_CERTS",
  "HTTPS_PROXY",
  "https_proxy",
  "NO_PROXY",
  "no_proxy",
  "npm_config_cache",
  "npm_config_registry",
  "npm_config_userconfig",
  "npm_config_cafile",
];

/** npm takes from its cache what it has, asks the registry nothing else, and soon says that it can't be reached. */
const QUIET = {
  CI: "1",
  NO_COLOR: "1",
  WRANGLER_SEND_METRICS: "false",
  npm_config_prefer_offline: "true",
  npm_config_audit: "false",
  npm_config_fund: "false",
  npm_config_update_notifier: "false",
  npm_config_fetch_retry_mintimeout: "1000",
  npm_config_fetch_retry_maxtimeout: "5000",
};

/** A new folder outside of the repository, so that nothing resolves to the repository's packages. */
export function emptyFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `edgeverse-${name}-`));
}

/** The environment of an author's machine: this Node, npm, and nothing of the repository's. */
export function authorEnvironment(folder: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...QUIET };
  for (const name of KEPT) if (process.env[name] !== undefined) env[name] = process.env[name];
  const bin = join(folder, ".machine");
  mkdirSync(bin, { recursive: true });
  symlinkSync(process.execPath, join(bin, "node"));
  const elsewhere = (env["PATH"] ?? "").split(delimiter).filter((path) => !path.includes("node_modules"));
  env["PATH"] = [bin, ...elsewhere].join(delimiter);
  return env;
}

/** Runs a command to its end; answers what it printed, both streams. @throws Error with that, when it fails */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<string> {
  try {
    const { stdout, stderr } = await execute(command, args, { ...options, timeout: 120_000, maxBuffer: 64 << 20 });
    return `${stdout}${stderr}`;
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed: ${message}\n${stdout}${stderr}`);
  }
}
