import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processIdentity } from "../../local/process-identity.ts";

const CONFIG = resolve(import.meta.dirname, "fixture/wrangler.toml");
const CLI = resolve(import.meta.dirname, "../../local/cli.ts");

/** One run of the real `edgeverse start` or `edgeverse dev`, on the fixture worker where nothing else is said. */
export interface HostProcess {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the exit code, `null` when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** The `--json` line. */
  ready(): Promise<Ready>;
}

export interface Ready {
  readonly url: string;
  readonly adminToken: string;
  readonly pid: number;
  readonly workerdPid: number;
  readonly dataDir: string;
}

const started: ChildProcess[] = [];
const folders: string[] = [];

/** @param worker flags that say what to serve; default: the fixture, without a log */
export function spawnHost(
  env: Record<string, string>,
  flags: readonly string[] = ["--json"],
  worker: readonly string[] = ["--config", CONFIG, "--no-postgres"],
  command: "start" | "dev" = "start",
): HostProcess {
  const child = spawn(process.execPath, [CLI, command, ...worker, ...flags], {
    env: { PATH: process.env["PATH"], PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const exited = once(child, "close").then(([code]) => code as number | null);
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    exited,
    async ready() {
      await Promise.race([until(() => out.includes("\n"), 90_000), exited]);
      if (!out.startsWith("{")) throw new Error(`the host did not start: ${err}`);
      return JSON.parse(out) as Ready;
    },
  };
}

/** A folder with files by their paths. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "edgeverse-host-"));
  folders.push(folder);
  return folder;
}

/** A `wrangler.toml` of the fixture worker with one more variable. */
export function configWith(variable: string): string {
  const path = join(temporaryFolder(), "wrangler.toml");
  const main = JSON.stringify(join(CONFIG, "../worker.ts"));
  writeFileSync(path, `${readFileSync(CONFIG, "utf8").replace('"worker.ts"', main)}${variable}\n`);
  return path;
}

/** Ends what a test left, by the process it started, and removes its folders. */
export async function cleanUp(): Promise<void> {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "close");
  }
  await sleep(50); // The guards of killed hosts end their workerds.
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  for (const end = performance.now() + timeoutMs; !(await condition()); await sleep(20))
    if (performance.now() > end) throw new Error("it did not happen in time");
}

export function isRunning(pid: number): boolean {
  return processIdentity(pid) !== undefined;
}

export async function getText(url: string): Promise<string> {
  // No kept connection: these tests look at what a host does with its connections.
  const response = await fetch(url, { headers: { connection: "close" } });
  return response.text();
}
