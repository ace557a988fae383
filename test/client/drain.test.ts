import { join } from "node:path";
import { createClient } from "edgeverse/client";
import { afterAll, expect, test } from "vitest";
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
    for (; !ended; await new Promise((resolve) => setTimeout(resolve, 50)))
      await client.object("Room", "main").say({ text: name }, { reliable: true });
  };
  return { client, heard, seen, calls, end: () => (ended = true) };
}

test("[PUSH14] [CLIENT6] clients of a gate that is drained go on at another one, and only they are told of a gap", {
  timeout: 120_000,
}, async () => {
  const env = { EDGEVERSE_DATA: temporaryFolder(), EDGEVERSE_GATES: "2" };
  const { url, adminToken } = await spawnHost(env, ["--json"], WORKER).ready();
  const ask = async (path: string, method = "GET") => {
    const headers = { authorization: `Bearer ${adminToken}` };
    return (await (await fetch(`${url}/admin/v1/gates/${path}`, { method, headers })).json()) as Record<
      string,
      unknown
    >;
  };
  const users = Array.from({ length: CLIENTS }, (_, index) => busy(url, `user-${index}`));
  const areOpen = () => users.every(({ client }) => client.status === "open");
  await until(areOpen);
  const moving = users.filter(({ client }) => client.clientId?.startsWith("g0.") === true);
  const staying = users.filter((user) => !moving.includes(user));
  expect(Math.min(moving.length, staying.length)).toBeGreaterThan(0);
  const calls = users.map((user) => user.calls());
  expect(await ask("g0/drain", "POST")).toEqual({ name: "g0", state: "draining", version: 1 });
  await until(async () => (await ask("g0"))["drained"] === true, 90_000);
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
  expect(await ask("g0")).toMatchObject({ clients: 0, sessions: 0, counts: { sentAway: moving.length } });
  expect(await ask("g1")).toMatchObject({ state: "active", clients: CLIENTS });
  for (const { client } of users) client.close();
});
