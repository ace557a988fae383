import { env, evictDurableObject, SELF } from "cloudflare:test";
import { expect, test } from "vitest";
import type { PartitionRpc } from "../../durable/wire.ts";

const ADMIN = { authorization: `Bearer ${env.EDGEVERSE_ADMIN_TOKEN}` };

async function ask(method: string, path: string, body?: unknown) {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await SELF.fetch(`http://host.test/admin/v1/${path}`, { method, headers: ADMIN, ...init });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

let owner = "p0";

async function settingOf(name: string) {
  const { body } = await ask("GET", `partitions/${owner}/config`);
  const settings = body["settings"] as { name: string; value: unknown; origin: string }[];
  const { value, origin } = settings.find((setting) => setting.name === name) ?? {};
  return { version: body["version"], value, origin };
}

test("[CONF1] [CONF4] settings reach partitions, gates and routers in workerd; a bad document changes nothing", async () => {
  await SELF.fetch("http://host.test/api/v1/objects/call/Counter/settings/add", {
    method: "POST",
    body: '{"request":{"by":1}}',
  });
  owner = String((await ask("GET", "objects/Counter/settings")).body["partition"]);
  expect(await settingOf("callTimeout")).toMatchObject({ version: 0, origin: "default" });
  const document = { settings: { callTimeout: "9s" } };
  expect(await ask("PUT", "config", { document, dryRun: true })).toMatchObject({ status: 200, body: { version: 0 } });
  expect(await ask("PUT", "config", { document, expectedVersion: 0 })).toMatchObject({
    status: 200,
    body: { version: 1, changed: true },
  });
  await expect.poll(async () => (await ask("GET", "config")).body["complete"], { timeout: 5_000 }).toBe(true);
  expect(await settingOf("callTimeout")).toEqual({ version: 1, value: "9s", origin: "document" });
  const stub = env.PARTITION.getByName(owner);
  await evictDurableObject(stub);
  expect(await settingOf("callTimeout")).toEqual({ version: 1, value: "9s", origin: "document" });
  for (const bad of [
    { settings: { callTimeout: "soon" } },
    { settings: { shards: 4 } },
    { access: [{ type: "NoSuchType", access: "ALLOW" }] },
    { surprise: 1 },
  ])
    expect((await ask("PUT", "config", { document: bad })).body["code"]).toBe("INVALID_ARGUMENT");
  expect((await ask("PUT", "config", { document, expectedVersion: 0 })).body["code"]).toBe("CONFLICT");
  expect((await ask("GET", "config")).body["version"]).toBe(1);
  // What an isolate knows goes with its calls; the answer tells of what it does not know.
  const rpc = stub as unknown as PartitionRpc;
  const call = ["Counter", "settings", "add", Date.now() + 5_000, "r", 0, '{"by":1}'] as const;
  expect(await rpc.call(...call)).toMatchObject({ kind: "response", settings: 1 });
  expect((await ask("POST", "config/rollback", { version: 0 })).body["version"]).toBe(2);
  await expect.poll(async () => (await settingOf("callTimeout")).version, { timeout: 5_000 }).toBe(2);
  expect(await settingOf("callTimeout")).toMatchObject({ value: "30s", origin: "default" });
});
