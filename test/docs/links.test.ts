import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { filesOf } from "./blocks.ts";

const ROOT = join(import.meta.dirname, "../..");
const documents = [
  ...readdirSync(ROOT).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

/** A document without its code blocks: `[0](x)` in code is no link, and `# x` no heading. */
function prose(path: string): string {
  return readFileSync(join(ROOT, path), "utf8").replaceAll(/^ *```[\s\S]*?^ *```/gm, "");
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchors(path: string): Set<string> {
  const seen = new Map<string, number>();
  const found = new Set<string>();
  for (const [, heading = ""] of prose(path).matchAll(/^#{1,6} (.+)$/gm)) {
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = text.replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    found.add(times === 0 ? slug : `${slug}-${times}`);
  }
  return found;
}

function broken(document: string): string[] {
  const links = [...prose(document).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return links.filter((target) => {
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? document : relative(ROOT, join(ROOT, dirname(document), path));
    if (!existsSync(join(ROOT, file))) return true;
    return anchor !== undefined && !anchors(file).has(anchor);
  });
}

const FOLDERS = [
  "src",
  "durable",
  "workers",
  "local",
  "verify",
  "schema",
  "examples",
  "bench",
  "test",
  "scripts",
  "create",
];
const sources = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) => `/${folder}/${name}`),
).concat(readdirSync(ROOT).map((name) => `/${name}`));

describe("names of source files", () => {
  it.each(documents)("%s names files that are there", (document) => {
    const named = [...prose(document).matchAll(/`([\w./-]+\.m?ts)`/g)].map(([, name = ""]) => name);
    expect(
      named.filter((name) => !filesOf(document).has(name) && !sources.some((path) => path.endsWith(`/${name}`))),
    ).toEqual([]);
  });
});

describe("links between documents", () => {
  it.each(documents)("%s links to files and headings that are there", (document) => {
    expect(broken(document)).toEqual([]);
  });

  it("finds links and headings at all", () => {
    expect(documents).toContain("README.md");
    expect(anchors("docs/errors.md")).toContain("errors");
    expect(prose("README.md")).toContain("](docs/guide.md)");
  });
});
