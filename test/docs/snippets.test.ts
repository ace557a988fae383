import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { blocksOf } from "./blocks.ts";

const HERE = import.meta.dirname;
const ROOT = join(HERE, "../..");
const DOCUMENTS = ["README.md", "docs/guide.md", "docs/clients.md", "docs/patterns.md", "docs/worker.md"];
// Inside the repository, so that "edgeverse" means this package; with a dot, so that nobody else's glob finds it.
const folder = mkdtempSync(join(HERE, ".snippets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("every ts block of README, guide, patterns and worker compiles", { timeout: 60_000 }, async () => {
  for (const file of readdirSync(join(ROOT, "examples")).filter(
    (name) => name.endsWith(".ts") && !name.includes(".test."),
  )) {
    copyFileSync(join(ROOT, "examples", file), join(folder, file));
  }
  const blocks = DOCUMENTS.flatMap(blocksOf);
  for (const [index, { document, module, classes }] of blocks.entries()) {
    // What a host makes the compiler check of the classes it serves ([OBJ6]).
    const served = `void import("edgeverse/cloudflare").then(({ defineHost }) => defineHost({ objects: [${classes}] }));`;
    writeFileSync(join(folder, `${document.replaceAll(/\W/g, "-")}-${index + 1}.ts`), `${module}${served}\n`);
  }
  writeFileSync(join(folder, "tsconfig.json"), '{"extends":"../../../tsconfig.json","include":["*.ts"]}');
  expect(new Set(blocks.map(({ document }) => document))).toEqual(new Set(DOCUMENTS));
  expect(await compile()).toBe("");
});

/** What tsc has to say. */
function compile(): Promise<string> {
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, "-p", folder], (error, stdout, stderr) =>
      resolve(stdout + stderr || (error?.message ?? "")),
    );
  });
}
