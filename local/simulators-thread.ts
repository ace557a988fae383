import { parentPort, workerData } from "node:worker_threads";
import { wranglerOf } from "./tools.ts";

/** What the thread is given: where the project is, and Miniflare's options. */
export interface SimulatorsRequest {
  readonly project: string;
  /** As of Miniflare 4, which is what wrangler's reader gives. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What the thread says: once what workerd is to run, and now and then a line for the log. */
export type SimulatorsReply =
  | { readonly config: Uint8Array; readonly loopback: string; readonly sockets: readonly string[] }
  | { readonly log: string }
  | { readonly error: string };

/** As much of Miniflare as is used here. */
interface MiniflarePackage {
  readonly Miniflare: new (options: unknown) => { readonly ready: Promise<URL> };
  /** It starts and stops workerd, for every Miniflare. */
  readonly Runtime: { readonly prototype: Runtime };
  readonly Log: new (level: number) => { log(message: string): void };
  readonly LogLevel: { readonly WARN: number };
  /** Miniflare 5 has it, and other options than 4. */
  readonly convertV4MiniflareOptions?: (options: unknown) => unknown;
}

interface Runtime {
  updateConfig(
    config: Uint8Array,
    options: { readonly loopbackAddress: string; readonly requiredSockets: readonly string[] },
  ): Promise<ReadonlyMap<string, number>>;
  dispose(): Promise<void>;
}

const port = parentPort;
if (port !== null) {
  const reply = (message: SimulatorsReply) => port.postMessage(message);
  try {
    await serve(workerData as SimulatorsRequest, reply);
  } catch (error) {
    reply({ error: error instanceof Error ? error.message : String(error) });
  }
}

/**
 * Has Miniflare write workerd's configuration, and answers what its simulators call back for. It does not run workerd: it would
 * kill it without letting requests end, and leave it behind when this process is killed.
 */
async function serve({ project, options }: SimulatorsRequest, reply: (message: SimulatorsReply) => void) {
  const miniflare = wranglerOf(project)("miniflare") as MiniflarePackage;
  const { prototype } = miniflare.Runtime;
  if (typeof prototype.updateConfig !== "function") throw new Error("this version of Miniflare is not known here");
  prototype.updateConfig = async (config, { loopbackAddress: loopback, requiredSockets: sockets }) => {
    reply({ config, loopback, sockets });
    return new Map(sockets.map((socket) => [socket, 1]));
  };
  prototype.dispose = async () => {};
  const log = new (class extends miniflare.Log {
    override log(message: string): void {
      reply({ log: message });
    }
  })(miniflare.LogLevel.WARN);
  const whole = { ...options, log };
  await new miniflare.Miniflare(miniflare.convertV4MiniflareOptions?.(whole) ?? whole).ready;
}
