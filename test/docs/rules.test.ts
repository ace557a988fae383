import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
/** The rules with their texts. Each begins a line with its id in bold, or with a range of ids. */
const rules = new Map(
  readFileSync(join(ROOT, "docs/SPEC.md"), "utf8")
    .split(/^- (?=\*\*[A-Z]+\d)/m)
    .slice(1)
    .flatMap((text) => expand(/^\*\*([^*]+)/.exec(text)?.[1] ?? "").map((id) => [id, text] as const)),
);

/** `CALL1–4` and `CALL1–CALL4` are the four rules. */
function expand(ids: string): string[] {
  const [, name = "", first = "", last = first] = /^([A-Z]+)(\d+)(?:[–-][A-Z]*(\d+))?$/.exec(ids) ?? [];
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `${name}${Number(first) + index}`);
}

/** Where each rule is cited, in square brackets, in a file of these folders. */
function citations(folders: readonly string[]): Map<string, string[]> {
  const cited = new Map<string, string[]>();
  for (const folder of folders) {
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(m?ts|md)$/.test(entry.name) || entry.parentPath.includes("node_modules")) continue;
      const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
      for (const [, list = ""] of text.matchAll(/\[([A-Z]+\d+(?:(?:[–-]|, )[A-Z]*\d+)*)\\?\]/g)) {
        const ids = list.split(", ").flatMap(expand);
        for (const id of ids) cited.set(id, [...(cited.get(id) ?? []), join(folder, entry.name)]);
      }
    }
  }
  return cited;
}

describe("docs/SPEC.md", () => {
  it("defines every rule that tests, code and documents cite", () => {
    const cited = citations([
      "test",
      "examples",
      "src",
      "durable",
      "workers",
      "client",
      "local",
      "schema",
      "bench",
      "docs",
    ]);
    expect([...cited].filter(([id]) => !rules.has(id))).toEqual([]);
    expect(cited.size).toBeGreaterThan(50);
  });

  it("has a test for every rule that is built", () => {
    const tested = citations(["test", "examples"]);
    const built = [...rules].filter(([, text]) => !text.includes("*(not yet built)*"));
    expect(built.map(([id]) => id).filter((id) => !tested.has(id))).toEqual([]);
  });

  it("is the only place that rules come from: nothing cites a section by number", () => {
    const sections = /§\s?\d/;
    const files = readdirSync(join(ROOT, "test"), { recursive: true, withFileTypes: true });
    const citing = files
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && entry.name !== "rules.test.ts")
      .filter((entry) => sections.test(readFileSync(join(entry.parentPath, entry.name), "utf8")));
    expect(citing.map(({ name }) => name)).toEqual([]);
  });
});
