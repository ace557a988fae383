/** `npm run pages`: writes what the default host serves at `/examples/`, the files of `examples/pages` and the client, into one module. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "..");
const PAGES = join(ROOT, "examples/pages");

export const TARGET = join(ROOT, "workers/example-pages.json");

/** The text of the module: files by their names. */
export async function examplePages(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: 'export { createClient } from "edgeverse/client";', resolveDir: ROOT },
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2024",
  });
  const files = readdirSync(PAGES)
    .sort()
    .map((name) => [name, readFileSync(join(PAGES, name), "utf8")] as const);
  const client = ["client.js", outputFiles[0]?.text ?? ""] as const;
  return `${JSON.stringify(Object.fromEntries([...files, client]), null, 2)}\n`;
}

if (import.meta.main) writeFileSync(TARGET, await examplePages());
