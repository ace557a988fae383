import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { bundleWorker } from "../../local/bundle.ts";
import { readWorkerSettings } from "../../local/worker-settings.ts";
import { cleanUp, folderWith, getText, spawnHost, temporaryFolder } from "./host-process.ts";

const WORKER = {
  name: "files",
  main: "src/worker.ts",
  compatibility_date: "2026-10-01",
};

/** A project; `wrangler.jsonc` describes its worker. */
const project = (config: object, files: Readonly<Record<string, string | Uint8Array>>): string =>
  folderWith({ "wrangler.jsonc": `// By hand.\n${JSON.stringify(config)}`, ...files });

const start = (folder: string, flags: readonly string[] = []) =>
  spawnHost(
    { EDGEVERSE_DATA: temporaryFolder() },
    ["--json", ...flags],
    ["--config", join(folder, "wrangler.jsonc"), "--no-postgres"],
  );

/** `(module (func (export "two") (result i32) i32.const 2))` */
const TWO = Uint8Array.from(atob("AGFzbQEAAAABBQFgAAF/AwIBAAcHAQN0d28AAAoGAQQAQQIL"), (character) =>
  character.charCodeAt(0),
);

describe("a worker's file", () => {
  let url: string;
  beforeAll(async () => {
    const folder = project(
      {
        ...WORKER,
        compatibility_flags: ["nodejs_compat"],
        alias: { greeting: "./src/greeting.ts" },
        define: { BUILT_BY: '"esbuild"' },
        build: { command: "echo 'export default 7;' > src/made.ts" },
        vars: { GREETING: "from the file", MORE: { a: 1 }, PORTS: 1 },
        env: { staging: { vars: { GREETING: "from staging" } } },
      },
      {
        ".dev.vars": "GREETING='from .dev.vars'\nPASSWORD=\"it is $HOME\"\nEDGEVERSE_ADMIN_TOKEN=sesame\n",
        "src/greeting.ts": "export const greeting: string = 'hello';",
        "src/page.html": "<p>page</p>",
        "src/two.wasm": TWO,
        "src/some.bin": "bytes",
        "src/worker.ts": `
          import { Buffer } from "buffer";
          import { join } from "path";
          import { greeting } from "greeting";
          import made from "./made.ts";
          import page from "./page.html";
          import bytes from "./some.bin";
          import two from "./two.wasm";
          const { exports } = new WebAssembly.Instance(two);
          const built = [greeting, made, page, new TextDecoder().decode(bytes), exports.two(), BUILT_BY, Buffer.from("x").toString("hex"), join("a", "b")];
          export default { fetch: (request, env) => Response.json({ built, env }) };`,
      },
    );
    ({ url } = await start(folder).ready());
  });
  afterAll(cleanUp);

  test("says what the bundle is made of", async () => {
    const { built } = JSON.parse(await getText(url));
    expect(built).toEqual(["hello", 7, "<p>page</p>", "bytes", 2, "esbuild", "78", "a/b"]);
  });

  test("says what is in env, and .dev.vars goes over it", async () => {
    const { env } = JSON.parse(await getText(url));
    expect(env).toEqual({
      GREETING: "from .dev.vars",
      MORE: { a: 1 },
      PORTS: 1,
      PASSWORD: "it is $HOME",
      EDGEVERSE_ADMIN_TOKEN: "sesame",
    });
  });
});

describe("a start", () => {
  afterEach(cleanUp);
  const source = { "src/worker.ts": "export default { fetch: (request, env) => Response.json(env) };" };

  test("takes one of the file's environments", async () => {
    const folder = project({ ...WORKER, env: { staging: { vars: { WHERE: "staging" } } } }, source);
    const host = await start(folder, ["--env", "staging"]).ready();
    expect(JSON.parse(await getText(host.url))).toMatchObject({ WHERE: "staging" });
  });

  test("uses the database that .dev.vars names, and never says its password", async () => {
    const folder = project(WORKER, {
      ...source,
      ".dev.vars": "DATABASE_URL=postgresql://ann:hidden@127.0.0.1:9/calls\n",
    });
    const host = spawnHost({ EDGEVERSE_DATA: temporaryFolder() }, [], ["--config", join(folder, "wrangler.jsonc")]);
    expect(await host.exited).toBe(1);
    expect(host.stderr()).toMatch(/^Cannot use DATABASE_URL, 127\.0\.0\.1:9\/calls: .*\n$/);
    expect(host.stderr()).not.toContain("hidden");
  });

  const read = (config: object) => readWorkerSettings(join(project(config, source), "wrangler.jsonc"), undefined);

  test.each([
    [{ ...WORKER, main: undefined }, "is not usable: it has no main"],
    [{ ...WORKER, compatibility_date: undefined }, "is not usable: it has no compatibility_date"],
    [{ ...WORKER, triggers: { crons: ["61 * * * *"] } }, 'is not usable: Cannot read cron "61 * * * *"'],
    [{ ...WORKER, kv_namespaces: "KV" }, /^Cannot read \S+wrangler.jsonc: .*"kv_namespaces" should be an array/],
    [
      { ...WORKER, durable_objects: { bindings: [{ name: "A", class_name: "Partition" }] } },
      'no migration names the class Partition: add new_sqlite_classes = ["Partition"] to one',
    ],
  ])("refuses %o", async (config, message) => {
    await expect(read(config)).rejects.toThrow(message);
  });

  test.each([
    [{ ...WORKER, main: "src/other.ts" }, /^Cannot bundle the worker: .*src\/other.ts/s],
    [{ ...WORKER, build: { command: "exit 3" } }, "Cannot bundle the worker: Command failed: exit 3"],
  ])("refuses %o", async (config, message) => {
    await expect(bundleWorker(await read(config), temporaryFolder())).rejects.toThrow(message);
  });
});
