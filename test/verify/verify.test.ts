import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cleanUp, folderWith, type Ready, spawnHost, temporaryFolder } from "../local/host-process.ts";
import { notPassed, reportOf, verify } from "./verify-process.ts";

const TOKEN = "very-secret-token";
/** A `wrangler.json` in a folder of its own, where wrangler may put its files, for a Worker of the fixture. */
function configOf(worker: string): string {
  const durableObject = (name: string, className: string) => ({ name, class_name: className });
  const config = {
    name: "author",
    main: join(import.meta.dirname, "fixture", worker),
    compatibility_date: "2026-10-01",
    compatibility_flags: ["nodejs_als"],
    durable_objects: {
      bindings: [durableObject("PARTITION", "Partition"), durableObject("COORDINATOR", "Coordinator")],
    },
    migrations: [{ tag: "v1", new_sqlite_classes: ["Partition", "Coordinator"] }],
  };
  return join(folderWith({ "wrangler.json": JSON.stringify(config) }), "wrangler.json");
}

const ALONE = ["the cluster has no two partitions that take shards", "the log of the cluster is local"];

function start(
  env: Record<string, string>,
  worker: readonly string[],
  command: "start" | "dev" = "start",
): Promise<Ready> {
  const own = { EDGEVERSE_DATA: temporaryFolder(), EDGEVERSE_ADMIN_TOKEN: TOKEN, EDGEVERSE_SHARDS: "64" };
  return spawnHost({ ...own, ...env }, ["--json"], worker, command).ready();
}

afterAll(cleanUp);

describe("a host of two partitions with a log", () => {
  let host: Ready;
  const admin = async (path: string) => {
    const answer = await fetch(`${host.url}/admin/v1/${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
    return (await answer.json()) as Record<string, never[]>;
  };

  /** Where each shard is, and whether it is pinned. */
  const shards = async () => {
    const { shards } = (await admin("shards?limit=1000")) as unknown as {
      shards: { pinned: boolean; partition: string }[];
    };
    return shards.map(({ pinned, partition }) => `${partition}${pinned ? ", pinned" : ""}`);
  };
  let before: string[];

  beforeAll(async () => {
    host = await start({ EDGEVERSE_PARTITIONS: "2", EDGEVERSE_REBALANCE: "off" }, [
      "--config",
      resolve("wrangler.toml"),
    ]);
    before = await shards();
    expect(before).toHaveLength(64);
  }, 120_000);

  test("keeps every rule; nothing of the verifier is left", { timeout: 180_000 }, async () => {
    const verified = await verify([host.url, "--allow-reshard", "--json"], { EDGEVERSE_ADMIN_TOKEN: TOKEN });
    const report = reportOf(verified);
    expect(notPassed(report)).toEqual([
      "CALL6 not applicable: the cluster has a log in Postgres",
      "CALL14 not applicable: the cluster has a log in Postgres",
      "MEM1 not applicable: the cluster has several partitions that take shards",
    ]);
    expect([verified.code, report.requests]).toEqual([0, expect.any(Number)]);
    expect(Object.keys(report.rules).length).toBeGreaterThan(45);
    expect(report.requests).toBeLessThan(1_000);
    await expectNothingLeft();
  });

  test("a run that Ctrl-C stops in the middle of a move leaves nothing either", { timeout: 60_000 }, async () => {
    const only = ["MIG3", "PLAN2", "MEM1"].flatMap((rule) => ["--only", rule]);
    const ctrlC = new AbortController();
    const running = verify([host.url, ...only, "--token", TOKEN, "--json"], {}, ctrlC.signal);
    const moving = async () => (await admin("moves?active=true"))["moves"]?.length;
    await expect.poll(moving, { interval: 5, timeout: 30_000 }).toBeGreaterThan(0);
    ctrlC.abort();
    const stopped = await running;
    // Without a report it was killed, and did not clean up.
    expect([stopped.code, reportOf(stopped).stopped, notPassed(reportOf(stopped))]).toEqual([130, true, []]);
    await expectNothingLeft();
  });

  test("is not verified with another token, and the token is not printed", async () => {
    const { code, stdout, stderr } = await verify([host.url, "--token", "another-token"]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(`${host.url} refuses the admin token\n`);
  });

  test("without a token, what operators may do is not tried", { timeout: 60_000 }, async () => {
    const { code, stdout } = await verify([host.url, "--only", "MIG1", "--only", "CALL5", "--only", "OBJ1"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^MIG1 +– .*\n +give the admin token$/m);
    expect(stdout).toMatch(/^CALL5 +– .*\n +give the admin token$/m);
    expect(stdout).toContain("3 rules: 1 passed, 0 failed, 2 not applicable");
  });

  async function expectNothingLeft() {
    for (const type of ["EdgeverseProbe", "EdgeverseProbeMember"]) {
      expect(await admin(`objects?type=${type}`)).toEqual({ objects: [] });
    }
    const { partitions } = (await admin("partitions")) as unknown as { partitions: { name: string }[] };
    expect(partitions.map(({ name }) => name)).toEqual(["p0", "p1"]);
    expect(await shards()).toEqual(before);
  }
});

test("wrangler dev, below a base path, keeps every rule", { timeout: 180_000 }, async () => {
  const config = configOf("mounted.ts");
  const { url } = await start({}, ["--config", config, "--no-postgres"], "dev");
  const verified = await verify([`${url}/edge/`, "--json"], { EDGEVERSE_ADMIN_TOKEN: TOKEN });
  const missing = new Set(notPassed(reportOf(verified)).map((line) => line.replace(/^.*?: /, "")));
  expect([...missing].sort()).toEqual([...ALONE, expect.stringContaining("--allow-reshard")].sort());
  expect([verified.code, reportOf(verified).url]).toEqual([0, `${url}/edge`]);
});

test("a host that does not serve the probes is told how, and the rest is tried", { timeout: 60_000 }, async () => {
  const config = configOf("without-probes.ts");
  const { url } = await start({}, ["--config", config, "--no-postgres"]);
  const report = reportOf(await verify([url, "--json", "--token", TOKEN]));
  expect(report.probes).toBe(false);
  expect(report.rules).toMatchObject({ HTTP4: "pass", ID1: "pass", ACC3: "pass", TURN1: "not applicable" });
  const told = 'TURN1 not applicable: add "...probes" of "edgeverse/verify" to the objects of your host';
  expect(notPassed(report)).toContain(told);
  expect(report.rules).toMatchObject({ ID2: "not applicable", ID3: "not applicable" });
});

test.each([
  [["http://127.0.0.1:9"], "Cannot reach http://127.0.0.1:9: "],
  [["http://127.0.0.1:9", "--header", "hidden-value"], "A --header must be like name:value."],
  [["somewhere"], "It must be a URL like"],
  [["http://127.0.0.1:9", "--only", "NO1"], "There are checks for HTTP1, "],
])("%j can't be verified", async (args, message) => {
  const { code, stdout, stderr } = await verify(args);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain("hidden-value");
});
