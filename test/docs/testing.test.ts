import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesOf } from "./blocks.ts";

const HERE = import.meta.dirname;
const ROOT = join(HERE, "../..");
// Inside the repository, so that "edgeverse" means this package; with a dot, so that nobody else's glob finds it.
const folder = mkdtempSync(join(HERE, ".testing-"));
const page = filesOf("docs/testing.md");

/** The project of docs/testing.md: its files, the configuration that every project has, and the package's sources. */
beforeAll(() => {
  for (const [path, text] of page) write(path, text);
  const wrangler = readFileSync(join(ROOT, "create/template/wrangler.toml"), "utf8");
  write("wrangler.toml", wrangler.replace("{{name}}", "box-office"));
  // The configuration is not read by Vitest's own resolver, which knows the aliases.
  const preset = join(ROOT, "src/testing/vitest.ts");
  write("vitest.config.ts", textOf("vitest.config.ts").replace('"edgeverse/testing/vitest"', JSON.stringify(preset)));
  write(
    "in-repository.config.ts",
    `import { mergeConfig } from "vitest/config";
import { aliases } from ${JSON.stringify(join(ROOT, "vitest.aliases.mts"))};
import page from "./vitest.config.ts";
export default mergeConfig(page, { resolve: { alias: aliases } });`,
  );
  write(
    "env.d.ts",
    `declare namespace Cloudflare {
  interface Env { PARTITION: DurableObjectNamespace; COORDINATOR: DurableObjectNamespace }
}`,
  );
  write("tsconfig.json", '{"extends":"../../../tsconfig.json","include":["src","test","*.ts"]}');
  // As `npm run dev` has one: the preset keeps tests off that database.
  write(".dev.vars", "DATABASE_URL=postgresql://user:password@nowhere.invalid/db");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function textOf(path: string): string {
  const text = page.get(path);
  if (text === undefined) throw new Error(`docs/testing.md has no ${path}`);
  return text;
}

/** Runs a tool of the repository in the project's folder; gives all that it printed. */
function run(tool: string, ...args: string[]): Promise<{ ok: boolean; said: string }> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")));
  return new Promise((resolve) => {
    const options = { cwd: folder, env: { ...env, NO_COLOR: "1" } };
    execFile(process.execPath, [join(ROOT, tool), ...args], options, (error, stdout, stderr) =>
      resolve({ ok: error === null, said: stdout + stderr }),
    );
  });
}

interface Report {
  readonly success: boolean;
  readonly numTotalTests: number;
  readonly testResults: readonly { readonly assertionResults: readonly { title: string; status: string }[] }[];
}

/** Runs the page's tests; answers how many passed, and which did not. */
async function vitest(...args: string[]): Promise<{ passed: number; failed: string[]; said: string }> {
  const output = join(folder, "report.json");
  const { said } = await run(
    "node_modules/vitest/vitest.mjs",
    "run",
    "--config",
    "in-repository.config.ts",
    "--reporter=json",
    `--outputFile=${output}`,
    ...args,
  );
  const report = JSON.parse(readFileSync(output, "utf8")) as Report;
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = results.filter(({ status }) => status === "failed").map(({ title }) => title);
  return { passed: results.filter(({ status }) => status === "passed").length, failed, said };
}

/** With a file of the page changed while `action` runs. */
async function withChange<T>(path: string, from: string, to: string, action: () => Promise<T>): Promise<T> {
  const text = textOf(path);
  expect(text).toContain(from);
  write(path, text.replace(from, to));
  try {
    return await action();
  } finally {
    write(path, text);
  }
}

describe("docs/testing.md", { timeout: 120_000 }, () => {
  it("compiles", async () => {
    expect((await run("node_modules/typescript/bin/tsc", "-p", ".")).said).toBe("");
  });

  it("has tests that pass, in Node and in workerd", async () => {
    const tests = [...page.values()].join("\n").match(/^test\(/gm)?.length;
    const { passed, failed, said } = await vitest();
    expect(failed, said).toEqual([]);
    expect(passed).toBe(tests);
    expect(passed).toBeGreaterThan(6);
  });

  it("has a test of crashes that fails without the call ids, as it says", async () => {
    const crashes = ["--project", "node", "-t", "wherever the crash comes"];
    const callIds = [
      ["src/box-office.ts", ', { callId: this.callIdFor("charge") }'],
      ["test/box-office.test.ts", ', { callId: "order-1" });\n    expect(await order'],
    ] as const;
    for (const [path, callId] of callIds) {
      const rest = callId.includes("\n") ? callId.slice(callId.indexOf(");")) : "";
      const { failed } = await withChange(path, callId, rest, () => vitest(...crashes));
      expect(failed).toEqual(["a guest pays once, wherever the crash comes"]);
    }
  });

  it("has a workload that finds the bug it speaks of, and none once that is mended", async () => {
    write(
      "test/bug.test.ts",
      `import { simulateSeeds } from "edgeverse/testing";
import { test } from "vitest";
import workload from "./charges.ts";
test("the bug", { timeout: 60_000 }, () => simulateSeeds({ workload, seeds: 10 }));`,
    );
    const bug = () => vitest("--project", "node", "-t", "the bug");
    const found = await bug();
    expect(found.failed).toEqual(["the bug"]);
    const remedy = /`(if \(this\.state\.sold.*)`/.exec(readFileSync(join(ROOT, "docs/testing.md"), "utf8"))?.[1] ?? "";
    const start = "async buy({ seat, guest }: z.output<typeof place>) {\n";
    const mended = await withChange("src/box-office.ts", start, `${start}    ${remedy}\n`, bug);
    expect(mended).toMatchObject({ passed: 1, failed: [] });
  });
});
