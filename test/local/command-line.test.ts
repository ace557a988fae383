import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, expect, test } from "vitest";
import { nodeProblem } from "../../local/node-version.ts";
import manifest from "../../package.json" with { type: "json" };
import { cleanUp, temporaryFolder } from "./host-process.ts";

const CLI = resolve(import.meta.dirname, "../../local/cli.ts");

afterEach(cleanUp);

function edgeverse(args: readonly string[], env: Record<string, string> = {}, cwd = temporaryFolder()) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], ...env },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test.each([[["--help"]], [["dev", "--help"]], [["start", "-h"]], [["migrate", "--help"]], [["verify", "--help"]]])(
  "%j prints its help",
  (args) => {
    const { status, stdout, stderr } = edgeverse(args);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(new RegExp(`^Usage: edgeverse ${args.length > 1 ? `${args[0]} ` : ""}`));
  },
);

test("simulate passes on what it is given, and its exit status", () => {
  const root = resolve(import.meta.dirname, "../..");
  const simulate = (...args: string[]) => edgeverse(["simulate", ...args], {}, root);
  expect(simulate("--help")).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("edgeverse simulate [workload]"),
  });
  const workload = "test/simulation/fixture/tally.ts";
  const { status, stdout } = simulate(workload, "--seeds", "2", "--json");
  expect([status, JSON.parse(stdout)]).toMatchObject([0, { seeds: 2, failed: [] }]);
  expect(simulate(workload, "--trace")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("--trace needs --seed"),
  });
});

test("prints its version", () => {
  expect(edgeverse(["--version"])).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    stderr: "",
  });
});

test.each([
  [[], {}, "Usage: edgeverse"],
  [["strat"], {}, "unknown command 'strat'\n(Did you mean start?)"],
  [["start", "--josn"], {}, "unknown option '--josn'\n(Did you mean --json?)"],
  [["start", "here"], {}, "too many arguments"],
  [["dev", "--port", "65536"], {}, "'65536' is invalid. It must be a number from 0 to 65535."],
  [["start", "--heap", "8"], {}, "'8' is invalid. It must be a number from 16 to 65536."],
  [["dev", "--heap", "128"], {}, "unknown option '--heap'"],
  [["start"], { PORT: "80a" }, "'80a' from env 'PORT' is invalid. It must be a number from 0 to 65535."],
  [["start"], { HOST: "a b" }, "'a b' from env 'HOST' is invalid. It must be an address or a host name."],
])("%j with %o is a misuse", (args, env, message) => {
  const { status, stdout, stderr } = edgeverse(args, env);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(message);
});

test.each([
  [["start"], {}, "There is no wrangler.toml, wrangler.jsonc or wrangler.json in "],
  [["dev", "--config", "other.toml"], {}, "There is no other.toml"],
  [["migrate"], {}, "Set DATABASE_URL"],
  [["migrate"], { DATABASE_URL: "postgresql://u:hidden@127.0.0.1:9/db" }, "Cannot migrate: "],
])("%j with %o fails in one line", (args, env, message) => {
  const { status, stdout, stderr } = edgeverse(args, env);
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(message);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).not.toContain("hidden");
});

test.each(["getting-started", "operations", "testing"])("docs/%s.md says which Node is needed", (document) => {
  const text = readFileSync(join(import.meta.dirname, `../../docs/${document}.md`), "utf8");
  expect(text).toContain(`Node ${manifest.engines.node.replace(">=", "")} or newer`);
});

test.each([
  ["22.13.0", undefined],
  ["24.0.0", undefined],
  ["22.12.9", "edgeverse needs Node 22.13 or newer, and this is 22.12.9: see https://nodejs.org"],
  ["20.20.2", "edgeverse needs Node 22.13 or newer, and this is 20.20.2: see https://nodejs.org"],
])("in Node %s: %s", (version, problem) => {
  expect(nodeProblem(version)).toBe(problem);
});
