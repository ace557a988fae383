import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { freePort } from "../../local/free-port.ts";
import { startGuardedChild } from "../../local/guarded-child.ts";
import { waitUntilReady } from "../../local/ready.ts";
import type { Server } from "../server.ts";

const config = (port: number, objects: string) => `using Workerd = import "/workerd/workerd.capnp";
const baseline :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = "2026-10-01",
      bindings = [(name = "BARE", durableObjectNamespace = "Bare")],
      durableObjectNamespaces = [(className = "Bare", uniqueKey = "bare", enableSql = true)],
      durableObjectStorage = (localDisk = "objects"),
    )),
    (name = "objects", disk = (path = ${JSON.stringify(objects)}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`;

/** Starts workerd with the bare worker in `folder`. It ends with this process, however that ends. */
export async function startBaseline(folder: string): Promise<Server> {
  const objects = join(folder, "objects");
  mkdirSync(objects, { recursive: true });
  const source = readFileSync(join(import.meta.dirname, "worker.ts"), "utf8");
  writeFileSync(join(folder, "worker.js"), transformSync(source, { loader: "ts", format: "esm" }).code);
  const port = await freePort("127.0.0.1", 0, 0);
  const file = join(folder, "workerd.capnp");
  writeFileSync(file, config(port, objects));
  const { default: workerd } = createRequire(import.meta.url)("workerd") as { default: string };
  // Nothing else in its environment: RUST_BACKTRACE would slow it several times.
  const env = { PATH: process.env["PATH"] ?? "" };
  const child = startGuardedChild(workerd, ["serve", file, "baseline"], {
    env,
    cwd: folder,
    onLine: (line) => process.stderr.write(`baseline: ${line}\n`),
  });
  const signal = new AbortController().signal;
  await waitUntilReady(`http://127.0.0.1:${port}/plain`, { child, timeoutMs: 10_000, signal });
  return {
    port,
    workerdPid: child.pid,
    // workerd waits for idle keep-alive connections; nothing of the baseline is worth that.
    stop: async () => void (await child.stop(200)),
  };
}
