import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { cleanUp, spawnHost, temporaryFolder } from "../local/host-process.ts";

const token = "t".repeat(32);
const config = ["--config", resolve(import.meta.dirname, "wrangler.toml")];

afterAll(cleanUp);

test("[CALL3] after kill -9 the host resumes an accepted call by itself, and it runs to effect once", {
  timeout: 90_000,
}, async () => {
  const env = { EDGEVERSE_DATA: temporaryFolder(), EDGEVERSE_ADMIN_TOKEN: token };
  const first = spawnHost(env, ["--json"], config);
  const { url, workerdPid } = await first.ready();
  const accepted = await fetch(`${url}/api/v1/objects/call/Slow/s/work`, {
    method: "POST",
    headers: { "idempotency-key": "slow-1", prefer: "respond-async" },
    body: '{"request":{"ms":1500}}',
  });
  expect(accepted.status).toBe(202);
  await sleep(200);
  process.kill(workerdPid, "SIGKILL");
  first.child.kill("SIGKILL");
  await first.exited;

  const second = spawnHost(env, ["--json"], config);
  const again = await second.ready();
  // Only the log is looked at: asking for the object would wake its partition.
  let statuses: string[] = [];
  for (let tries = 0; tries < 100 && statuses[0] !== "success"; tries++) {
    await sleep(300);
    const answer = await fetch(`${again.url}/admin/v1/calls?type=Slow`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { calls = [] } = (await answer.json()) as { calls?: { status: string }[] };
    // Postgres may still be starting.
    statuses = calls.map(({ status }) => status);
  }
  expect(statuses).toEqual(["success"]);
  const done = await fetch(`${again.url}/api/v1/objects/call/Slow/s/done`, { method: "POST" });
  expect(await done.json()).toEqual({ response: { done: 1 } });
  second.child.kill("SIGTERM");
  expect(await second.exited).toBe(0);
});

test("[CONF1] a host does not start on a setting that can't be used, and names it", async () => {
  const host = spawnHost(
    { EDGEVERSE_DATA: temporaryFolder(), EDGEVERSE_SHARDS: "100", EDGEVERSE_CALL_TIMEOUT: "soon" },
    ["--json"],
    config,
  );
  expect(await host.exited).toBe(1);
  expect(host.stderr()).toContain("EDGEVERSE_SHARDS");
  expect(host.stderr()).toContain("EDGEVERSE_CALL_TIMEOUT");
});
