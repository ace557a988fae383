import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Plugin } from "esbuild";
import { bundleOptions } from "./bundle.ts";
import type { Workers } from "./foundation.ts";
import { wranglerOf } from "./tools.ts";
import type { WorkerSettings } from "./worker-settings.ts";

/**
 * Resolves when a file that one of the workers is made of is saved: at once if that was after `since`. esbuild watches, as it
 * does for wrangler: it knows what a worker is made of, also while a mistake is in it.
 * @param files that describe the workers
 * @param since ms since the epoch
 */
export async function nextSave(
  workers: Workers,
  files: readonly string[],
  since: number,
  signal: AbortSignal,
): Promise<void> {
  const { context, stop } = wranglerOf(workers[0].project)("esbuild") as typeof import("esbuild");
  const { promise: saved, resolve: onSave } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => onSave());
  try {
    for (const worker of workers) {
      const watching = await context({
        ...bundleOptions(worker),
        entryPoints: [worker.main],
        outdir: worker.project,
        write: false,
        sourcemap: false,
        plugins: [watch(worker, [...files, ...sources(worker)], since, onSave)],
      });
      await watching.watch();
    }
    if (!signal.aborted) await saved;
  } finally {
    await stop();
  }
}

function watch({ main, project }: WorkerSettings, watchFiles: string[], since: number, onSave: () => void): Plugin {
  const isNewer = (path: string) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > since;
  return {
    name: "edgeverse",
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ kind }) =>
        kind === "entry-point" ? { path: main, watchFiles } : undefined,
      );
      let builds = 0;
      build.onEnd(({ metafile }) => {
        const inputs = Object.keys(metafile?.inputs ?? {}).map((path) => resolve(project, path));
        if (++builds > 1 || [...watchFiles, ...inputs].some(isNewer)) onSave();
      });
    },
  };
}

/** Files that a build command of the author's makes the worker from. */
function sources({ project, file: { config } }: WorkerSettings): string[] {
  const { command, watch_dir: folders = [] } = config.build;
  if (command === undefined) return [];
  const paths = [folders].flat().map((folder) => resolve(project, folder));
  return paths
    .filter(existsSync)
    .flatMap((path) => readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => join(path, name)));
}
