import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

const TEMPLATE = join(import.meta.dirname, "../template");

/** npm packs no file called .gitignore, so the template's has another name. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: ".gitignore" };

/** The template's files by their path in a project; `{{…}}` stands for what differs between projects. */
export function readTemplate(): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(TEMPLATE, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const path = relative(TEMPLATE, file).split(sep).join("/");
    files.set(RENAMED[path] ?? path, readFileSync(file, "utf8"));
  }
  return files;
}
