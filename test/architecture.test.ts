import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import tsconfig from "../tsconfig.json" with { type: "json" };
import { readModule, type SourceModule } from "./support/source-module.ts";

const ROOT = join(import.meta.dirname, "..");

/** Rooms of `src` by level. A room imports itself and lower levels; rooms of one level don't know each other. */
const LEVELS: readonly (readonly string[])[] = [
  ["errors", "platform", "observe"],
  ["identity"],
  ["config", "placement", "access"],
  ["object", "limits"],
  ["reliable", "settings"],
  ["router"],
  ["coordinator"],
  ["partition/storage", "push"],
  ["partition/turns"],
  ["partition/calls", "partition/outbox", "partition/reminders", "partition/events", "partition/live"],
  ["partition/moves"],
  // The files that put a partition's rooms together, and those that answer HTTP.
  ["partition", "http"],
];
/** May import every level, and no level imports them. */
const BESIDE = ["testing", "client", "cli", "inspector"];

/** Imports that nobody may write, however low the level of what they name. */
const FORBIDDEN: readonly { readonly rule: string; readonly from: RegExp; readonly to: RegExp }[] = [
  {
    rule: "src knows nothing of the platform's layer, which imports it",
    from: /^src\//,
    to: /^(durable|workers|schema|migrations|local|verify|examples|bench|scripts|test)\/|^cloudflare:/,
  },
  { rule: "the core runs anywhere: it knows no Node", from: /^src\/(?!testing|cli)/, to: /^node:/ },
  { rule: "http reaches a partition through the router", from: /^src\/http\//, to: /^src\/partition\// },
  {
    rule: "nobody imports a face of the package from behind it",
    from: /^(src|durable)\//,
    to: /^src\/(.*\/)?index\.ts$/,
  },
  {
    rule: "an example imports what an author can",
    from: /^examples\//,
    to: /^(?!src\/index\.ts$)(src|durable|workers|schema|local|test)\//,
  },
  { rule: "only tests import tests", from: /^(?!test\/)/, to: /^test\// },
];

/** Projects of authors, by their rules. */
const AUTHOR = /^(test\/package\/author|create\/template)\//;

/** Time, chance, timers and the network come in through ports. */
const FROM_OUTSIDE =
  /^(Date\.now|new Date\(\)|Math\.random|performance|set(Timeout|Interval|Immediate)|fetch|WebSocket|crypto\.(randomUUID|getRandomValues)|globalThis|process|console)$/;

interface File extends SourceModule {
  readonly path: string;
  readonly lines: number;
  /** What it imports: paths from the root, names of packages. */
  readonly targets: readonly { readonly path: string; readonly type: boolean }[];
}

const folders = tsconfig.include.filter((pattern) => !pattern.includes("*"));
const paths = readdirSync(ROOT)
  .flatMap((name) =>
    folders.includes(name)
      ? readdirSync(join(ROOT, name), { recursive: true, encoding: "utf8" }).map((path) => join(name, path))
      : name,
  )
  .filter((path) => /\.m?tsx?$/.test(path))
  .sort();

const files: readonly File[] = paths.map((path) => {
  const source = readFileSync(join(ROOT, path), "utf8");
  const module = readModule(path, source);
  const targets = module.imports.map(({ specifier, type }) => ({ path: target(path, specifier), type }));
  return { path, lines: source.trimEnd().split("\n").length, targets, ...module };
});

/** The file that a specifier names, else the specifier. */
function target(from: string, specifier: string): string {
  if (specifier.startsWith(".")) return join(dirname(from), specifier);
  const own = (tsconfig.compilerOptions.paths as Record<string, string[]>)[specifier]?.[0];
  return own === undefined ? specifier : join(own);
}

/** The room of a file of `src`: `partition/storage`, `http`; undefined for what is in none. */
function roomOf(path: string): string | undefined {
  const [top, room, inner, ...rest] = path.split("/");
  if (top !== "src" || room === undefined || inner === undefined) return undefined;
  const deep = `${room}/${inner}`;
  return rest.length > 0 && levelOf(deep) >= 0 ? deep : room;
}

function levelOf(room: string): number {
  return LEVELS.findIndex((rooms) => rooms.includes(room));
}

const imports = files.flatMap((file) => file.targets.map((target) => ({ from: file.path, to: target.path })));
const text = ({ from, to }: { from: string; to: string }) => `${from} imports ${to}`;

/** Imports from one room on a level to another, and how far up they go. */
const crossings = imports.flatMap(({ from, to }) => {
  const room = roomOf(from);
  const other = roomOf(to);
  if (room === undefined || other === undefined || room === other || BESIDE.includes(room)) return [];
  const up = BESIDE.includes(other) ? Number.POSITIVE_INFINITY : levelOf(other) - levelOf(room);
  return [{ up, text: text({ from, to }) }];
});

/** What is left when files that import none of the rest, or that none of the rest imports, are taken away again and again. */
function cyclic(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const left = new Map(edges);
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    const imported = new Set([...left.values()].flat());
    for (const [file, others] of left)
      if (!imported.has(file) || !others.some((other) => left.has(other))) left.delete(file);
  }
  return [...left.keys()].sort();
}

const edges = (which: (target: { type: boolean }) => boolean) =>
  new Map(files.map(({ path, targets }) => [path, targets.filter(which).map((target) => target.path)]));

describe("rooms", () => {
  test("every folder of src has a level, and every folder of a partition", () => {
    const rooms = new Set(files.flatMap(({ path }) => roomOf(path) ?? []));
    expect([...rooms].filter((room) => levelOf(room) < 0 && !BESIDE.includes(room))).toEqual([]);
    expect(rooms.size).toBeGreaterThan(12);
    const inner = files.map(({ path }) => path).filter((path) => /^src\/partition\/.*\//.test(path));
    expect(inner.filter((path) => roomOf(path) === "partition")).toEqual([]);
  });

  test("docs/ARCHITECTURE.md has every room on its level", () => {
    const [, document = ""] = readFileSync(join(ROOT, "docs/ARCHITECTURE.md"), "utf8").split(/^## .*$/m);
    const rows = [...document.matchAll(/^\| (\d+|beside) \| `([\w/]+)\/` \|/gm)].map(([, level, room]) => [
      room,
      level,
    ]);
    const rooms = new Set(files.flatMap(({ path }) => roomOf(path) ?? []));
    const real = [...rooms].map((room) => [room, BESIDE.includes(room) ? "beside" : `${levelOf(room)}`]);
    expect(rows.sort()).toEqual(real.sort());
  });

  test("a room imports lower levels and itself", () => {
    expect(crossings.filter(({ up }) => up >= 0).map(({ text }) => text)).toEqual([]);
    expect(crossings.length).toBeGreaterThan(100);
  });

  test.each(FORBIDDEN)("$rule", ({ from, to }) => {
    expect(files.some(({ path }) => from.test(path))).toBe(true);
    expect(imports.filter((each) => from.test(each.from) && to.test(each.to)).map(text)).toEqual([]);
  });

  test("the core takes time, chance, timers and the network from its ports", () => {
    const core = files.filter(({ path }) => /^src\/(?!testing|client|cli|inspector)/.test(path));
    const found = core.flatMap(({ path, uses }) =>
      uses.filter(({ what }) => FROM_OUTSIDE.test(what)).map(({ what, line }) => `${path}:${line} uses ${what}`),
    );
    expect(found).toEqual([]);
  });

  test("a client takes nothing but types from the host's code", () => {
    const client = files.filter(({ path }) => path.startsWith("client/"));
    const loaded = client.flatMap(({ path: from, targets }) =>
      targets.flatMap(({ path: to, type }) => (type || /^client\/|^react$/.test(to) ? [] : [text({ from, to })])),
    );
    expect([client.length > 5, loaded]).toEqual([true, []]);
  });

  test("importing what authors use loads zod and nothing else", () => {
    const loaded = new Set(["src/index.ts"]);
    for (const path of loaded)
      for (const { path: next } of files.find((file) => file.path === path)?.targets.filter(({ type }) => !type) ?? [])
        loaded.add(next);
    expect(loaded.size).toBeGreaterThan(5);
    expect([...loaded].filter((path) => !path.startsWith("src/"))).toEqual(["zod"]);
  });

  test("no cycles among the imports that run", () => {
    expect(cyclic(edges(({ type }) => !type))).toEqual([]);
  });

  test("no cycles at all: `import type` counts", () => {
    expect(cyclic(edges(() => true))).toEqual([]);
  });

  test("cycles are found, also of one file", () => {
    const some = { a: ["b"], b: ["c"], c: ["a", "d"], d: ["e"], e: ["e", "g"], f: ["a", "outside"], g: [] };
    expect(cyclic(new Map(Object.entries(some)))).toEqual(["a", "b", "c", "d", "e"]);
  });
});

describe("files", () => {
  test("every import of a file names it with its extension, as Node wants it", () => {
    const known = new Set(paths);
    const own = imports.filter(({ from, to }) => folders.includes(to.split("/")[0] as string) && !AUTHOR.test(from));
    expect(own.filter(({ to }) => !known.has(to) && !to.endsWith(".json")).map(text)).toEqual([]);
    expect(own.length).toBeGreaterThan(1_000);
  });

  test("none is longer than 300 lines", () => {
    const long = files.filter(({ lines }) => lines > 300);
    expect(long.map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([]);
  });

  test("literals are written plainly", () => {
    const spread = files.flatMap(({ path, spreadLiterals }) => spreadLiterals.map((line) => `${path}:${line}`));
    expect(spread).toEqual([]);
  });

  test("their names are kebab-case, and src has no default exports", () => {
    expect(paths.filter((path) => !/^([a-z0-9-]+\/)*[a-z0-9-]+(\.[a-z-]+)*$/.test(path))).toEqual([]);
    expect(files.filter(({ path, hasDefault }) => path.startsWith("src/") && hasDefault)).toEqual([]);
  });
});

describe("reading a module finds", () => {
  test("literals that are spread into others", () => {
    const source = "const a = [...[1, 2], ...b];\nf(...[c], ...(d ? { e } : {}));\nconst g = { ...{ h }, ...b };";
    expect(readModule("a.ts", source).spreadLiterals).toEqual([1, 2, 3]);
  });

  test("every form of import, and which leave nothing at run time", () => {
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
      const r = await import("r1"), s = await import(r);
      type T = import("t1").T;
    `;
    const found = readModule("a.ts", source).imports.map(({ specifier, type }) =>
      type ? `type ${specifier}` : specifier,
    );
    const run = ["a1", "b1", "c1", "h1", "j1", "m1", "n1", "o1", "q1", "r1", "(computed)"];
    expect(found.sort()).toEqual([...run, "type e1", "type f1", "type p1", "type t1"].sort());
  });

  test("what is used, and neither keys nor comments, strings, templates and patterns", () => {
    const source = [
      '// import "x1"; fetch',
      "const a = \"import 'x2'\", b = /[\"'`]fetch(.)/g, c = 4 / 2; Date.now();",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: source code to read
      "const d = `import 'x3' fetch ${new Date()} ${`${Math['random']()}`} Date.now`;",
      "class F { fetch() { return this.fetch({ fetch: 1 }); } setTimeout = 1 }",
      "const g = { setInterval };",
    ].join("\n");
    const { imports, uses } = readModule("a.ts", source);
    expect(imports).toEqual([]);
    const found = uses.filter(({ what }) => FROM_OUTSIDE.test(what)).map(({ what, line }) => `${line} ${what}`);
    expect([...new Set(found)]).toEqual(["2 Date.now", "3 new Date()", "3 Math.random", "5 setInterval"]);
  });
});
