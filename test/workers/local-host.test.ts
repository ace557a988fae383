import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { fireScheduled } from "../../local/control-client.ts";
import { cleanUp, getText, spawnHost, temporaryFolder } from "../local/host-process.ts";

afterEach(cleanUp);

const start = async (app: string) => {
  const data = temporaryFolder();
  const config = join(import.meta.dirname, app, "wrangler.toml");
  const { url } = await spawnHost({ EDGEVERSE_DATA: data }, ["--json"], ["--config", config, "--no-postgres"]).ready();
  return { url, socket: join(data, "run/control.sock") };
};
const call = async (url: string) => (await fetch(url, { method: "POST", body: '{"request":{"by":2}}' })).json();

test("`npm start` serves a hono app with a host below a base path, whatever its own routes answer", async () => {
  const { url } = await start("mounted");
  expect(await getText(`${url}/healthz`)).toBe("ill");
  expect(await call(`${url}/edge/api/v1/objects/call/Counter/a/add`)).toEqual({ response: { value: 2 } });
});

test("`npm start` serves a Worker that is a class, and fires its crons", async () => {
  const { url, socket } = await start("plain");
  expect(await getText(`${url}/any`)).toBe("mine");
  for (const cron of ["7 * * * *", "*/5 * * * *"]) await fireScheduled(socket, { cron, scheduledTime: 0 });
  expect(await call(`${url}/api/v1/objects/call/Counter/cron/add`)).toEqual({ response: { value: 3 } });
});
