/**
 * `node scripts/conformance.ts "local host=report.json" …`: puts reports of `edgeverse verify --json` into the matrix of
 * docs/conformance.md. Columns that are not named stay; a new rule's cells are empty until it was tried.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { allChecks } from "../verify/all-checks.ts";

const DOCUMENT = join(import.meta.dirname, "../docs/conformance.md");
const CELLS: Readonly<Record<string, string>> = { pass: "pass", fail: "**fail**", "not applicable": "–" };

/** The rules that have checks, in the order of docs/SPEC.md. */
export function checkedRules(): string[] {
  const spec = readFileSync(join(import.meta.dirname, "../docs/SPEC.md"), "utf8");
  const order = [...spec.matchAll(/^- \*\*([A-Z]+\d+)\*\*/gm)].map(([, id = ""]) => id);
  const checked = new Set(allChecks.map(({ rule }) => rule));
  return order.filter((rule) => checked.has(rule));
}

/** The matrix of the document: its columns, and the cells of each rule. */
export function readMatrix(text: string): { readonly columns: string[]; readonly rows: Map<string, string[]> } {
  const lines = text.split("\n").filter((line) => line.startsWith("| "));
  const [head = [], ...rest] = lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return { columns: head.slice(1), rows: new Map(rest.map(([rule = "", ...cells]) => [rule, cells])) };
}

function put(text: string, reports: ReadonlyMap<string, Readonly<Record<string, string>>>): string {
  const { columns, rows } = readMatrix(text);
  const unknown = [...reports.keys()].filter((column) => !columns.includes(column));
  if (unknown.length > 0) throw new Error(`docs/conformance.md has no column ${unknown}: it has ${columns.join(", ")}`);
  const table = checkedRules().map((rule) => {
    const cells = columns.map((column, at) => {
      const outcome = reports.get(column)?.[rule];
      return outcome === undefined ? (rows.get(rule)?.[at] ?? "") : CELLS[outcome];
    });
    return `| ${[rule, ...cells].join(" | ")} |`;
  });
  const start = text.indexOf("|---");
  const end = text.indexOf("\n\n", start);
  return `${text.slice(0, start)}|${"---|".repeat(columns.length + 1)}\n${table.join("\n")}${text.slice(end)}`;
}

if (import.meta.main) {
  const reports = process.argv.slice(2).map((argument) => {
    const [column = "", file = ""] = argument.split("=");
    const { rules } = JSON.parse(readFileSync(file, "utf8")) as { rules: Record<string, string> };
    return [column, rules] as const;
  });
  writeFileSync(DOCUMENT, put(readFileSync(DOCUMENT, "utf8"), new Map(reports)));
}
