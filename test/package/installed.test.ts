import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { Author, BUNDLER, EMIT, NODENEXT, WORKER } from "./author.ts";
import { startHost } from "./host.ts";

const EDGEVERSE = "node_modules/.bin/edgeverse";

describe("the tarball, installed in an empty folder", () => {
  const author = new Author();
  let said = "";
  beforeAll(async () => {
    said = await author.install(inject("edgeverse").tarball);
  });
  afterAll(() => rmSync(author.folder, { recursive: true, force: true }));

  test("gives npm nothing to warn of", () => {
    expect(said).not.toContain("edgeverse@");
  });

  test.each([
    { exactOptionalPropertyTypes: true, ...BUNDLER },
    { exactOptionalPropertyTypes: false, ...BUNDLER },
    { exactOptionalPropertyTypes: true, ...NODENEXT },
    { exactOptionalPropertyTypes: false, ...NODENEXT },
  ])("compiles, its declarations too: $moduleResolution, exact $exactOptionalPropertyTypes", async (options) => {
    expect(await author.compile(["worker.ts", "cluster.ts"], { ...WORKER, ...options })).toBe("");
  });

  test("compiles without anybody's global types", async () => {
    expect(await author.compile(["counter.ts", "cluster.ts"], BUNDLER)).toBe("");
  });

  test("runs in plain Node", () => expectToRun(author));

  test("shares the author's zod", async () => {
    const copies = await author.run("npm", "ls", "zod", "--all", "--parseable", "--loglevel=error");
    expect(copies.trim().split("\n")).toEqual([expect.stringMatching(/author-\w+\/node_modules\/zod$/)]);
  });

  test("edgeverse simulate lives through the author's workload on every core", async () => {
    expect(await author.compile(["workload.ts"], EMIT)).toBe("");
    const report = await author.run(EDGEVERSE, "simulate", "out/workload.js", "--seeds", "8");
    expect(report).toContain("8 seeds from 1, 0 broke a promise");
  });

  test("edgeverse start says what else it needs", async () => {
    const start = () => author.run(EDGEVERSE, "start");
    await expect(start()).rejects.toThrow(/There is no wrangler in .*: run "npm install --save-dev wrangler"/);
    author.lend("wrangler");
    await expect(start()).rejects.toThrow(
      'The embedded Postgres needs the package @electric-sql/pglite: run "npm install --save-dev @electric-sql/pglite", set DATABASE_URL, or pass --no-postgres',
    );
  });
});

describe("the repository's folder, installed in an empty folder", () => {
  const author = new Author();
  beforeAll(() => author.install(inject("repository")));
  afterAll(() => rmSync(author.folder, { recursive: true, force: true }));

  test("compiles, its declarations too", async () => {
    expect(await author.compile(["worker.ts", "cluster.ts"], { ...WORKER, ...BUNDLER })).toBe("");
  });

  test("runs in plain Node", () => expectToRun(author));

  test.each(["start", "dev"])("edgeverse %s serves the Worker, with the embedded Postgres", async (command) => {
    author.lend("wrangler");
    author.lend("@electric-sql");
    await using host = await startHost([EDGEVERSE, command], author.folder, author.env);
    const add = { method: "POST", body: '{"request":{"by":2}}', headers: { "idempotency-key": "one" } };
    const called = await fetch(`${host.url}/api/v1/objects/call/Counter/a/add`, add);
    expect([called.status, await called.json()]).toEqual([200, { response: { value: 2 } }]);
    expect(await (await fetch(`${host.url}/total`)).json()).toEqual({ value: 2 });
    // The embedded Postgres starts when the first call needs it.
    const ready = async () => (await fetch(`${host.url}/ready`)).json();
    await expect.poll(ready, { timeout: 60_000 }).toMatchObject({ status: "ready", log: { status: "ok" } });
    expect(await host.stop()).toBe(0);
  });
});

async function expectToRun(author: Author): Promise<void> {
  expect(await author.compile(["cluster.ts", "enqueue.ts"], EMIT)).toBe("");
  expect(await author.run("node", "out/cluster.js")).toBe('{"value":2}\n');
  expect(await author.run("node", "out/enqueue.js")).toBe("order-7 1\n");
}
