import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { freePort } from "../../local/free-port.ts";
import { waitUntilReady } from "../../local/ready.ts";
import { startWorkerd } from "../../local/workerd.ts";
import type { Server } from "../server.ts";

const config = (port: number, objects: string) => `using Workerd = import "/workerd/workerd.capnp";
const baseline :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = "2026-10-01",
      bindings = [
        (name = "BARE", durableObjectNamespace = "Bare"),
        (name = "GROUPED", durableObjectNamespace = "Grouped"),
        (name = "HALL", durableObjectNamespace = "Hall"),
      ],
      durableObjectNamespaces = [
        (className = "Bare", uniqueKey = "bare", enableSql = true),
        (className = "Grouped", uniqueKey = "grouped", enableSql = true),
        (className = "Hall", uniqueKey = "hall", enableSql = true),
      ],
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
  const launch = { args: [file, "baseline"], sockets: ["http"], socketFiles: [], env: {} };
  const onLine = (line: string) => process.stderr.write(`baseline: ${line}\n`);
  const { child, listening } = startWorkerd(launch, { project: import.meta.dirname, cwd: folder, onLine });
  await waitUntilReady(listening, { child, timeoutMs: 10_000, signal: new AbortController().signal });
  return {
    port,
    workerdPid: child.pid,
    // workerd waits for idle keep-alive connections; nothing of the baseline is worth that.
    stop: async () => void (await child.stop(200)),
  };
}
