import { readFileSync, rmSync } from "node:fs";
import { join, posix } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { emptyFolder, run } from "./machine.ts";

/** Bytes a user downloads. Sources of the stack traces are two thirds of it. */
const BUDGET = 2200 * 1024;

/** Where a README leads those who change Edgeverse itself. */
const FOR_CONTRIBUTORS = [
  "CONTRIBUTING.md",
  "docs/ARCHITECTURE.md",
  "docs/decisions",
  "docs/lessons.md",
  "docs/mutants.md",
];

const { tarball, size, unpackedSize, files } = inject("edgeverse");
const paths = files.map(({ path }) => path);
const folder = emptyFolder("tarball");
const packed = join(folder, "package");
const read = (path: string) => readFileSync(join(packed, path), "utf8");

beforeAll(() => run("tar", ["-xzf", tarball, "-C", folder], { cwd: folder }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the tarball", () => {
  test("has what its users need and nothing else", () => {
    const kinds =
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|docs\/[^/]+\.md|examples\/[^/]+\.ts|dist\/.*(\.js|\.js\.map|\.d\.ts)|dist\/migrations\/.*|dist\/local\/python\/[^/]+\.py)$/;
    expect(paths.filter((path) => !kinds.test(path))).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining([
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "docs/guide.md",
        "dist/src/testing/simulation/worker.js",
      ]),
    );
  });

  test("is small", () => {
    console.log(
      `edgeverse.tgz: ${Math.ceil(size / 1024)} KiB, ${Math.ceil(unpackedSize / 1024)} KiB unpacked, ${files.length} files`,
    );
    expect(size).toBeLessThan(BUDGET);
  });

  test("pleases publint", async () => {
    const bytes = readFileSync(tarball);
    const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test("has types that agree with its modules, by arethetypeswrong", async () => {
    const attw = join(inject("repository"), "node_modules/@arethetypeswrong/cli/dist/index.js");
    // esm-only: `require` of a module works in today's Node, and the checks of older resolutions ask for a second build.
    const report = await run(process.execPath, [attw, tarball, "--profile", "esm-only", "--no-color"], { cwd: folder });
    const names = [
      "edgeverse",
      "edgeverse/client",
      "edgeverse/cloudflare",
      "edgeverse/jwt",
      "edgeverse/postgres",
      "edgeverse/react",
      "edgeverse/testing",
      "edgeverse/testing/vitest",
      "edgeverse/verify",
    ];
    for (const name of names) expect(report).toContain(`"${name}"`);
  });

  test("has for every module a source map with its sources in it", () => {
    const modules = paths.filter((path) => path.endsWith(".js"));
    expect(paths.filter((path) => path.endsWith(".js.map"))).toEqual(modules.map((path) => `${path}.map`));
    for (const path of modules) {
      expect(read(path)).toContain(`//# sourceMappingURL=${posix.basename(path)}.map`);
      const map = JSON.parse(read(`${path}.map`)) as { sources: string[]; sourcesContent?: (string | null)[] };
      expect(map.sources, path).toHaveLength(1);
      expect(map.sourcesContent, path).toEqual([expect.stringMatching(/\S/)]);
    }
  });

  test("leads from its README only to what it has", () => {
    const links = [...read("README.md").matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) =>
      posix.normalize(link as string),
    );
    expect(links.length).toBeGreaterThan(3);
    const there = (link: string) =>
      FOR_CONTRIBUTORS.includes(link) || paths.some((path) => path === link || path.startsWith(`${link}/`));
    expect(links.filter((link) => !there(link))).toEqual([]);
  });
});
