import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import lockfile from "../../package-lock.json" with { type: "json" };
import { findGaps, findRegistries, type LockEntries, systemOf } from "../../scripts/lockfile-gaps.ts";
import { restore } from "../../scripts/lockfile-restore.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const entries = lockfile.packages as LockEntries;

/** As an `npm install` on linux would leave it: without what is for other systems. */
const onLinux = Object.fromEntries(Object.entries(entries).filter(([path]) => (systemOf(path) ?? "linux") === "linux"));

describe("the lockfile", () => {
  test("has the packages of every platform, and names no registry", () => {
    expect(findGaps(entries)).toEqual([]);
    expect(findRegistries(entries)).toEqual([]);
  });

  test.each([
    ["darwin", "arm64", ["@cloudflare/workerd-darwin-arm64", "@esbuild/darwin-arm64", "@biomejs/cli-darwin-arm64"]],
    ["win32", "x64", ["@cloudflare/workerd-windows-64", "@esbuild/win32-x64", "@rolldown/binding-win32-x64-msvc"]],
    ["linux", "arm64", ["@cloudflare/workerd-linux-arm64", "@esbuild/linux-arm64"]],
  ])("npm ci would install on %s, %s what it needs there", async (os, cpu, wanted) => {
    const { stdout } = await promisify(execFile)(
      "npm",
      ["ci", "--dry-run", "--offline", "--ignore-scripts", `--os=${os}`, `--cpu=${cpu}`],
      { cwd: ROOT },
    );
    const added = [...stdout.matchAll(/^(?:add|change) (\S+) /gm)].map(([, name]) => name);
    expect(added).toEqual(expect.arrayContaining(wanted));
  });
});

describe("a gap", () => {
  const whole: LockEntries = {
    "": { dependencies: { tool: "^1.0.0" } },
    "node_modules/tool": {
      version: "1.2.0",
      optionalDependencies: { "tool-darwin": "1.2.0", "tool-windows-64": "1.2.0" },
    },
    "node_modules/tool-darwin": { version: "1.2.0", optional: true, os: ["darwin"] },
    "node_modules/tool-windows-64": {
      version: "1.2.0",
      optional: true,
      os: ["win32"],
      dependencies: { runtime: "^2.0.0" },
    },
    "node_modules/runtime": { version: "2.1.0" },
  };
  const without = (path: string) => Object.fromEntries(Object.entries(whole).filter(([key]) => key !== path));
  const problems = (changed: LockEntries) => findGaps(changed).map(({ name, problem }) => `${name} ${problem}`);

  test("is found, of each kind", () => {
    expect(problems(whole)).toEqual([]);
    expect(problems(without("node_modules/tool-darwin"))).toEqual(["tool-darwin has no entry"]);
    expect(problems(without("node_modules/runtime"))).toEqual(["runtime has no entry"]);
    const darwin = whole["node_modules/tool-darwin"];
    const change = (change: object) => ({ ...whole, "node_modules/tool-darwin": { ...darwin, ...change } });
    expect(problems(change({ version: "1.1.0" }))).toEqual(["tool-darwin has version 1.1.0"]);
    expect(problems(change({ optional: false }))).toEqual(["tool-darwin is not optional"]);
    expect(problems(change({ os: ["linux"] }))).toEqual(["tool-darwin is not for darwin alone"]);
    // One of its own, in its own folder, counts before the one at the top.
    const nested = {
      "node_modules/tool/node_modules/tool-darwin": { version: "1.2.0", optional: true, os: ["darwin"] },
    };
    expect(problems({ ...change({ version: "1.1.0" }), ...nested })).toEqual([]);
  });

  test("a registry is found", () => {
    expect(
      findRegistries({ "node_modules/a": { resolved: "https://registry.example/a.tgz" }, "node_modules/b": {} }),
    ).toEqual(["node_modules/a"]);
  });

  test("is filled from an earlier lockfile: the same as before", () => {
    expect(findGaps(onLinux).length).toBeGreaterThan(50);
    const never = () => expect.fail("no registry is asked");
    const restored = restore(onLinux, entries, never);
    expect(Object.keys(restored)).toEqual(Object.keys(entries));
    expect(restored).toEqual(entries);
  });

  test("is filled by the registry when the version is new, and by its name when the registry has not got it", () => {
    const newer = {
      "": { dependencies: { tool: "^1.0.0" } },
      "node_modules/tool": {
        version: "1.3.0",
        dev: true,
        optionalDependencies: { "tool-darwin": "1.3.0", "tool-windows-64": "1.3.0" },
      },
      "node_modules/tool-darwin": { version: "1.2.0", optional: true, os: ["darwin"] },
    };
    const ask = (name: string, version: string) =>
      name === "tool-darwin" ? { version, integrity: "sha512-x", os: ["darwin"] } : undefined;
    expect(restore(newer, whole, ask)).toEqual({
      ...newer,
      "node_modules/tool/node_modules/tool-darwin": {
        version: "1.3.0",
        integrity: "sha512-x",
        os: ["darwin"],
        dev: true,
        optional: true,
      },
      "node_modules/tool-windows-64": { version: "1.3.0", os: ["win32"], cpu: ["x64"], dev: true, optional: true },
    });
    expect(() => restore(without("node_modules/runtime"), {}, ask)).toThrow("Cannot restore runtime@^2.0.0");
  });
});
