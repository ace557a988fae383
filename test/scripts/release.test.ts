import { accessSync, constants, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

describe("a release", () => {
  test("its version has an entry in the changelog, with something in it", () => {
    const entries = read("CHANGELOG.md").split(/^## /m).slice(1);
    const entry = entries.find((text) => text.startsWith(`[${manifest.version}] - `));
    expect(entry).toMatch(/^\[[\d.]+\] - (unreleased|\d{4}-\d\d-\d\d)\n[\s\S]*^- \S/m);
  });

  test("its licence is there, and no repository is named", () => {
    expect(manifest.license).toBe("Apache-2.0");
    expect(read("LICENSE")).toContain("Apache License");
    expect(Object.keys(manifest).filter((key) => ["repository", "bugs", "homepage"].includes(key))).toEqual([]);
  });
});

const workflows = readdirSync(join(ROOT, ".github/workflows"));

test.each(workflows)("%s runs what people run: .ci/, npm ci, and the package's scripts", (workflow) => {
  const commands = [...read(`.github/workflows/${workflow}`).matchAll(/\brun: (.*)$/gm)].map(
    ([, command]) => command as string,
  );
  expect(commands.length).toBeGreaterThan(0);
  for (const command of commands) {
    const [first, verb, script] = command.split(" ") as [string, ...string[]];
    if (first === "npm")
      expect(verb === "ci" || (verb === "run" && script !== undefined && script in manifest.scripts)).toBe(true);
    else {
      expect(first).toMatch(/^\.ci\//);
      accessSync(join(ROOT, first), constants.X_OK);
    }
  }
});
