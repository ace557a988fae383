import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cleanUp, folderWith, getText, type HostProcess, spawnHost, temporaryFolder, until } from "./host-process.ts";

const WRANGLER_FILE = `
  name = "author"
  main = "worker.ts"
  compatibility_date = "2026-10-01"
  durable_objects.bindings = [{ name = "PARTITION", class_name = "Partition" }]
  migrations = [{ tag = "v1", new_sqlite_classes = ["Partition"] }]
  vars.GREETING = "from the file"`;

/** Counts by steps of `step`, and says what it was told. */
const worker = (step: number) => `
  import { DurableObject } from "cloudflare:workers";
  export class Partition extends DurableObject {
    async add() {
      const count = ((await this.ctx.storage.get("count")) ?? 0) + ${step};
      await this.ctx.storage.put("count", count);
      return count;
    }
  }
  export default {
    async fetch(request, env) {
      const { pathname } = new URL(request.url);
      if (pathname === "/throw") console.error(JSON.stringify({ error: new Error("thrown").stack }));
      return pathname === "/add" ? Response.json(await env.PARTITION.getByName("one").add()) : Response.json(env);
    },
  };`;

let folder: string;
let data: string;
let host: HostProcess;
let url: string;

const dev = () =>
  spawnHost({ EDGEVERSE_DATA: data }, ["--json"], ["--config", join(folder, "wrangler.toml"), "--no-postgres"], "dev");

beforeAll(async () => {
  data = temporaryFolder();
  folder = folderWith({
    "wrangler.toml": WRANGLER_FILE,
    ".dev.vars": "PASSWORD='it is $HOME'",
    "worker.ts": worker(1),
  });
  host = dev();
  ({ url } = await host.ready());
});
afterAll(cleanUp);

test("gives the worker variables of its file and of .dev.vars", async () => {
  const env = { GREETING: "from the file", PASSWORD: "it is $HOME", EDGEVERSE_ADMIN_TOKEN: expect.any(String) };
  expect(JSON.parse(await getText(url))).toMatchObject(env);
});

test("has places in the author's files in its log", async () => {
  await getText(`${url}/throw`);
  await until(() => host.stderr().includes(`${join(folder, "worker.ts")}:13:`));
});

test("a change of a file runs at the next calls, and objects keep what they hold", async () => {
  expect(await getText(`${url}/add`)).toBe("1");
  writeFileSync(join(folder, "worker.ts"), worker(100));
  await until(async () => Number(await getText(`${url}/add`)) > 100, 20_000);
});

test("so does a change of the worker's file", async () => {
  writeFileSync(join(folder, "wrangler.toml"), WRANGLER_FILE.replace("from the file", "changed"));
  await until(async () => (await getText(url)).includes("changed"), 20_000);
});

test("a mistake is said, and mended without a restart", async () => {
  writeFileSync(join(folder, "worker.ts"), "export default {");
  await until(() => host.stderr().includes("worker.ts:1:16"), 20_000);
  writeFileSync(join(folder, "worker.ts"), worker(10_000));
  await until(async () => Number(await getText(`${url}/add`)) > 10_000, 20_000);
});

test("a class that can't be made is said, and mended without a restart", async () => {
  const waits = () => host.stderr().split("it is started again").length - 1;
  for (const [index, base] of ["undefined", "7"].entries()) {
    writeFileSync(join(folder, "worker.ts"), `${worker(1)}\nexport class Orphan extends ${base} {}`);
    await until(() => waits() === index + 1, 40_000);
    expect(host.stderr()).toContain(`Class extends value ${base} is not a constructor`);
  }
  writeFileSync(join(folder, "worker.ts"), worker(1_000_000));
  await until(async () => Number(await getText(`${url}/add`).catch(() => 0)) > 1_000_000, 40_000);
}, 120_000);

test("a restart finds everything again", async () => {
  const before = Number(await getText(`${url}/add`));
  host.child.kill("SIGTERM");
  expect(await host.exited).toBe(0);
  host = dev();
  ({ url } = await host.ready());
  expect(Number(await getText(`${url}/add`))).toBe(before + 1_000_000);
});
