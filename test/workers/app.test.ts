import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningWorker, startWorker } from "./start-worker.ts";

let worker: RunningWorker;
beforeAll(async () => {
  worker = await startWorker("app");
});
afterAll(() => worker?.dispose());

const fetch = (path: string, init?: RequestInit & { redirect?: "manual" }) =>
  worker.fetch(`http://shop.test${path}`, init as never);
const post = async (path: string) => (await fetch(path, { method: "POST" })).json();
const tallyOf = async (name: string) => ((await (await fetch(`/read/${name}`)).json()) as { value: number }).value;

/** The tally's value once it is `expected`; what it was last if it is not for 10 s. */
async function eventually(name: string, expected: number): Promise<number> {
  for (let tries = 0; tries < 100 && (await tallyOf(name)) < expected; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return tallyOf(name);
}

describe("a host in a hono app, below a base path", () => {
  test("[HOST1] the app's routes and bindings work beside it, and its middleware sees every answer", async () => {
    expect(await (await fetch("/")).text()).toBe("the shop");
    expect(await (await fetch("/healthz")).text()).toBe("the shop is open");
    await fetch("/links/docs", { method: "PUT", body: "https://docs.test/" });
    const link = await fetch("/links/docs", { redirect: "manual" });
    expect([link.status, link.headers.get("location")]).toEqual([302, "https://docs.test/"]);
    expect(await tallyOf("docs")).toBe(1);

    const call = await fetch("/edge/api/v1/objects/call/Tally/docs/add", {
      method: "POST",
      body: '{"request":{"by":2}}',
    });
    expect([call.status, await call.json(), call.headers.get("x-app")]).toEqual([
      200,
      { response: { value: 3 } },
      "shop",
    ]);
  });

  test("[HOST1] what is not below the base path is the app's to refuse, what is below it the host's", async () => {
    for (const path of [
      "/nothing",
      "/api/v1/objects/call/Tally/docs/read",
      "/admin/v1/cluster",
      "/edgeless",
      "/%65dge/healthz",
    ]) {
      const answer = await fetch(path);
      expect([path, answer.status, await answer.text()]).toEqual([path, 404, "404 Not Found"]);
    }
    expect(await (await fetch("/edge")).json()).toMatchObject({ name: "Edgeverse" });
    const answer = await fetch("/edge/nothing");
    expect([answer.status, await answer.json()]).toMatchObject([404, { code: "NOT_FOUND" }]);
    const headers = { authorization: "Bearer shop-admin-token" };
    expect((await fetch("/edge/admin/v1/cluster", { headers })).status).toBe(200);
  });

  test("[HTTP8] the place of an accepted call can be followed", async () => {
    const headers = { "idempotency-key": "k-1", prefer: "respond-async" };
    const path = "/edge/api/v1/objects/call/Tally/followed/add";
    const accepted = await fetch(path, { method: "POST", headers, body: '{"request":{"by":4}}' });
    expect(accepted.status).toBe(202);
    expect(await eventually("followed", 4)).toBe(4);
    const outcome = await fetch(accepted.headers.get("location") as string);
    expect(await outcome.json()).toMatchObject({ status: "success", response: { value: 4 } });
  });
});

describe("objects called by the Worker's own code", () => {
  test("[HOST2] from a route: on behalf of whom the app says, with errors as in an object", async () => {
    const me = await fetch("/me/ann", { headers: { "x-user": "ann" } });
    expect(await me.json()).toEqual({ kind: "client", identity: { id: "ann", roles: ["customer"] } });
    expect(await post("/refuse/ann")).toEqual({
      code: "CALL_FAILED",
      reason: "CLOSED",
      details: { since: "yesterday" },
    });
    expect(await post("/lifecycle/shortlived")).toEqual({ created: [true, false], value: 8, after: 0 });
  });

  test("[HOST2] from another Durable Object and from another entry point: it is the same object", async () => {
    expect(await post("/rooms/shared")).toEqual({ value: 1 });
    expect(await post("/inside/shared")).toEqual({ value: 2 });
    expect(await post("/rooms/shared")).toEqual({ value: 3 });
    expect(await (await fetch("/read/shared")).json()).toEqual({ value: 3, kinds: ["worker", "worker", "worker"] });
  });

  test("[HOST2] with an env that is another one at each request", async () => {
    for (let value = 1; value <= 3; value++) expect(await post("/copied/copied")).toEqual({ value });
  });

  test("[HOST2] from a queue", async () => {
    await fetch("/jobs/queued", { method: "POST" });
    await fetch("/jobs/queued", { method: "POST" });
    expect(await eventually("queued", 2)).toBe(2);
  });

  test("[HOST2] from a Workflow", async () => {
    await post("/orders/ordered");
    expect(await eventually("ordered", 1)).toBe(1);
  });
});

describe("cron", () => {
  test("[HOST3] the app's own is its own, and the host's are told by their expressions", async () => {
    for (const cron of ["*/5 * * * *", "*/10 * * * *", "7 * * * *", "23 3 * * *"]) {
      const fired = await fetch(`/cdn-cgi/local/scheduled?${new URLSearchParams({ cron, format: "json" })}`);
      expect([cron, await fired.json()]).toMatchObject([cron, { outcome: "ok" }]);
    }
    expect(await tallyOf("cron")).toBe(1);
  });
});
