import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The SQL statements of a page of docs/, in order. */
export function sqlOf(page: string): string[] {
  const text = readFileSync(join(import.meta.dirname, "../../docs", page), "utf8");
  return [...text.matchAll(/```sql\n(.*?)```/gs)].flatMap(([, block = ""]) =>
    block
      .split(/;\s*$/m)
      .map((statement) => statement.trim())
      .filter((statement) => statement !== ""),
  );
}
