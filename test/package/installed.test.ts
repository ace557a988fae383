import { cpSync, existsSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { startHost } from "./host.ts";
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

  /** As if the author had installed a package that the repository has too: it is large. */
  const lend = (name: string) => {
    const to = join(folder, "node_modules", name);
    if (!existsSync(to)) symlinkSync(join(inject("repository"), "node_modules", name), to);
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

  if (path.endsWith(".tgz")) {
    test("has one zod", async () => {
      const copies = await run("npm", ["ls", "zod", "--all", "--parseable", "--loglevel=error"], { cwd: folder, env });
      expect(copies.trim().split("\n")).toEqual([expect.stringMatching(/author-\w+\/node_modules\/zod$/)]);
    });

    // From the repository's folder it would find the repository's own.
    test("its command says what else it needs", async () => {
      const start = () => run("node_modules/.bin/edgeverse", ["start"], { cwd: folder, env });
      await expect(start()).rejects.toThrow(/There is no wrangler in .*: run "npm install --save-dev wrangler"/);
      lend("wrangler");
      await expect(start()).rejects.toThrow(
        'The embedded Postgres needs the package @electric-sql/pglite: run "npm install --save-dev @electric-sql/pglite", set DATABASE_URL, or pass --no-postgres',
      );
    });
  }

  test.each([["start"], ["dev"]])(
    "edgeverse %s serves the author's worker, with the embedded Postgres",
    async (command) => {
      lend("wrangler");
      lend("@electric-sql");
      const host = await startHost([command], folder, env);
      onTestFinished(async () => void (await host.stop()));
      const add = { method: "POST", body: '{"request":{"by":2}}', headers: { "idempotency-key": "one" } };
      const called = await fetch(`${host.url}/api/v1/objects/call/Counter/a/add`, add);
      expect([called.status, await called.json()]).toEqual([200, { response: { value: 2 } }]);
      expect(await (await fetch(`${host.url}/total`)).json()).toEqual({ value: 2 });
      expect(await (await fetch(`${host.url}/ready`)).json()).toMatchObject({ status: "ready", log: { status: "ok" } });
      expect(await host.stop()).toBe(0);
    },
  );

  test("edgeverse simulate lives through the author's workload on every core", async () => {
    const options = { ...NODENEXT, noEmit: false, outDir: "out", skipLibCheck: true };
    expect(await compile(["workload.ts"], options)).toBe("");
    const said = await run("node_modules/.bin/edgeverse", ["simulate", "out/workload.js", "--seeds", "8"], {
      cwd: folder,
      env,
    });
    expect(said).toContain("8 seeds from 1, 0 broke a promise");
  });
});
