import { execFile } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fireScheduled } from "../../local/control-client.ts";
import { demandOf, PLAIN, SIMULATED } from "../../local/features.ts";
import { wranglerProgram } from "../../local/tools.ts";
import { readWranglerFile } from "../../local/wrangler-file.ts";
import { cleanUp, getText, type HostProcess, spawnHost, temporaryFolder } from "./host-process.ts";

/** A row of the table "What runs where": keys of the worker's file and other names in code, and where they work. */
interface Row {
  readonly keys: readonly string[];
  readonly start: string;
  readonly dev: string;
}

const operations = readFileSync(join(import.meta.dirname, "../../docs/operations.md"), "utf8");
const [, section = ""] = operations.split("## What runs where\n");
const rows = [...section.split("\n## ", 1)[0]!.matchAll(/^\| (`.*?) \| (.*?) \| (.*?) \| .* \|$/gm)].map(
  ([, subject = "", start = "", dev = ""]): Row => ({
    keys: [...subject.matchAll(/`([\w.*]+)`/g)].map(([, key = ""]) => key),
    start,
    dev,
  }),
);

/** The folder `parity`, with a `.dev.vars`: a worker that uses all that it can, and tells. */
const folder = temporaryFolder();
const file = join(folder, "wrangler.jsonc");
cpSync(join(import.meta.dirname, "parity"), folder, { recursive: true });
writeFileSync(join(folder, ".dev.vars"), "PASSWORD='from .dev.vars'\n");
const { config, defaults } = await readWranglerFile(file, undefined);

const run = (command: "start" | "dev", data: string) =>
  spawnHost(
    { EDGEVERSE_DATA: data },
    ["--json"],
    ["--config", file, "--config", join(folder, "other.jsonc"), "--no-postgres"],
    command,
  );

afterAll(cleanUp);

describe('the table "What runs where"', () => {
  const known = (row: Row) => row.keys.filter((key) => key in config || key in defaults);

  test("has a row for everything that simulators do, and says so of nothing else", () => {
    const here = rows.filter(({ start }) => start.startsWith("here")).flatMap(known);
    expect(here.toSorted()).toEqual(SIMULATED.toSorted());
  });

  test("says of nothing that it works or is without effect, unless it does", () => {
    const plain = rows.filter(({ start }) => /^(yes|without)/.test(start)).flatMap(known);
    expect(plain.filter((key) => !PLAIN.includes(key))).toEqual([]);
    expect(plain).toContain("durable_objects");
  });

  test.each(rows.filter(({ start }) => start === "–").flatMap(known))("is right that %s is refused", (key) => {
    const { problems } = demandOf({ config: { ...config, [key]: { set: true } }, defaults, options: {} }, [
      "parity",
      "other",
    ]);
    expect(problems).toEqual([`it has no [${key}] (edgeverse dev has what wrangler has)`]);
  });
});

describe.each(["start", "dev"] as const)("edgeverse %s", (command) => {
  const data = temporaryFolder();
  let host: HostProcess;
  let url: string;
  let came: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    host = run(command, data);
    ({ url } = await host.ready());
    came = JSON.parse(await getText(`${url}/probe`));
  });

  test("does all that the table says", () => {
    expect(came).toEqual(Object.fromEntries(Object.keys(came).map((key) => [key, true])));
    const claimed = rows.filter((row) => /^(yes|here)/.test(row[command]) && row.start !== "–");
    // `triggers` are tried below, and what concerns bundling in worker-file.test.ts.
    const untried = claimed.filter(({ keys }) => !keys.some((key) => key in came)).map(({ keys }) => keys[0]);
    expect(untried).toEqual(["triggers", "*.txt", "build"]);
  });

  test("serves assets by their paths, and the worker everything else", async () => {
    expect(await getText(`${url}/page`)).toBe("<p>a page</p>\n");
    expect(await getText(`${url}/nothing`)).toBe("no such page");
  });

  if (command === "start")
    test("fires crons, and keeps data over a kill -9", async () => {
      await fireScheduled(join(data, "run/control.sock"), { cron: "1 2 3 4 *", scheduledTime: 0 });
      expect(await getText(`${url}/cron`)).toBe("true");
      host.child.kill("SIGKILL");
      await host.exited;
      host = run(command, data);
      ({ url } = await host.ready());
      expect(await getText(`${url}/kept`)).toBe('{"own":2,"kv":"1","r2":"1"}');
    });
});

test("objects stay what they are when the first simulator is needed, and when none is any more", async () => {
  const config = {
    name: "grows",
    main: join(folder, "worker.ts"),
    compatibility_date: "2026-10-01",
    compatibility_flags: ["nodejs_compat"],
    durable_objects: { bindings: [{ name: "OWN", class_name: "Own" }] },
    migrations: [{ tag: "v1", new_sqlite_classes: ["Own"] }],
  };
  const grows = join(folder, "grows.json");
  const data = temporaryFolder();
  const counted: string[] = [];
  for (const more of [{}, { kv_namespaces: [{ binding: "KV", id: "kv" }] }, {}]) {
    writeFileSync(grows, JSON.stringify({ ...config, ...more }));
    const host = spawnHost({ EDGEVERSE_DATA: data }, ["--json"], ["--config", grows, "--no-postgres"]);
    counted.push(await getText(`${(await host.ready()).url}/count`));
    host.child.kill("SIGTERM");
    expect(await host.exited).toBe(0);
  }
  expect(counted).toEqual(["1", "2", "3"]);
});

test("wrangler deploy takes the same file", async () => {
  const args = [wranglerProgram(folder), "deploy", "--dry-run", "--outdir", join(folder, "out"), "--config", file];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
  for (const name of [
    "OWN",
    "KV",
    "R2",
    "D1",
    "QUEUE",
    "OTHER",
    "SELF",
    "ASSETS",
    "WORKFLOW",
    "ANALYTICS",
    "EMAIL",
    "RATE",
    "VERSION",
  ])
    expect(stdout).toContain(`env.${name}`);
});

test("what can't be served is named, all of it", async () => {
  const greedy = join(folder, "greedy.json");
  const more = { ai: { binding: "AI" }, vectorize: [{ binding: "VECTORS", index_name: "index" }] };
  const kv_namespaces = [{ binding: "KV", id: "kv", remote: true }];
  writeFileSync(
    greedy,
    JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8").replace(/^ *\/\/.*$/gm, "")), ...more, kv_namespaces }),
  );
  const host = spawnHost({ EDGEVERSE_DATA: temporaryFolder() }, [], ["--config", greedy, "--no-postgres"]);
  expect(await host.exited).toBe(1);
  for (const problem of ["[ai]", "[vectorize]", "[kv_namespaces] with remote = true", 'the worker "other" is missing'])
    expect(host.stderr()).toContain(problem);
});
