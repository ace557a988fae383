import {
  abortAllDurableObjects,
  createExecutionContext,
  createScheduledController,
  env,
  evictAllDurableObjects,
  runDurableObjectAlarm,
  SELF,
} from "cloudflare:test";
import { defineHost } from "edgeverse/cloudflare";
import { describe, expect, test, vi } from "vitest";
import { Counter } from "../../examples/counter.ts";
import worker from "./worker.ts";

async function call(type: string, id: string, name: string, request?: unknown, headers: Record<string, string> = {}) {
  const url = `http://host/api/v1/objects/call/${type}/${encodeURIComponent(id)}/${name}`;
  const body = request === undefined ? "{}" : JSON.stringify({ request });
  const answer = await SELF.fetch(url, { method: "POST", body, headers });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown>, headers: answer.headers };
}

async function admin(path: string, init: RequestInit = {}) {
  const answer = await SELF.fetch(`http://host/admin/v1/${path}`, {
    ...init,
    headers: { authorization: "Bearer test-admin-token" },
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

describe("in workerd", () => {
  test("[TURN3] an acknowledged call survives the end of its Durable Object", async () => {
    for (let round = 1; round <= 5; round++) {
      expect((await call("Counter", "survivor", "add", { by: 1 })).body).toEqual({ response: { value: round } });
      if (round % 2 === 0) await abortAllDurableObjects();
      else await evictAllDurableObjects();
    }
    expect((await call("Counter", "survivor", "get")).body).toEqual({ response: { value: 5 } });
  });

  test("[TURN3] a Durable Object that ends in mid-call shows no half turn", async () => {
    const slow = call("Slow", "half", "work", { ms: 300 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await abortAllDurableObjects();
    expect((await slow).body).toMatchObject({ code: "UNAVAILABLE" });
    expect((await slow).status).toBe(503);
    expect((await call("Slow", "half", "done")).body).toEqual({ response: { done: 0 } });
  });

  test("[HTTP12] what the platform marks as retryable when a Durable Object ends is sent again, where that is safe", async () => {
    const calls = [
      call("Slow", "marked", "look", { ms: 300 }),
      call("Slow", "marked", "work", { ms: 300 }, { "idempotency-key": "marked-1" }),
    ];
    await new Promise((resolve) => setTimeout(resolve, 150));
    await abortAllDurableObjects();
    for (const answer of calls) expect((await answer).status).toBe(200);
    expect((await call("Slow", "marked", "done")).body).toEqual({ response: { done: 1 } });
  });

  test("[OBJ7] an object reaches the bindings of its Worker", async () => {
    expect((await call("Slow", "bound", "partitions")).body).toEqual({
      response: { bound: "p0", token: "test-admin-token" },
    });
  });

  test("[CALL3] a reliable call is resumed after its Durable Object ended, by the alarm, and runs to effect once", async () => {
    const headers = { "idempotency-key": "resumed-1", prefer: "respond-async" };
    const accepted = await call("Slow", "resumed", "work", { ms: 200 }, headers);
    expect(accepted.status).toBe(202);
    await abortAllDurableObjects();
    for (const name of ["p0", "p1", "p2"]) await runDurableObjectAlarm(env.PARTITION.getByName(name));
    const location = accepted.headers.get("location") ?? "";
    for (let tries = 0; tries < 50; tries++) {
      const status = (await (await SELF.fetch(`http://host${location}`)).json()) as { status: string };
      if (status.status === "success") break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await call("Slow", "resumed", "done")).body).toEqual({ response: { done: 1 } });
    const replay = await call("Slow", "resumed", "work", { ms: 200 }, { "idempotency-key": "resumed-1" });
    expect(replay.body).toEqual({ response: { done: 1 } });
    expect(replay.headers.get("idempotency-replayed")).toBe("true");
  });

  test("[MAP3] objects of every partition are reached, and each call finds its state", async () => {
    for (let index = 0; index < 30; index++) await call("Counter", `spread-${index}`, "add", { by: index });
    const owners = new Set<unknown>();
    for (let index = 0; index < 30; index++) {
      expect((await call("Counter", `spread-${index}`, "get")).body).toEqual({ response: { value: index } });
      owners.add((await admin(`objects/Counter/spread-${index}`)).body["partition"]);
    }
    expect([...owners].sort()).toEqual(["p0", "p1", "p2"]);
  });

  test("[CALL5][CALL9] outcomes reach Postgres; cron and the admin API look after them", async () => {
    for (let index = 0; index < 5; index++) {
      await call("Wallet", "logged", "deposit", { amount: 1 }, { "idempotency-key": `log-${index}` });
    }
    await call("Wallet", "logged", "withdraw", { amount: 100 }, { "idempotency-key": "log-refused" });
    let calls: { status: string }[] = [];
    for (let tries = 0; tries < 30 && calls.length < 6; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      calls = (await admin("calls?type=Wallet&id=logged")).body["calls"] as { status: string }[];
    }
    expect(calls.map(({ status }) => status).sort()).toEqual([
      "failed",
      "success",
      "success",
      "success",
      "success",
      "success",
    ]);
    for (const cron of ["7 * * * *", "23 3 * * *"]) {
      await worker.scheduled(createScheduledController({ cron }), env, createExecutionContext());
    }
    expect(((await admin("calls?type=Wallet&id=logged")).body["calls"] as unknown[]).length).toBe(6);
  });

  test("[CALL11] a host reconciles when the Worker's own code asks it to", async () => {
    const report = await defineHost({ objects: [Counter] }).reconcile(env);
    expect(report).toMatchObject({ driven: 0, left: 0, silent: [], complete: true });
  });

  test("[HOST3] a cron that is for nothing is said to be so by a Worker that has nothing else", async () => {
    const warnings = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await worker.scheduled(createScheduledController({ cron: "*/9 * * * *" }), env, createExecutionContext());
    expect(warnings.mock.calls.flat().join()).toContain('"cron":"*/9 * * * *"');
    warnings.mockClear();
    await defineHost({ objects: [Counter] }).scheduled({ cron: "*/9 * * * *" }, env, createExecutionContext());
    expect(warnings).not.toHaveBeenCalled();
    warnings.mockRestore();
  });

  test("[CONF1] an env without what a host needs is refused by name, and only where the host is asked", async () => {
    const host = defineHost({ objects: [Counter] });
    const { PARTITION, COORDINATOR } = env;
    const ctx = createExecutionContext();
    const ask = (path: string, bindings: object) =>
      host.fetch(new Request(`http://host${path}`), bindings as never, ctx);
    expect(await ask("/mine", {})).toBeUndefined();
    await expect(ask("/healthz", { COORDINATOR })).rejects.toThrow("no Durable Object binding PARTITION");
    await expect(ask("/healthz", { PARTITION, COORDINATOR: "c" })).rejects.toThrow(
      "no Durable Object binding COORDINATOR",
    );
    await expect(ask("/healthz", { PARTITION, COORDINATOR, EDGEVERSE_SHARDS: "3" })).rejects.toThrow(
      "EDGEVERSE_SHARDS",
    );
    expect((await ask("/healthz", { PARTITION, COORDINATOR }))?.status).toBe(200);
  });

  test("environments with other settings are kept apart", async () => {
    const host = defineHost({ objects: [Counter] });
    const open = { ...env, EDGEVERSE_ADMIN_TOKEN: "another" };
    const status = async (bindings: typeof env, token: string) => {
      const request = new Request("http://host/admin/v1/cluster", { headers: { authorization: `Bearer ${token}` } });
      return (await host.fetch(request, bindings, createExecutionContext()))?.status;
    };
    expect(await status(env, "test-admin-token")).toBe(200);
    expect(await status(open, "test-admin-token")).toBe(401);
    expect(await status(open, "another")).toBe(200);
    expect(await status(env, "another")).toBe(401);
  });

  test("nothing internal answers a client, and without a token there is no admin API", async () => {
    for (const path of ["/partition", "/rpc", "/p0/call", "/__scheduled", "/cdn-cgi/handler/scheduled"]) {
      expect((await SELF.fetch(`http://host${path}`)).status).toBe(404);
    }
    expect((await SELF.fetch("http://host/admin/v1/cluster")).status).toBe(401);
  });
});
