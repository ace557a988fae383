import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const FOLDERS = ["src", "durable", "workers", "schema", "examples"];

/** What a folder of `src` may import is below it; folders of one floor don't know each other. */
const FLOORS: readonly (readonly string[])[] = [
  ["errors", "platform", "observe"],
  ["identity"],
  ["config", "placement", "access"],
  ["object"],
  ["reliable"],
  ["router"],
  ["coordinator"],
  ["partition", "http"],
];
/** Inside `src/partition`: the same, below the files that put the rooms together. Rooms of one level don't know each other. */
const PARTITION_LEVELS: readonly (readonly string[])[] = [
  ["storage"],
  ["turns"],
  ["calls", "outbox", "reminders"],
  ["moves"],
];
/** May import every floor. */
const BESIDE = ["testing", "client", "cli"];

interface Scanned {
  /** The source without comments and with the contents of strings blanked out. */
  readonly code: string;
  readonly imports: readonly { readonly specifier: string; readonly type: boolean }[];
}

/**
 * Finds the imports of a TypeScript source, `import type` and `import("…")` included. Walks the characters once, to tell code
 * from comments, strings, templates and regular expressions; then looks for import clauses in what is code.
 */
function scan(source: string): Scanned {
  const strings = new Map<number, string>();
  let code = "";
  let index = 0;
  /** Depths of braces at which a template's `${` opened. */
  const templates: number[] = [];
  let depth = 0;

  const text = (end: string) => {
    const start = code.length;
    let value = "";
    code += end;
    index++;
    while (index < source.length && source[index] !== end) {
      if (end === "`" && source.startsWith("${", index)) {
        index += 2;
        code += "${";
        templates.push(depth++);
        return;
      }
      const unit = source[index] === "\\" ? source.slice(index, index + 2) : (source[index] as string);
      value += unit;
      code += unit.includes("\n") ? "\n" : " ".repeat(unit.length);
      index += unit.length;
    }
    code += end;
    index++;
    strings.set(start, value);
  };

  while (index < source.length) {
    const character = source[index] as string;
    if (source.startsWith("//", index) || source.startsWith("/*", index)) {
      const line = source[index + 1] === "/";
      const found = source.indexOf(line ? "\n" : "*/", index + 2);
      const end = found < 0 ? source.length : line ? found : found + 2;
      code += source.slice(index, end).replace(/[^\n]/g, " ");
      index = end;
    } else if (character === '"' || character === "'" || character === "`") text(character);
    else if (character === "/" && startsPattern(code)) {
      const end = endOfPattern(source, index);
      code += `/${" ".repeat(end - index - 2)}/`;
      index = end;
    } else if (character === "}" && depth - 1 === templates.at(-1)) {
      depth = templates.pop() as number;
      // The rest of the template, as if it began here.
      text("`");
    } else {
      if (character === "{") depth++;
      if (character === "}") depth--;
      code += character;
      index++;
    }
  }

  const imports: { specifier: string; type: boolean }[] = [];
  const clause = /(?<![.\w$])(?:(?:import|export)\b(\s+type\b)?[\s\w$*,{}]*?\bfrom\s*|import\s*\(?\s*)(?=["'])/g;
  for (const match of code.matchAll(clause)) {
    const specifier = strings.get(match.index + match[0].length);
    if (specifier === undefined) continue;
    const named = /\{([^}]*)\}/.exec(match[0])?.[1]?.split(",") ?? [];
    const members = named.map((member) => member.trim()).filter((member) => member !== "");
    const onlyTypes = members.length > 0 && members.every((member) => member.startsWith("type "));
    imports.push({ specifier, type: match[1] !== undefined || (onlyTypes && !/\w\s*,\s*\{/.test(match[0])) });
  }
  return { code, imports };
}

/** Whether a slash after this code begins a regular expression and is no division. */
function startsPattern(code: string): boolean {
  const before = code.trimEnd();
  return before === "" || /(?:[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|yield|await))$/.test(before);
}

function endOfPattern(source: string, start: number): number {
  let inClass = false;
  for (let index = start + 1; index < source.length; index++) {
    const character = source[index];
    if (character === "\\") index++;
    else if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    else if (character === "/" && !inClass) return index + 1;
  }
  return source.length;
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?tsx?$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

interface File extends Scanned {
  readonly path: string;
  readonly lines: number;
  /** Imports, as paths from the root where they are relative. */
  readonly targets: readonly { readonly path: string; readonly type: boolean }[];
}

const files: readonly File[] = FOLDERS.flatMap(filesUnder).map((path) => {
  const source = readFileSync(join(ROOT, path), "utf8");
  const scanned = scan(source);
  const targets = scanned.imports.map(({ specifier, type }) => ({
    path: specifier.startsWith(".") ? join(dirname(path), specifier) : specifier,
    type,
  }));
  return { path, lines: source.trimEnd().split("\n").length, targets, ...scanned };
});

const core = files.filter(({ path }) => path.startsWith("src/") && !path.startsWith("src/testing/"));
/** The folder of `src` a path is in; undefined for the files beside the folders and for everything outside. */
const roomOf = (path: string) => /^src\/([^/]+)\//.exec(path)?.[1];
const floorOf = (room: string) => FLOORS.findIndex((rooms) => rooms.includes(room));

/** Imports between two different rooms of the floors, with the floors they are on. */
const crossings = files.flatMap((file) => {
  const room = roomOf(file.path);
  if (room === undefined || BESIDE.includes(room)) return [];
  return file.targets.flatMap((target) => {
    const other = roomOf(target.path);
    if (other === undefined || other === room) return [];
    const up = BESIDE.includes(other) ? Number.POSITIVE_INFINITY : floorOf(other) - floorOf(room);
    return [{ up, text: `${file.path} imports ${target.path}` }];
  });
});

/** The level of a file of `src/partition`; the assembly is above every room. */
const levelOf = (path: string) => {
  const level = PARTITION_LEVELS.findIndex((rooms) => rooms.includes(path.split("/")[2] as string));
  return level < 0 ? PARTITION_LEVELS.length : level;
};

/** Imports of `src/partition` from one room or the assembly to another. */
const partitionCrossings = files
  .filter(({ path }) => path.startsWith("src/partition/"))
  .flatMap((file) =>
    file.targets
      .filter(({ path }) => path.startsWith("src/partition/") && dirname(path) !== dirname(file.path))
      .map(({ path }) => ({ up: levelOf(path) - levelOf(file.path), text: `${file.path} imports ${path}` })),
  );

/** Cycles of files that import one another: strongly connected components of more than one file. */
function cycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string) => {
    order.set(node, order.size);
    low.set(node, order.get(node) as number);
    stack.push(node);
    for (const next of edges.get(node) ?? []) {
      if (!edges.has(next)) continue;
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node) as number, low.get(next) as number));
    }
    if (low.get(node) !== order.get(node)) return;
    const cycle = stack.splice(stack.indexOf(node));
    if (cycle.length > 1 || edges.get(node)?.includes(node)) found.push(cycle.sort());
  };
  for (const node of edges.keys()) if (!order.has(node)) visit(node);
  return found.sort();
}

function edgesOf(which: (target: { type: boolean }) => boolean): Map<string, string[]> {
  return new Map(files.map((file) => [file.path, file.targets.filter(which).map((target) => target.path)]));
}

describe("the house", () => {
  test("every folder of src has a floor", () => {
    const rooms = new Set(files.flatMap(({ path }) => roomOf(path) ?? []));
    expect([...rooms].filter((room) => floorOf(room) < 0 && !BESIDE.includes(room))).toEqual([]);
    expect(rooms.size).toBeGreaterThan(8);
  });

  test("a folder imports no higher floor", () => {
    expect(crossings.filter(({ up }) => up > 0).map(({ text }) => text)).toEqual([]);
    expect(crossings.length).toBeGreaterThan(50);
  });

  test("a folder imports no other folder of its own floor", () => {
    expect(crossings.filter(({ up }) => up === 0).map(({ text }) => text)).toEqual([]);
  });

  test("rooms of a partition know only what is below them", () => {
    expect(partitionCrossings.filter(({ up }) => up >= 0).map(({ text }) => text)).toEqual([]);
    expect(partitionCrossings.length).toBeGreaterThan(50);
  });

  test("the core does not know its platform: no node, no cloudflare, no adapters", () => {
    const bad = core.flatMap((file) =>
      file.targets
        .filter(({ path }) => /^(node:|cloudflare:|durable\/|workers\/|schema\/|examples\/|local\/|test\/)/.test(path))
        .map(({ path }) => `${file.path} imports ${path}`),
    );
    expect(bad).toEqual([]);
  });

  test("the core takes time, chance, timers and the network from its ports", () => {
    const forbidden =
      /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|\bperformance\s*\.\s*now\b|\bMath\s*\.\s*random\b|\bset(?:Timeout|Interval|Immediate)\b|(?<![.\w$#])fetch\s*\(/g;
    const bad = core.flatMap(({ path, code }) =>
      [...code.matchAll(forbidden)].map((match) => {
        const line = code.slice(0, match.index).split("\n").length;
        return `${path}:${line} uses ${match[0]}`;
      }),
    );
    expect(bad).toEqual([]);
  });

  test("no file imports src/index.ts or another barrel from inside", () => {
    const bad = files.flatMap((file) =>
      file.targets
        .filter(
          ({ path }) =>
            /^src\/(.*\/)?index\.ts$/.test(path) || (path === "edgeverse" && roomOf(file.path) !== undefined),
        )
        .filter(({ path }) => !(path === "edgeverse" && roomOf(file.path) === "testing"))
        .map(({ path }) => `${file.path} imports ${path}`),
    );
    expect(bad).toEqual([]);
  });

  test("examples import what an author can import: edgeverse and packages", () => {
    const bad = files.flatMap((file) =>
      file.path.startsWith("examples/")
        ? file.targets
            .filter(({ path }) => /^(src|durable|workers|schema)\//.test(path))
            .map(({ path }) => `${file.path} imports ${path}`)
        : [],
    );
    expect(bad).toEqual([]);
  });

  test("no cycles among the imports that run", () => {
    expect(cycles(edgesOf(({ type }) => !type))).toEqual([]);
  });

  test("no cycles at all: `import type` counts", () => {
    expect(cycles(edgesOf(() => true))).toEqual([]);
  });

  test("every relative import names a file that is there, with its extension", () => {
    const bad = files.flatMap((file) =>
      file.targets
        .filter((_, index) => file.imports[index]?.specifier.startsWith("."))
        .filter(({ path }) => !existsSync(join(ROOT, path)))
        .map(({ path }) => `${file.path} imports ${path}`),
    );
    expect(bad).toEqual([]);
  });

  test("`exports` of package.json are built from files that are there", () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { exports: object };
    const paths: string[] = [];
    const collect = (value: unknown) => {
      if (typeof value === "string") paths.push(value);
      else for (const member of Object.values(value as object)) collect(member);
    };
    collect(manifest.exports);
    const sources = paths
      .filter((path) => path !== "./package.json")
      .map((path) => path.replace(/^\.\/dist\//, "").replace(/(\.d\.ts|\.js)$/, ".ts"));
    expect(sources.length).toBeGreaterThan(5);
    expect(sources.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("no file of src is longer than 300 lines", () => {
    const long = files.filter(({ path, lines }) => path.startsWith("src/") && lines > 300);
    expect(long.map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([]);
  });

  test("src has named exports only, in kebab-case files", () => {
    const sources = files.filter(({ path }) => path.startsWith("src/"));
    expect(
      sources.filter(({ code }) => /\bexport\s+default\b|\bas\s+default\b/.test(code)).map(({ path }) => path),
    ).toEqual([]);
    const names = sources
      .map(({ path }) => path.slice(4))
      .filter((path) => !/^([a-z0-9-]+\/)*[a-z0-9-]+(\.[a-z]+)*\.tsx?$/.test(path));
    expect(names).toEqual([]);
  });
});

describe("the scanner", () => {
  const found = (source: string) =>
    scan(source).imports.map(({ specifier, type }) => (type ? `type ${specifier}` : specifier));

  test("finds every form of import", () => {
    const source = `
      import a from "a1"; import * as b from 'b1';
      import { c, type D } from "c1";
      import type { E } from "e1";
      import { type F, type G } from "f1";
      import h, { type I } from "h1";
      import {
        j,
        k as l,
      } from "j1";
      import "m1";
      export { n } from "n1"; export * from "o1"; export type { P } from "p1"; export * as q from "q1";
      const r = await import("r1");
      type S = import("s1").S;
      export const t = 1;
    `;
    expect(found(source)).toEqual([
      ...["a1", "b1", "c1", "type e1", "type f1", "h1", "j1", "m1", "n1", "o1", "type p1", "q1", "r1", "s1"],
    ]);
  });

  test("is not taken in by comments, texts, templates and regular expressions", () => {
    const source = [
      '// import "x1"',
      '/* import "x2"\n import "x3" */',
      "const a = 'import \"x4\"', b = \"it's from 'x5'\";",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: source code to scan
      'const c = `import "x6" ${import_("x7") + `${1}`} from "x8"`;',
      'const d = /["\'`/]import "x9"/g, e = 4 / 2; const f = 6 / 3;',
      "const g = { from: 'x10' }; h.import('x11');",
      'import real from "real";',
    ].join("\n");
    expect(found(source)).toEqual(["real"]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source code to scan
    expect(scan("const a = `${b} Date.now()`; // Math.random").code).not.toMatch(/Date|Math/);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source code to scan
    expect(scan("const a = `${Date.now()}`;").code).toContain("Date.now()");
    expect(scan("a / b; Date.now(); c / d").code).toContain("Date.now()");
  });

  test("finds cycles, also of one file", () => {
    const edges = { a: ["b"], b: ["c"], c: ["a", "d"], d: ["e"], e: ["e"], f: ["a", "outside"] };
    expect(cycles(new Map(Object.entries(edges)))).toEqual([["a", "b", "c"], ["e"]]);
  });
});
