import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { freePort } from "./free-port.ts";
import { startBucket } from "./s3-bucket.ts";

const { default: workerd } = createRequire(import.meta.url)("workerd") as { default: string };

export interface WorkerdCluster {
  /** Where each instance serves. */
  readonly urls: readonly string[];
  /** What each has said. */
  readonly logs: readonly (() => string)[];
  stop(): Promise<void>;
}

/** Several workerd processes that share the Durable Objects of one Worker, by a bucket: workerd's cluster mode, an experiment of its. */
export async function startWorkerdCluster(
  main: string,
  instances: number,
  variables: Readonly<Record<string, string>>,
): Promise<WorkerdCluster> {
  const folder = mkdtempSync(join(tmpdir(), "edgeverse-cluster-"));
  const bucket = await startBucket();
  const children: ChildProcess[] = [];
  const stop = async () => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "close");
    }
    await bucket.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await bundle(main, join(folder, "index.js"));
    writeFileSync(join(folder, "cluster.capnp"), config(bucket.url, variables));
    const urls: string[] = [];
    const logs: (() => string)[] = [];
    for (let at = 0; at < instances; at++) {
      const port = await freePort();
      const objects = join(folder, `objects-${at}`);
      mkdirSync(objects);
      const where = ["--directory-path", `objects=${objects}`, "--socket-addr", `http=127.0.0.1:${port}`];
      const args = ["serve", "--experimental", "--verbose", "cluster.capnp", "cluster", ...where];
      const child = spawn(workerd, args, { cwd: folder, env: {}, stdio: ["ignore", "pipe", "pipe"] });
      children.push(child);
      let said = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          said += text;
        });
      }
      urls.push(`http://127.0.0.1:${port}`);
      logs.push(() => said);
    }
    for (const [at, url] of urls.entries()) await serving(url, logs[at] as () => string);
    return { urls, logs, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function bundle(main: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [main],
    outfile,
    absWorkingDir: resolve(import.meta.dirname, "../.."),
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    logLevel: "silent",
  });
}

function config(bucket: string, variables: Readonly<Record<string, string>>): string {
  const text = (value: string) => JSON.stringify(value);
  const bindings = Object.entries(variables).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`);
  const options = [`aws_endpoint=${bucket}`, "aws_region=auto", "aws_access_key_id=any", "aws_secret_access_key=any"];
  return `using Workerd = import "/workerd/workerd.capnp";
const cluster :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "index.js", esModule = embed "index.js")],
      compatibilityDate = "2026-10-01",
      compatibilityFlags = ["nodejs_als"],
      bindings = [
        (name = "PARTITION", durableObjectNamespace = "Partition"),
        (name = "COORDINATOR", durableObjectNamespace = "Coordinator"),
        ${bindings.join(",\n        ")},
      ],
      durableObjectNamespaces = [
        (className = "Partition", uniqueKey = "Partition", enableSql = true),
        (className = "Coordinator", uniqueKey = "Coordinator", enableSql = true),
      ],
      durableObjectStorage = (localDisk = "objects"),
    )),
    (name = "objects", disk = (writable = true)),
  ],
  sockets = [(name = "http", http = (), service = "main")],
  cluster = (
    bucket = "s3://bucket/edgeverse",
    bucketOptions = [${options.map(text).join(", ")}],
    address = "127.0.0.1:0",
    key = "a secret of at least thirty-two bytes",
  ),
);
`;
}

async function serving(url: string, said: () => string): Promise<void> {
  for (const end = performance.now() + 60_000; performance.now() < end; await sleep(100)) {
    const answer = await fetch(`${url}/healthz`).catch(() => undefined);
    if (answer?.status === 200) return;
  }
  throw new Error(`workerd does not serve: ${said()}`);
}
