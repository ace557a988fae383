import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { startHost, until } from "./host.ts";
import { authorEnvironment, emptyFolder, run } from "./machine.ts";
import { CHROMIUM, openPage, shownByChromium } from "./page.ts";

const home = emptyFolder("home");
const env = authorEnvironment(home);
const project = join(home, "my-app");
const serve = (script: string) => startHost(["npm", "run", "--silent", script, "--"], project, env);
const npm = (...args: string[]) => run("npm", args, { cwd: project, env });

/** What `npm create edgeverse my-app` runs, once both packages are in a registry. */
beforeAll(async () => {
  const create = ["exec", "--yes", "--package", inject("create").tarball, "--", "create-edgeverse", "my-app"];
  await run("npm", [...create, "--edgeverse", inject("edgeverse").tarball], { cwd: home, env });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function call(url: string, method: string, request?: unknown): Promise<unknown> {
  const body = JSON.stringify({ request });
  const response = await fetch(`${url}/api/v1/objects/call/Counter/hello/${method}`, { method: "POST", body });
  const answer = (await response.json()) as { response: unknown };
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return answer.response;
}

describe("a project that npm create made", () => {
  test("compiles, with nothing to say", async () => {
    expect(await npm("run", "--silent", "types")).toBe("");
  });

  test("passes its tests", async () => {
    expect(await npm("test")).toMatch(/2 passed/);
  });

  test("would deploy", async () => {
    const said = await npm("run", "deploy", "--", "--dry-run");
    expect(said).toMatch(/env\.PARTITION \(Partition\)\s+Durable Object/);
  });

  test("compiles with the types that wrangler makes of its bindings", async () => {
    await npm("exec", "--", "wrangler", "types");
    expect(await npm("run", "--silent", "types", "--", "--types", "./worker-configuration.d.ts")).toBe("");
  });

  test("starts, serves its object and its page, and keeps state", async () => {
    {
      await using host = await serve("start");
      expect(await call(host.url, "add", { by: 2 })).toEqual({ value: 2 });
      const page = await openPage(host.url);
      expect(page.shown()).toBe(2);
      await page.click();
      expect(page.shown()).toBe(3);
      if (CHROMIUM) expect(await shownByChromium(CHROMIUM, host.url)).toContain('<output id="value">3</output>');
    }
    await using again = await serve("start");
    expect(await call(again.url, "get")).toEqual({ value: 3 });
  });

  test("picks up a change while it is developed, and keeps state", async () => {
    await using host = await serve("dev");
    expect(await call(host.url, "add", { by: 2 })).toEqual({ value: 2 });

    const file = join(project, "src/counter.ts");
    const source = readFileSync(file, "utf8");
    const changed = performance.now();
    writeFileSync(file, source.replace("return { value: this.state.value };", "return { total: this.state.value };"));
    // A call while the Worker is exchanged may fail.
    await until(async () => isDeepStrictEqual(await call(host.url, "get").catch(() => undefined), { total: 2 }));
    console.log(`a change was served after ${Math.round(performance.now() - changed)} ms`);
  });
});
