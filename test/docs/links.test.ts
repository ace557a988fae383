import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, matchesGlob, relative } from "node:path";
import { describe, expect, it } from "vitest";
import project from "../../create/template/package.json" with { type: "json" };
import manifest from "../../package.json" with { type: "json" };
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

function linksOf(text: string): string[] {
  return [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** The file that a link of a document leads to, from the root. */
function fileOf(document: string, target: string): string {
  const [path = ""] = target.split("#");
  return path === "" ? document : relative(ROOT, join(ROOT, dirname(document), path));
}

function broken(document: string): string[] {
  return linksOf(prose(document)).filter((target) => {
    const [, anchor] = target.split("#");
    const file = fileOf(document, target);
    if (!existsSync(join(ROOT, file))) return true;
    return anchor !== undefined && !anchors(file).has(anchor);
  });
}

/** Documents of the package, and what else of it a document may lead to. */
const shipped = (path: string) =>
  /^(README|CHANGELOG|LICENSE)/.test(path) ||
  manifest.files.reduce((so, glob) => {
    return matchesGlob(path, glob.replace(/^!/, "")) ? !glob.startsWith("!") : so;
  }, false);

/** What only the repository has: its scripts, except those that a new project has too, and its files. */
const OF_REPOSITORY = new RegExp(
  `npm run (?!(?:${Object.keys(project.scripts).join("|")})\\b)\\w+|\\bnode (?:bench|scripts)/[\\w./-]+|(?<=\`)(?:bench|scripts|examples|migrations|schema|test|src/testing)/[^\`]*`,
  "g",
);

/** Its parts: the text before the first heading of the second level, and what follows each. */
function parts(document: string): string[] {
  return prose(document).split(/^(?=##+ )/m);
}

const FOLDERS = [
  "src",
  "durable",
  "workers",
  "client",
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

describe("what the package has", () => {
  const delivered = documents.filter(shipped);

  it.each(delivered)("%s leads to nothing else, unless it says where that is", (document) => {
    const [intro = "", ...rest] = parts(document);
    const all = /repository/.test(intro) ? [] : [intro, ...rest];
    const unsaid = all.filter((part) => !/repository/.test(part));
    const links = unsaid.flatMap((part) => linksOf(part)).map((target) => fileOf(document, target));
    expect(links.filter((path) => !shipped(path))).toEqual([]);
    const named = unsaid.flatMap((part) => part.match(OF_REPOSITORY) ?? []);
    const isAuthors = (name: string) => filesOf(document).has(name) || existsSync(join(ROOT, "create/template", name));
    expect(named.filter((name) => !isAuthors(name))).toEqual([]);
  });

  it("is known here", () => {
    expect(delivered).toEqual(expect.arrayContaining(["README.md", "docs/guide.md"]));
    expect(["docs/decisions/README.md", "docs/ARCHITECTURE.md", "bench/run.ts"].filter(shipped)).toEqual([]);
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
