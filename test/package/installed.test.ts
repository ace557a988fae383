import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { authorEnvironment, emptyFolder, NPM_QUIET, run } from "./machine.ts";

const tsc = join(inject("repository"), "node_modules/typescript/bin/tsc");
const workers = join(inject("repository"), "node_modules/@cloudflare/workers-types");

/** What a careful author asks of the compiler; without the types of Node and Cloudflare. */
const STRICT = {
  target: "es2022",
  strict: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  noEmit: true,
  types: [] as string[],
};
const BUNDLER = { module: "esnext", moduleResolution: "bundler" };
const NODENEXT = { module: "nodenext", moduleResolution: "nodenext" };
const WORKER = { lib: ["es2022"], types: [workers] };

describe.each([
  { from: "the tarball", path: inject("edgeverse").tarball },
  { from: "the repository's folder", path: inject("repository") },
])("installed from $from into an empty folder", ({ path }) => {
  const folder = emptyFolder("author");
  const env = authorEnvironment(folder);
  let said = "";

  /** Answers what the compiler prints: nothing, when all is well. */
  const compile = (files: readonly string[], options: Record<string, unknown>) => {
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...STRICT, ...options }, files }));
    return run(process.execPath, [tsc, "-p", "."], { cwd: folder, env });
  };

  beforeAll(async () => {
    cpSync(join(import.meta.dirname, "author"), folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "name": "author", "private": true, "type": "module" }');
    said = await run("npm", ["install", path, "zod@4.6.6", ...NPM_QUIET], { cwd: folder, env });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("npm has nothing to warn of", () => {
    expect(said).not.toContain("edgeverse@");
  });

  test.each([
    { exactOptionalPropertyTypes: true, ...BUNDLER },
    { exactOptionalPropertyTypes: false, ...BUNDLER },
    { exactOptionalPropertyTypes: true, ...NODENEXT },
    { exactOptionalPropertyTypes: false, ...NODENEXT },
  ])(
    "compiles with its declarations checked: $moduleResolution, exact: $exactOptionalPropertyTypes",
    async (options) => {
      expect(await compile(["worker.ts", "cluster.ts"], { ...WORKER, ...options })).toBe("");
    },
  );

  test("compiles without anybody's global types", async () => {
    expect(await compile(["counter.ts", "cluster.ts"], BUNDLER)).toBe("");
  });

  test("runs in plain Node", async () => {
    // Declarations of drizzle name databases that nobody installed: those can't be checked.
    const options = { ...NODENEXT, noEmit: false, outDir: "out", skipLibCheck: true };
    expect(await compile(["cluster.ts", "enqueue.ts"], options)).toBe("");
    expect(await run("node", ["out/cluster.js"], { cwd: folder, env })).toBe('{"value":2}\n');
    expect(await run("node", ["out/enqueue.js"], { cwd: folder, env })).toBe("order-7 1\n");
  });

  if (path.endsWith(".tgz"))
    test("has one zod", async () => {
      const copies = await run("npm", ["ls", "zod", "--all", "--parseable", "--loglevel=error"], { cwd: folder, env });
      expect(copies.trim().split("\n")).toEqual([expect.stringMatching(/author-\w+\/node_modules\/zod$/)]);
    });
});
