import module from "node:module";
import { dirname } from "node:path";
import { wranglerOf } from "./tools.ts";
import type { LocalOptions, ReaderReply, WranglerConfig } from "./wrangler-file.ts";

// A program of its own, for `readWranglerFile`: the arguments are a worker's file and one of its environments, if any.

/** The part of wrangler's programming interface that reads files. */
interface WranglerReader {
  readonly unstable_defaultWranglerConfig: Readonly<Record<string, unknown>>;
  unstable_readConfig(args: { config: string; env: string | undefined }): WranglerConfig;
  unstable_getMiniflareWorkerOptions(
    config: WranglerConfig,
    env: string | undefined,
  ): { readonly workerOptions: LocalOptions };
}

module.enableCompileCache(); // A third less time.
const [file = "", env] = process.argv.slice(2);

function read(): ReaderReply {
  const wrangler = wranglerOf(dirname(file))("wrangler") as WranglerReader;
  try {
    const config = wrangler.unstable_readConfig({ config: file, env });
    const { workerOptions: options } = wrangler.unstable_getMiniflareWorkerOptions(config, env);
    return { config, defaults: wrangler.unstable_defaultWranglerConfig, options };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

const reply = read();
/** wrangler has a symbol for a worker that is bound to itself. */
const self = "config" in reply ? reply.config.name : undefined;
process.stdout.write(JSON.stringify(reply, (_key, value: unknown) => (typeof value === "symbol" ? self : value)));
