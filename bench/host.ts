import { join } from "node:path";
import { startGuardedChild } from "../local/guarded-child.ts";
import type { Server } from "./server.ts";

export const ROOT = join(import.meta.dirname, "..");

export interface HostSetup {
  /** Folder for all state; made when absent. */
  readonly folder: string;
  readonly partitions: number;
  /** Another `wrangler.toml` than the project's own. */
  readonly config?: string;
}

export interface Host extends Server {
  /** Of the host itself, which started workerd. */
  readonly pid: number;
  readonly dataDir: string;
  readonly adminToken: string;
  /** Milliseconds from spawn to the line that says it is ready. */
  readonly startMs: number;
}

interface ReadyLine {
  readonly url: string;
  readonly adminToken: string;
  readonly pid: number;
  readonly workerdPid: number;
}

const GRACE_MS = 20_000;

/** Starts Edgeverse as `npm start` does, with an embedded Postgres. It ends with this process, however that ends. */
export async function startHost({ folder, partitions, config }: HostSetup): Promise<Host> {
  const before = performance.now();
  const ready = Promise.withResolvers<ReadyLine>();
  const args = [join(ROOT, "local/cli.ts"), "start", "--json", ...(config === undefined ? [] : ["--config", config])];
  const child = startGuardedChild(process.execPath, args, {
    cwd: ROOT,
    env: environment(folder, partitions),
    onLine: (line) => {
      if (line.startsWith('{"url":')) ready.resolve(JSON.parse(line) as ReadyLine);
      else process.stderr.write(`host: ${line}\n`);
    },
  });
  const ended = child.exited.then(({ code, signal }) => {
    throw new Error(`The host ended before it was ready (${signal ?? `code ${code}`})`);
  });
  const { url, pid, workerdPid, adminToken } = await Promise.race([ready.promise, ended]);
  ended.catch(() => {}); // From here on it may end.
  return {
    port: Number(new URL(url).port),
    pid,
    workerdPid,
    dataDir: folder,
    adminToken,
    startMs: performance.now() - before,
    stop: async () => void (await child.stop(GRACE_MS)),
  };
}

/** The caller's own settings must not change what is measured, and RUST_BACKTRACE slows workerd several times. */
function environment(folder: string, partitions: number): Record<string, string> {
  const env: Record<string, string> = { EDGEVERSE_DATA: folder, EDGEVERSE_PARTITIONS: String(partitions), PORT: "0" };
  // All clients come from one address.
  env["EDGEVERSE_CLIENT_CONNECTIONS"] = "30000";
  for (const name of ["PATH", "HOME", "TMPDIR"]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}
