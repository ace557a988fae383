import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** A `ts` block in a document. `<!-- with: code -->` right before it is what the reader is spared. */
const BLOCK = /(?:<!-- with: (.*) -->\n)?```ts\n([\s\S]*?)```/g;

export interface Block {
  readonly document: string;
  /** Object classes that it exports. */
  readonly classes: readonly string[];
  /** What the reader sees. */
  readonly code: string;
  /** A module with the same line numbers as the document, so that an error says where it is. */
  readonly module: string;
}

/** The `ts` blocks of a document, in order. */
export function blocksOf(document: string): Block[] {
  const text = readFileSync(join(ROOT, document), "utf8");
  return [...text.matchAll(BLOCK)].map(({ 0: all, 1: hidden = "", 2: code = "", index }) => {
    const line = text.slice(0, index + all.indexOf("```ts\n")).split("\n").length;
    const classes = [...code.matchAll(/^export class (\w+) extends VirtualObject\b/gm)].map(([, name = ""]) => name);
    // `export {}` makes every block a module.
    return { document, classes, code, module: `${hidden}${"\n".repeat(line)}${code}export {};\n` };
  });
}

/** A block of a file that a document writes: `<!-- file: path -->` stands right before it. */
const PART = /<!-- file: (.*) -->\n```\w+\n([\s\S]*?)```/g;

/** The files that a document writes, by their paths; several blocks of one file follow one another. */
export function filesOf(document: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const [, path = "", text = ""] of readFileSync(join(ROOT, document), "utf8").matchAll(PART)) {
    const before = files.get(path);
    files.set(path, before === undefined ? text : `${before}\n${text}`);
  }
  return files;
}
