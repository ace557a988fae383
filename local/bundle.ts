import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { HostError } from "./host-error.ts";

/** Files of a bundle, relative to its folder. */
export const BUNDLE = { main: "index.js", outbound: "outbound.js" } as const;

/** Name of the exported entry point that the host's private socket is bound to. */
export const CONTROL_ENTRYPOINT = "EdgeverseControl";

const workerSource = (name: string): string => join(import.meta.dirname, "worker", name);

/** As wrangler resolves and loads, so that a module that works here works deployed. */
const SHARED: BuildOptions = {
  bundle: true,
  format: "esm",
  target: "es2024",
  platform: "browser",
  conditions: ["workerd", "worker", "browser"],
  mainFields: ["browser", "module", "main"],
  external: ["cloudflare:*", "node:*"],
  loader: { ".html": "text", ".txt": "text", ".sql": "text" },
  define: { "process.env.NODE_ENV": '"production"' },
  sourcemap: "linked",
  logLevel: "silent",
};

/**
 * Bundles the worker at `main`, with the host's control entry point beside its own exports, into `folder`.
 * @throws HostError with esbuild's messages
 */
export async function bundleWorker(main: string, folder: string): Promise<void> {
  const entry = `
    import handler from ${JSON.stringify(main)};
    import { controlEntrypoint } from ${JSON.stringify(workerSource("control.ts"))};
    export * from ${JSON.stringify(main)};
    export default handler;
    export const ${CONTROL_ENTRYPOINT} = controlEntrypoint(handler);`;
  try {
    await Promise.all([
      build({
        ...SHARED,
        stdin: { contents: entry, resolveDir: folder, sourcefile: "edgeverse-entry.js" },
        outfile: join(folder, BUNDLE.main),
      }),
      build({ ...SHARED, entryPoints: [workerSource("outbound.ts")], outfile: join(folder, BUNDLE.outbound) }),
    ]);
  } catch (error) {
    throw new HostError(`Cannot bundle the worker: ${error instanceof Error ? error.message : error}`);
  }
}
