import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";

const HERE = import.meta.dirname;
const ROOT = join(HERE, "../..");
// Inside the repository, so that "edgeverse" means this package; with a dot, so that nobody else's glob finds it.
const folder = mkdtempSync(join(HERE, ".snippets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A block in a document. `<!-- with: code -->` right before it is what the reader is spared. */
const BLOCK = /(?:<!-- with: (.*) -->\n)?```ts\n([\s\S]*?)```/g;

it("every ts block of README.md and docs/guide.md compiles", { timeout: 60_000 }, async () => {
  for (const file of readdirSync(join(ROOT, "examples")).filter((name) => !name.includes(".test."))) {
    copyFileSync(join(ROOT, "examples", file), join(folder, file));
  }
  let blocks = 0;
  for (const document of ["README.md", "docs/guide.md"]) {
    const text = readFileSync(join(ROOT, document), "utf8");
    for (const { 0: all, 1: hidden = "", 2: code, index } of text.matchAll(BLOCK)) {
      // The same lines as in the document, so that an error says where it is; `export {}` makes every block a module.
      const line = text.slice(0, index + all.indexOf("```ts\n")).split("\n").length;
      const name = `${document.replaceAll(/\W/g, "-")}-${++blocks}.ts`;
      writeFileSync(join(folder, name), `${hidden}${"\n".repeat(line)}${code}export {};\n`);
    }
  }
  writeFileSync(join(folder, "tsconfig.json"), '{"extends":"../../../tsconfig.json","include":["*.ts"]}');
  expect(blocks).toBeGreaterThan(5);
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
