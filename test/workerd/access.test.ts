import { abortAllDurableObjects, env, SELF } from "cloudflare:test";
import { apiKeys, defineHost } from "edgeverse/cloudflare";
import { describe, expect, test } from "vitest";
import { Counter } from "../../examples/counter.ts";

async function admin(method: string, path: string, body?: object) {
  const headers = { authorization: "Bearer test-admin-token" };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const answer = await SELF.fetch(`http://host/admin/v1/${path}`, init);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** Another isolate of the host, which knows nothing yet. */
const host = () => defineHost({ objects: [Counter], authenticate: apiKeys(), admin: { viewer: ["support"] } });
const bearer = (key: unknown) => ({ headers: { authorization: `Bearer ${key}` } });
const request = (key: unknown, path = "/") => new Request(`http://host${path}`, bearer(key));
const context = { waitUntil: () => undefined };

describe("in workerd", () => {
  test("[ACC5] a key that the coordinator keeps is known to every isolate, across its restarts, until it is revoked", async () => {
    const identity = { id: "billing", roles: ["support"], claims: { tenant: "t1" } };
    const made = await admin("POST", "keys", { identity, name: "invoices", expiresIn: "1d" });
    expect(made.status).toBe(201);
    const { key, prefix } = made.body;
    expect(await host().authenticate(env, request(key))).toEqual(identity);
    await abortAllDurableObjects();
    const known = host();
    expect(await known.authenticate(env, request(key))).toEqual(identity);
    expect((await known.fetch(request(key, "/admin/v1/cluster"), env, context))?.status).toBe(200);
    expect((await known.fetch(request(`${key}`.slice(0, -1), "/admin/v1/cluster"), env, context))?.status).toBe(401);
    const { keys } = (await admin("GET", "keys")).body as { keys: object[] };
    expect(keys[0]).toMatchObject({ prefix, name: "invoices", lastUsed: new Date().toISOString().slice(0, 10) });
    expect((await admin("DELETE", `keys/${prefix}`)).body).toMatchObject({ state: "revoked" });
    await expect(host().authenticate(env, request(key))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    // Within its 30 s, a router goes by what it was told.
    expect(await known.authenticate(env, request(key))).toEqual(identity);
  });
});
