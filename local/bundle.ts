import { execSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { builtinModules } from "node:module";
import { extname, join, resolve } from "node:path";
import type { BuildOptions, BuildResult } from "esbuild";
import { HostError } from "./host-error.ts";
import { wranglerOf } from "./tools.ts";
import type { WorkerSettings } from "./worker-settings.ts";

/** Files of a bundle, relative to its folder. */
export const BUNDLE = { main: "index.js", outbound: "outbound.js" } as const;

/** Name of the exported entry point that the host's private socket is bound to. */
export const CONTROL_ENTRYPOINT = "EdgeverseControl";

/** A module beside the bundle that is no JavaScript. */
export interface BinaryModule {
  /** Its file, and the name it is imported by. */
  readonly name: string;
  readonly kind: "wasm" | "data";
}

/** A worker that is ready to be loaded. */
export interface Bundle {
  readonly settings: WorkerSettings;
  readonly folder: string;
  readonly binaries: readonly BinaryModule[];
}

const KINDS: Readonly<Record<string, BinaryModule["kind"]>> = { ".wasm": "wasm", ".bin": "data" };

/** Sources of this package are `.ts`, and `.js` where it is installed. */
const workerSource = (name: string): string =>
  join(import.meta.dirname, "worker", name + extname(import.meta.filename));

/** As wrangler resolves and loads, so that a module that works here works deployed. */
const SHARED = {
  bundle: true,
  format: "esm",
  target: "es2024",
  platform: "browser",
  conditions: ["workerd", "worker", "browser"],
  mainFields: ["browser", "module", "main"],
  external: ["cloudflare:*", "node:*"],
  loader: { ".html": "text", ".txt": "text", ".sql": "text", ".wasm": "copy", ".bin": "copy" },
  sourcemap: "linked",
  logLevel: "silent",
  metafile: true,
} as const satisfies BuildOptions;

/**
 * Bundles a worker, with the host's control entry point beside its own exports, into `folder`.
 * @throws HostError with esbuild's messages
 */
export async function bundleWorker(settings: WorkerSettings, folder: string): Promise<Bundle> {
  const { main, project } = settings;
  const { config } = settings.file;
  const { build, stop } = wranglerOf(project)("esbuild") as typeof import("esbuild");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const entry = `
    import handler from ${JSON.stringify(main)};
    import { controlEntrypoint } from ${JSON.stringify(workerSource("control"))};
    export * from ${JSON.stringify(main)};
    export default handler;
    export const ${CONTROL_ENTRYPOINT} = controlEntrypoint(handler);`;
  try {
    if (config.build.command !== undefined)
      execSync(config.build.command, { cwd: resolve(project, config.build.cwd ?? "."), stdio: ["ignore", 2, 2] });
    const [bundle] = await Promise.all([
      build({
        ...bundleOptions(settings),
        stdin: { contents: entry, resolveDir: folder, sourcefile: "edgeverse-entry.js" },
        outfile: join(folder, BUNDLE.main),
      }),
      build({ ...SHARED, entryPoints: [workerSource("outbound")], outfile: join(folder, BUNDLE.outbound) }),
    ]);
    return { settings, folder, binaries: binaryModules(bundle) };
  } catch (error) {
    throw new HostError(`Cannot bundle the worker: ${error instanceof Error ? error.message : error}`);
  } finally {
    await stop(); // Its process would stay, with 100 MB.
  }
}

/** How a worker is bundled, by what its file says. */
export function bundleOptions({ project, file, compatibilityFlags }: WorkerSettings) {
  const { define, alias, tsconfig, jsx_factory, jsx_fragment } = file.config;
  const nodeModules = compatibilityFlags.some((flag) => flag.startsWith("nodejs_compat"))
    ? Object.fromEntries(builtinModules.filter((name) => !name.startsWith("_")).map((name) => [name, `node:${name}`]))
    : {};
  return {
    ...SHARED,
    define: { "process.env.NODE_ENV": '"production"', ...define },
    alias: { ...nodeModules, ...alias },
    absWorkingDir: project,
    jsxFactory: jsx_factory,
    jsxFragment: jsx_fragment,
    ...(tsconfig === undefined ? {} : { tsconfig }),
  } satisfies BuildOptions;
}

function binaryModules({ metafile }: BuildResult): BinaryModule[] {
  return Object.keys(metafile?.outputs ?? {}).flatMap((path) => {
    const kind = KINDS[extname(path)];
    return kind === undefined ? [] : [{ name: path.slice(path.lastIndexOf("/") + 1), kind }];
  });
}
