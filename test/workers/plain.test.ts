import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningWorker, startWorker } from "./start-worker.ts";

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startWorker("plain");
});
afterAll(() => worker?.dispose());

const get = async (path: string) => {
  const answer = await worker.fetch(`http://plain.test${path}`);
  return [answer.status, await answer.text()] as const;
};

test("[HOST1] without a base path the host answers its own paths and leaves every other one", async () => {
  const call = await worker.fetch("http://plain.test/api/v1/objects/call/Counter/a/add", {
    method: "POST",
    body: '{"request":{"by":2}}',
  });
  expect(await call.json()).toEqual({ response: { value: 2 } });
  expect(await get("/healthz")).toEqual([200, '{"status":"ok"}']);
  expect((await get("/api/v1/openapi.json"))[0]).toBe(200);
  expect((await get("/api/v1/objects/nothing"))[0]).toBe(404);
  for (const path of ["/", "/api", "/api/v1/users", "/admin", "/healthz/", "/%68ealthz", "//healthz", "/%zz"]) {
    expect([path, ...(await get(path))]).toEqual([path, 200, "mine"]);
  }
});
