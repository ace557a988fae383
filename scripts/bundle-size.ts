import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "..");

export interface BundleSize {
  readonly name: string;
  /** KiB gzipped, of the minified bundle. */
  readonly size: number;
  readonly budget: number;
}

/** What is imported, and the most it may weigh. */
const BUNDLES = [
  { name: "a class of objects", file: "examples/counter.ts", budget: 30 },
  { name: "the default host", file: "workers/index.ts", budget: 200 },
];

/** Bundles as `wrangler deploy` does. */
export function bundleSizes(): Promise<BundleSize[]> {
  return Promise.all(
    BUNDLES.map(async ({ name, file, budget }) => {
      const { outputFiles } = await build({
        entryPoints: [join(ROOT, file)],
        bundle: true,
        minify: true,
        keepNames: true,
        format: "esm",
        target: "es2024",
        platform: "browser",
        conditions: ["workerd", "worker", "browser"],
        external: ["cloudflare:*", "node:*"],
        define: { "process.env.NODE_ENV": '"production"' },
        write: false,
        logLevel: "silent",
      });
      const bytes = outputFiles.reduce((sum, { contents }) => sum + gzipSync(contents).byteLength, 0);
      return { name, size: Math.ceil(bytes / 1024), budget };
    }),
  );
}

if (import.meta.main) {
  for (const { name, size, budget } of await bundleSizes()) {
    console.log(`${name}: ${size} KiB gzipped of ${budget}`);
    if (size > budget) process.exitCode = 1;
  }
}
