import { join } from "node:path";
import { createClient } from "edgeverse/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cleanUp, spawnHost, temporaryFolder, until } from "../local/host-process.ts";
import type { Room } from "./app/room.ts";

const WORKER = ["--config", join(import.meta.dirname, "app/wrangler.toml"), "--no-postgres"];
const CLIENTS = 24;

afterAll(cleanUp);

/** A client that listens to a room and watches it, and calls it all the while. */
function busy(url: string, name: string) {
  const client = createClient<typeof Room>({ url, token: name });
  const heard: number[] = [];
  const seen = { gaps: 0, errors: 0, said: 0 };
  const note = { onGap: () => seen.gaps++, onError: () => seen.errors++ };
  client.subscribe("room/main", (data) => heard.push((data as { number: number }).number), note);
  client.watch("Room", "main", (room) => (seen.said = room?.said.length ?? 0), note);
  let ended = false;
  const calls = async () => {
    for (; !ended; await new Promise((resolve) => setTimeout(resolve, 250)))
      await client.object("Room", "main").say({ text: name }, { reliable: true });
  };
  return { client, heard, seen, calls, end: () => (ended = true) };
}

let url: string;
let ask: (method: string, path: string, body?: object) => Promise<Record<string, unknown>>;

beforeAll(async () => {
  const env = { EDGEVERSE_DATA: temporaryFolder(), EDGEVERSE_GATES: "2" };
  const ready = await spawnHost(env, ["--json"], WORKER).ready();
  url = ready.url;
  const headers = { authorization: `Bearer ${ready.adminToken}` };
  ask = async (method, path, body) => {
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    return (await (await fetch(`${url}/admin/v1/${path}`, init)).json()) as Record<string, unknown>;
  };
}, 100_000);

test("[ACC5] a connection that an API key has opened ends when the key is revoked, though nobody uses it", async () => {
  const { key, prefix } = await ask("POST", "keys", { identity: { id: "billing", roles: [] } });
  const client = createClient<typeof Room>({ url, token: String(key) });
  client.connect();
  await until(() => client.status === "open");
  await ask("DELETE", `keys/${prefix}`);
  await until(() => client.status !== "open");
  client.close();
});

test("[LIM4] [CONF4] limits that change while the host runs hold for calls over connections", async () => {
  const client = createClient<typeof Room>({ url, token: "limited" });
  client.connect();
  await until(() => client.status === "open");
  const list = () => client.object("Room", "limited").list(undefined, { timeout: 1_000 });
  for (let each = 0; each < 5; each++) await list();
  const limits = { lists: { per: "client", rate: 0.01, burst: 2, method: "list" } };
  const { version } = await ask("PUT", "config", { document: { limits } });
  await until(async () => (await ask("GET", "config"))["complete"] === true);
  await list();
  await list();
  await expect(list()).rejects.toMatchObject({ code: "RATE_LIMITED" });
  expect(client.status).toBe("open");
  await ask("POST", "config/rollback", { version: Number(version) - 1 });
  await until(async () => (await ask("GET", "config"))["complete"] === true);
  await list();
  client.close();
});

test("[PUSH14] [CLIENT6] clients of a gate that is drained go on at another one, and only they are told of a gap", {
  timeout: 120_000,
}, async () => {
  const users = Array.from({ length: CLIENTS }, (_, index) => busy(url, `user-${index}`));
  const areOpen = () => users.every(({ client }) => client.status === "open");
  await until(areOpen);
  const moving = users.filter(({ client }) => client.clientId?.startsWith("g0.") === true);
  const staying = users.filter((user) => !moving.includes(user));
  expect(Math.min(moving.length, staying.length)).toBeGreaterThan(0);
  const calls = users.map((user) => user.calls());
  expect(await ask("POST", "gates/g0/drain")).toEqual({ name: "g0", state: "draining", version: expect.any(Number) });
  await until(async () => (await ask("GET", "gates/g0"))["clients"] === 0, 90_000);
  await until(() => areOpen() && users.every(({ client }) => client.clientId?.startsWith("g1.")));
  for (const user of users) user.end();
  // No call fails, whichever connection it was made over.
  await Promise.all(calls);
  const { number } = await createClient<typeof Room>({ url, token: "last" })
    .object("Room", "main")
    .say({ text: "end" });
  await until(() => users.every(({ heard, seen }) => heard.at(-1) === number && seen.said === number));
  for (const { heard } of users) expect(heard).toEqual([...new Set(heard)].sort((left, right) => left - right));
  // Those who stay miss nothing: numbers without a hole.
  for (const { heard } of staying) expect(heard).toHaveLength(number - (heard[0] as number) + 1);
  expect(moving.map(({ seen }) => [seen.gaps, seen.errors])).toEqual(moving.map(() => [1, 0]));
  expect(staying.map(({ seen }) => [seen.gaps, seen.errors])).toEqual(staying.map(() => [0, 0]));
  expect(await ask("GET", "gates/g0")).toMatchObject({ clients: 0, counts: { sentAway: moving.length } });
  expect(await ask("GET", "gates/g1")).toMatchObject({ state: "active", clients: CLIENTS });
  for (const { client } of users) client.close();
});
