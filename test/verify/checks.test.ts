import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { allChecks } from "../../verify/all-checks.ts";

const spec = readFileSync(join(import.meta.dirname, "../../docs/SPEC.md"), "utf8");

test("every check tries a rule of docs/SPEC.md that is built, and no two say the same", () => {
  const rules = new Map(
    [...spec.matchAll(/^- \*\*([A-Z]+\d+)\*\*(.*)$/gm)].map(([, id = "", text = ""]) => [id, text]),
  );
  const unknown = allChecks.filter(({ rule }) => rules.get(rule)?.includes("*(not yet built)*") ?? true);
  expect(unknown.map(({ rule }) => rule)).toEqual([]);
  const said = allChecks.map(({ rule, title }) => `${rule} ${title}`);
  expect(said.filter((each, at) => said.indexOf(each) !== at)).toEqual([]);
});
