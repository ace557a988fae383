import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { Worker } from "node:worker_threads";
import type { WorkerBindings } from "./bindings.ts";
import { BUNDLE, type Bundle, CONTROL_ENTRYPOINT } from "./bundle.ts";
import type { Cleanup } from "./cleanup.ts";
import type { DataFolder } from "./data-folder.ts";
import { HostError } from "./host-error.ts";
import type { SimulatorsReply, SimulatorsRequest } from "./simulators-thread.ts";
import { CONTROL_SOCKET, type Launch } from "./workerd.ts";
import type { DurableObject, LocalOptions } from "./wrangler-file.ts";

/** The thread's module: `.ts`, and `.js` where this package is installed. */
const THREAD = join(import.meta.dirname, `simulators-thread${extname(import.meta.filename)}`);

/** Name of the worker that stands between all others and the network. */
const OUTBOUND = "edgeverse:outbound";

export interface SimulatorsOptions {
  /** Address and port to listen on. */
  readonly host: string;
  readonly port: number;
  readonly folder: DataFolder;
  /** The one that is served, then those that its bindings lead to; their bundles lie in the folder of its. */
  readonly bundles: readonly [Bundle, ...Bundle[]];
  /** Variables of the first. */
  readonly bindings: WorkerBindings;
  /** Origins that workers may reach on private addresses too. */
  readonly privateOrigins: readonly string[];
  log(text: string): void;
}

/**
 * Makes ready what workerd alone does not have (KV, R2, D1, queues, other workers, …) with Miniflare's simulators.
 * @returns how to start workerd, which is as fast with them
 * @throws HostError when Miniflare refuses
 */
export async function launchSimulated(options: SimulatorsOptions, cleanup: Cleanup): Promise<Launch> {
  const { folder, bundles } = options;
  shareObjects(folder);
  const workerData: SimulatorsRequest = { project: bundles[0].settings.project, options: miniflareOptions(options) };
  const thread = new Worker(THREAD, { workerData });
  cleanup.add(() => thread.terminate());
  const { promise, resolve, reject } =
    Promise.withResolvers<Exclude<SimulatorsReply, { log: string } | { error: string }>>();
  thread.on("error", reject);
  thread.on("exit", () => reject(new HostError("Cannot simulate the worker's bindings: Miniflare ended")));
  thread.on("message", (reply: SimulatorsReply) => {
    if ("log" in reply) options.log(reply.log);
    else if ("error" in reply) reject(new HostError(`Cannot simulate the worker's bindings: ${reply.error}`));
    else resolve(reply);
  });
  const { config, loopback, sockets } = await promise;
  const entry = join(folder.run, "entry.sock");
  const control = join(folder.run, CONTROL_SOCKET);
  return {
    args: [
      "--verbose",
      "--binary",
      // Simulators are workers that use what is behind this flag; the author's are held to their compatibility flags.
      "--experimental",
      `--external-addr=loopback=${loopback}`,
      `--socket-addr=entry=unix:${entry}`,
      `--socket-addr=direct:0:${CONTROL_ENTRYPOINT}=unix:${control}`,
      "-",
    ],
    input: config,
    sockets,
    socketFiles: [entry, control],
    env: {},
  };
}

/** The Durable Objects of a data folder are the same ones with and without simulators. */
function shareObjects({ simulators, objects }: DataFolder): void {
  const link = join(simulators, "do");
  mkdirSync(simulators, { recursive: true, mode: 0o700 });
  if (!existsSync(link)) symlinkSync(relative(simulators, objects), link);
}

function miniflareOptions({ host, port, folder, bundles, bindings, privateOrigins }: SimulatorsOptions) {
  const [first, ...others] = bundles;
  const root = first.folder;
  const network = (...allow: string[]) => ({ network: { allow, deny: [], tlsOptions: { trustBrowserCas: true } } });
  return {
    resourcePersistencePath: folder.simulators,
    // Neither a look at the network for where this machine is, nor a line for every request.
    cf: false,
    logRequests: false,
    workers: [
      {
        ...workerOptions(first, root),
        ...withKeys(first.settings.file.options),
        bindings: { ...bindings.json, ...bindings.text },
        unsafeDirectSockets: [{ host, port }, { entrypoint: CONTROL_ENTRYPOINT }],
      },
      ...others.map((other) => workerOptions(other, root)),
      {
        name: OUTBOUND,
        compatibilityDate: first.settings.compatibilityDate,
        modulesRoot: root,
        modules: [{ type: "ESModule", path: join(root, BUNDLE.outbound) }],
        bindings: { ORIGINS: privateOrigins },
        serviceBindings: { internet: network("public"), named: network("public", "private") },
      },
    ],
  };
}

/**
 * A worker as Miniflare wants it: what wrangler's reader says of it, and its bundle.
 * @param root folder that names of modules begin in: what a stack trace then says is one file, whichever worker's it is
 */
function workerOptions({ settings, folder, binaries }: Bundle, root: string): Record<string, unknown> {
  const { modulesRules: _, ...options } = settings.file.options;
  return {
    ...options,
    name: settings.name,
    outboundService: OUTBOUND,
    modulesRoot: root,
    modules: [
      { type: "ESModule", path: join(folder, BUNDLE.main) },
      ...binaries.map(({ name, kind }) => ({
        type: kind === "wasm" ? "CompiledWasm" : "Data",
        path: join(folder, name),
      })),
    ],
  };
}

/** Its Durable Objects with the keys that decide where their files lie, as `workerd-config.ts` has them. */
function withKeys({ durableObjects = {}, additionalUnboundDurableObjects = [] }: LocalOptions) {
  const keyed = (object: string | DurableObject) => {
    const whole = typeof object === "string" ? { className: object } : object;
    return whole.scriptName === undefined ? { ...whole, unsafeUniqueKey: `edgeverse-${whole.className}` } : whole;
  };
  return {
    durableObjects: Object.fromEntries(Object.entries(durableObjects).map(([name, object]) => [name, keyed(object)])),
    additionalUnboundDurableObjects: additionalUnboundDurableObjects.map(keyed),
  };
}
