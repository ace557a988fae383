import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { cleanUp, type Ready, spawnHost, temporaryFolder, until } from "./host-process.ts";

const CONFIG = resolve(import.meta.dirname, "../../wrangler.toml");

afterAll(cleanUp);

async function add({ url }: Ready, headers: Record<string, string> = {}): Promise<unknown> {
  const path = `${url}/api/v1/objects/call/Counter/lazy/add`;
  const answer = await fetch(path, { method: "POST", body: '{"request":{"by":1}}', headers });
  return answer.json();
}

async function loggedCalls({ url, adminToken }: Ready): Promise<string[]> {
  const headers = { authorization: `Bearer ${adminToken}` };
  const answer = await fetch(`${url}/admin/v1/calls`, { headers });
  const { calls = [] } = (await answer.json()) as { calls?: { callId: string }[] };
  return calls.map(({ callId }) => callId);
}

test("the embedded Postgres starts with the first reliable call, says when it can't, and is tried again", {
  timeout: 120_000,
}, async () => {
  const data = temporaryFolder();
  const place = join(data, "postgres");
  writeFileSync(place, "no folder");
  const host = spawnHost({ EDGEVERSE_DATA: data }, ["--json"], ["--config", CONFIG]);
  const ready = await host.ready();
  expect(await add(ready)).toEqual({ response: { value: 1 } });
  expect(host.stderr()).not.toContain("Postgres");

  expect(await add(ready, { "idempotency-key": "first" })).toEqual({ response: { value: 2 } });
  await until(() => host.stderr().includes("The log of reliable calls waits for the embedded Postgres: "), 60_000);

  rmSync(place);
  await until(async () => (await loggedCalls(ready)).includes("first"), 90_000);
  expect(existsSync(join(place, "pgdata"))).toBe(true);
});

test("a host that nobody asks for a reliable call makes no database", { timeout: 60_000 }, async () => {
  const data = temporaryFolder();
  const host = spawnHost({ EDGEVERSE_DATA: data }, ["--json"], ["--config", CONFIG]);
  const ready = await host.ready();
  expect(await add(ready)).toEqual({ response: { value: 1 } });
  host.child.kill("SIGTERM");
  expect(await host.exited).toBe(0);
  expect(existsSync(join(data, "postgres"))).toBe(false);
});

test("[CALL14] a host with a local log lists its calls, and makes no database", { timeout: 60_000 }, async () => {
  const env = { EDGEVERSE_DATA: temporaryFolder(), EDGEVERSE_LOG: "local", EDGEVERSE_PARTITIONS: "2" };
  const host = spawnHost(env, ["--json"], ["--config", CONFIG]);
  const ready = await host.ready();
  for (const key of ["first", "second"]) await add(ready, { "idempotency-key": key });
  expect(await loggedCalls(ready)).toEqual(["second", "first"]);
  host.child.kill("SIGKILL");
  await host.exited;
  expect(existsSync(join(env.EDGEVERSE_DATA, "postgres"))).toBe(false);

  const again = await spawnHost(
    { EDGEVERSE_DATA: env.EDGEVERSE_DATA },
    ["--json"],
    ["--config", CONFIG, "--no-postgres"],
  );
  const restarted = await again.ready();
  expect(await loggedCalls(restarted)).toEqual(["second", "first"]);
  const headers = { authorization: `Bearer ${restarted.adminToken}` };
  const stats = await fetch(`${restarted.url}/admin/v1/calls/stats`, { headers });
  expect(await stats.json()).toMatchObject({ counts: [{ type: "Counter", status: "success", count: 2 }] });
  expect(await (await fetch(`${restarted.url}/ready`)).json()).toMatchObject({ log: { status: "local" } });
});
