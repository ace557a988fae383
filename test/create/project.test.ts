import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterAll, describe, expect, test } from "vitest";
import { readCommandLine } from "../../create/src/command-line.ts";
import { packageManager } from "../../create/src/package-manager.ts";
import { writeProject } from "../../create/src/project.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly allowScripts: Record<string, boolean>;
}

const ROOT = join(import.meta.dirname, "../..");
const parent = mkdtempSync(join(tmpdir(), "edgeverse-create-"));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const read = (...path: string[]) => readFileSync(join(...path), "utf8");
const manifestOf = (...path: string[]) => JSON.parse(read(...path, "package.json")) as Manifest;
const write = (name: string, options: { edgeverse?: string; node?: string } = {}) => {
  const folder = join(parent, name);
  return { folder, ...writeProject({ folder, edgeverse: undefined, node: "24.0.0", ...options }) };
};

describe("a new project", () => {
  const { folder } = write("my-app");
  const repository = manifestOf(ROOT);

  test("is called by its folder, everywhere", () => {
    expect(manifestOf(folder).name).toBe("my-app");
    expect(parse(read(folder, "wrangler.toml"))["name"]).toBe("my-app");
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const { parentPath, name } of files) expect(read(parentPath, name)).not.toContain("{{");
  });

  test("takes the edgeverse of this version, and the tools that the repository is tested with", () => {
    const { dependencies, devDependencies } = manifestOf(folder);
    const { edgeverse, ...others } = dependencies;
    expect(edgeverse).toBe(`^${repository.version}`);
    expect(manifestOf(ROOT, "create").version).toBe(repository.version);
    expect(repository.devDependencies).toMatchObject({ ...others, ...devDependencies });
  });

  test("has the wrangler.toml of the repository, but for its own name, entry, settings and past", () => {
    const mine = parse(read(folder, "wrangler.toml"));
    const theirs = parse(read(ROOT, "wrangler.toml")) as { migrations: { new_sqlite_classes: string[] }[] };
    const classes = theirs.migrations.flatMap((step) => step.new_sqlite_classes);
    const migrations = [{ tag: "v1", new_sqlite_classes: classes }];
    expect(mine).toEqual({ ...theirs, name: "my-app", main: "src/worker.ts", vars: {}, migrations });
  });

  test("keeps state and secrets out of git", () => {
    expect(read(folder, ".gitignore").split("\n")).toEqual(expect.arrayContaining([".edgeverse/", ".dev.vars*"]));
  });
});

describe("an older Node", () => {
  test.each(["20.20.2", "22.12.0"])("%s gets a newer one with the project", (node) => {
    const { folder, bringsNode } = write(`node-${node.replaceAll(".", "-")}`, { node });
    expect(bringsNode).toBe(true);
    const { devDependencies, allowScripts } = manifestOf(folder);
    expect(devDependencies["node"]).toBe(manifestOf(ROOT).devDependencies["node"]);
    expect(allowScripts["node"]).toBe(true);
  });

  test.each(["22.13.0", "23.0.0", "24.21.0"])("%s is new enough", (node) => {
    const { folder, bringsNode } = write(`node-${node.replaceAll(".", "-")}`, { node });
    expect(bringsNode).toBe(false);
    expect(manifestOf(folder).devDependencies).not.toHaveProperty("node");
  });
});

describe("another edgeverse", () => {
  test("is a version, or a path that the project can be moved away from", () => {
    expect(manifestOf(write("version", { edgeverse: "0.2.0-beta.1" }).folder).dependencies["edgeverse"]).toBe(
      "0.2.0-beta.1",
    );
    expect(manifestOf(write("path", { edgeverse: ROOT }).folder).dependencies["edgeverse"]).toBe(`file:${ROOT}`);
  });
});

describe("a folder or a name that can't be used", () => {
  test("is refused with what to do, and nothing is written", () => {
    mkdirSync(join(parent, "full"));
    writeFileSync(join(parent, "full", "notes.txt"), "mine");
    expect(() => write("full")).toThrow(/full is not empty \(notes\.txt is there\): name another folder/);
    expect(readdirSync(join(parent, "full"))).toEqual(["notes.txt"]);
  });

  test("may be a file", () => {
    writeFileSync(join(parent, "notes"), "mine");
    expect(() => write("notes")).toThrow("notes is a file: name another folder");
  });

  test("is not one with an empty repository in it", () => {
    mkdirSync(join(parent, "begun", ".git"), { recursive: true });
    expect(readdirSync(write("begun").folder)).toContain("package.json");
  });

  test.each([
    ["My App!", '"my-app"'],
    ["7-wonders", '"wonders"'],
    ["--", '"my-app"'],
    [`a${"b".repeat(80)}`, `"a${"b".repeat(53)}"`],
  ])("%s is not a name, and one that would do is named", (name, similar) => {
    expect(() => write(name)).toThrow(similar);
    expect(readdirSync(parent)).not.toContain(name);
  });

  test("is that of a package it installs", () => {
    expect(() => write("vitest")).toThrow('try "vitest-app"');
    expect(() => write("edgeverse")).toThrow('try "edgeverse-app"');
  });
});

describe("the command line", () => {
  test("takes a folder and flags", () => {
    const line = { folder: "a", yes: true, install: false, edgeverse: "1.0.0", help: false };
    expect(readCommandLine(["a", "--yes", "--no-install", "--edgeverse", "1.0.0"])).toEqual(line);
    expect(readCommandLine([])).toEqual({
      ...line,
      folder: undefined,
      yes: false,
      install: true,
      edgeverse: undefined,
    });
  });

  test("refuses what it does not know", () => {
    expect(() => readCommandLine(["--typescript"])).toThrow("Unknown option '--typescript'; see --help");
    expect(() => readCommandLine(["a", "b"])).toThrow("Name one folder");
  });

  test("installs by the package manager that runs it", () => {
    expect(packageManager("pnpm/10.20.0 npm/? node/v24.0.0 linux x64")).toBe("pnpm");
    expect(packageManager("npm/11.6.0 node/v24.0.0")).toBe("npm");
    expect(packageManager(undefined)).toBe("npm");
    expect(packageManager("sh -c/1")).toBe("npm");
  });
});
