import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkedRules, readMatrix } from "../../scripts/conformance.ts";

const read = (path: string) => readFileSync(join(import.meta.dirname, "../../docs", path), "utf8");
const text = read("conformance.md");

test("docs/conformance.md has a row for each rule that has checks, and says of no other that it was seen", () => {
  const { columns, rows } = readMatrix(text);
  expect([...rows.keys()].filter((rule) => /^[A-Z]+\d+$/.test(rule))).toEqual(checkedRules());
  for (const [rule, cells] of rows) if (!rule.startsWith("-")) expect(cells, rule).toHaveLength(columns.length);
});

test("docs/conformance.md names each rule that is built and has no check", () => {
  const [, unseen = ""] = text.split("## What it can't see");
  const named = [...unseen.matchAll(/\b[A-Z]+\d+\b/g)].map(([rule]) => rule);
  const rules = read("SPEC.md")
    .split(/^- (?=\*\*[A-Z]+\d)/m)
    .slice(1);
  const built = rules
    .filter((rule) => !rule.includes("*(not yet built)*"))
    .map((rule) => /[A-Z]+\d+/.exec(rule)?.[0] ?? "");
  const checked = checkedRules();
  expect([...named].sort()).toEqual(built.filter((rule) => !checked.includes(rule)).sort());
});
