import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { fireScheduled } from "../../local/control-client.ts";
import { cleanUp, getText, spawnHost, temporaryFolder } from "../local/host-process.ts";

afterEach(cleanUp);

const start = async (app: string) => {
  const data = temporaryFolder();
  const config = join(import.meta.dirname, app, "wrangler.toml");
  const host = spawnHost({ EDGEVERSE_DATA: data }, ["--json"], ["--config", config, "--no-postgres"]);
  const { url, adminToken } = await host.ready();
  return { url, adminToken, socket: join(data, "run/control.sock") };
};
const call = async (url: string) => (await fetch(url, { method: "POST", body: '{"request":{"by":2}}' })).json();

test("`npm start` serves a hono app with a host below a base path, whatever its own routes answer", async () => {
  const { url, adminToken } = await start("mounted");
  expect(await getText(`${url}/healthz`)).toBe("ill");
  expect(await call(`${url}/edge/api/v1/objects/call/Counter/a/add`)).toEqual({ response: { value: 2 } });
  await clientGone(`${url}/edge`, adminToken);
});

/** [TURN12] What waits is dropped when its client has gone. workerd notices a connection that was reset, not one that was closed. */
async function clientGone(base: string, adminToken: string) {
  const door = (id: string, name: string) =>
    fetch(`${base}/api/v1/objects/call/Door/${id}/${name}`, { method: "POST" });
  const view = async (path: string) => {
    const answer = await fetch(`${base}/admin/v1/${path}`, { headers: { authorization: `Bearer ${adminToken}` } });
    return (await answer.json()) as { waitingTurns?: number; inMemory?: boolean };
  };
  const waiting = async () => (await view("partitions/p0")).waitingTurns;
  const held = door("a", "hold");
  await expect.poll(async () => (await view("objects/Door/a")).inMemory, { timeout: 10_000 }).toBe(true);
  const { hostname, port } = new URL(base);
  const client = connect(Number(port), hostname);
  const batch = JSON.stringify({ calls: [1, 2].map(() => ({ type: "Door", id: "a", method: "pass" })) });
  const request = (path: string, body: string) =>
    `POST /edge/api/v1/objects/${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const other = connect(Number(port), hostname);
  for (const socket of [client, other]) socket.on("error", () => undefined);
  client.write(request("call/Door/a/pass", "{}"));
  other.write(request("batch", batch));
  await expect.poll(waiting, { timeout: 10_000 }).toBe(3);
  client.resetAndDestroy();
  await expect.poll(waiting, { timeout: 10_000 }).toBe(2);
  other.resetAndDestroy();
  await expect.poll(waiting, { timeout: 10_000 }).toBe(0);
  await door("b", "open");
  expect((await held).status).toBe(200);
  expect(await (await door("a", "passed")).json()).toEqual({ response: 0 });
}

test("`npm start` serves a Worker that is a class, and fires its crons", async () => {
  const { url, socket } = await start("plain");
  expect(await getText(`${url}/any`)).toBe("mine");
  for (const cron of ["7 * * * *", "*/5 * * * *"]) await fireScheduled(socket, { cron, scheduledTime: 0 });
  expect(await call(`${url}/api/v1/objects/call/Counter/cron/add`)).toEqual({ response: { value: 3 } });
});
