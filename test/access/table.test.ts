import { afterEach, describe, expect, test } from "vitest";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import { ALL_PEOPLE, METHODS, type Method, TABLE } from "./access-table.ts";
import { CLIENTS, INNER } from "./transports.ts";
import { Vault, vaults } from "./vault-fixture.ts";

let made: ReturnType<typeof vaults> | undefined;
afterEach(() => made?.cluster.stop());
function setUp() {
  made = vaults();
  return made;
}

type Parts = ReturnType<typeof vaults>;
type Methods = Record<string, (request?: unknown) => Promise<unknown>>;

/** Whether the method ran, as its object remembers it. */
const ran = async ({ cluster }: Parts, id: string, method: Method) =>
  (await cluster.object(Vault, id).ran()).includes(method);

describe("[ACC1] [ACC3] one table decides about a client that calls", () => {
  test.each(Object.keys(CLIENTS))("%s", { timeout: 120_000 }, async (way) => {
    const parts = setUp();
    for (const method of METHODS) {
      for (const person of ALL_PEOPLE) {
        const answer = await CLIENTS[way]?.(parts, person, method, "ann");
        expect(answer, `${person} calls ${method}`).toBe(TABLE[method][person]);
      }
      const any = ALL_PEOPLE.some((person) => TABLE[method][person] === "ran");
      expect(await ran(parts, "ann", method), method).toBe(any);
    }
  });
});

describe("[ACC1] the same table decides about what calls from inside", () => {
  test.each(Object.keys(INNER))("%s", { timeout: 120_000 }, async (way) => {
    const parts = setUp();
    const id = way === "a transaction" ? "shard#3/ann" : "ann";
    for (const method of METHODS) {
      const answer = await INNER[way]?.(parts, method, id);
      expect(answer, method).toBe(TABLE[method].inner);
      expect(await ran(parts, id, method), method).toBe(TABLE[method].inner === "ran");
    }
  });
});

describe("a refusal", () => {
  test("[ACC1] [OBJ1] guesses no internal method for a client, however it calls", async () => {
    const { post } = setUp();
    const call = await post("/api/v1/objects/call/Vault/ann/hiden", "root");
    const batch = await post("/api/v1/objects/batch", "root", {
      calls: [{ type: "Vault", id: "ann", method: "hiden" }],
    });
    const told = JSON.stringify([call.body, batch.body]);
    expect(told.match(/METHOD_NOT_FOUND/g)?.length).toBeGreaterThanOrEqual(2);
    expect(told).not.toContain("hidden");
  });

  test("[ACC1] is the same whether the object is there or not", async () => {
    const { post, cluster } = setUp();
    await cluster.object(Vault, "there").open();
    const answers = await Promise.all(
      ["there", "nowhere"].flatMap((id) =>
        ["play", "mine", "closed", "manage"].map(async (method) => {
          const { status, body } = await post(`/api/v1/objects/call/Vault/${id}/${method}`, "root");
          return JSON.stringify({ status, body: { ...body, requestId: "" } });
        }),
      ),
    );
    expect(answers.slice(0, 4)).toEqual(answers.slice(4));
  });

  test("[ACC3] says how to authenticate where that would help, and why it is refused where not", async () => {
    const { post } = setUp();
    const unknown = await post("/api/v1/objects/call/Vault/ann/play", "anonymous");
    expect([unknown.status, unknown.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="edgeverse"']);
    const { status, body, headers } = await post("/api/v1/objects/call/Vault/ann/mineOrAdmin", "bob");
    expect([status, headers.get("www-authenticate")]).toEqual([403, null]);
    expect(body.detail).toBe(
      "This client may not call Vault.mineOrAdmin: it is for the object's owner, or the role admin",
    );
  });

  test("[ACC1] says what the class may say, where nothing is said", async () => {
    class Silent extends VirtualObject {
      static override readonly type = "Silent";
      static override readonly methods = { ping: method() };
      ping() {}
    }
    const cluster = new TestCluster({ objects: [Silent] });
    await expect(cluster.object(Silent, "s", { identity: null }).ping()).rejects.toThrow(
      /such as { anonymous: true }$/,
    );
    const deleted = cluster.delete(Silent, "s", { identity: null });
    await expect(deleted).rejects.toThrow(/such as { delete: { roles: \["admin"\] } }$/);
  });

  test("[ACC1] comes before the request is looked at, and of a call that ran as well", async () => {
    const { post } = setUp();
    expect((await post("/api/v1/objects/call/Vault/ann/manage", "ann", { request: { not: "fit" } })).status).toBe(403);
    const key = { "idempotency-key": "k" };
    expect((await post("/api/v1/objects/call/Vault/ann/mine", "ann", {}, key)).body.response).toBe("ran");
    expect((await post("/api/v1/objects/call/Vault/ann/mine", "bob", {}, key)).body.code).toBe("ACCESS_DENIED");
  });

  test("[ACC1] also hides where a call stands", async () => {
    const { http, post, cluster } = setUp();
    await post("/api/v1/objects/call/Vault/ann/open", "anonymous", {}, { "idempotency-key": "open" });
    await (cluster.object(Vault, "ann", { callId: "hidden" }) as unknown as Methods)["hidden"]?.();
    await cluster.object(Vault, "ann", { callId: "mine" }).mine();
    const status = async (callId: string, person: string) => {
      const headers: Record<string, string> = person === "anonymous" ? {} : { authorization: person };
      const request = new Request(`http://host/api/v1/objects/calls/Vault/ann/${callId}`, { headers });
      return (await cluster.clock.until(http(request))).status;
    };
    expect([await status("open", "anonymous"), await status("open", "bob")]).toEqual([200, 200]);
    expect([await status("hidden", "ann"), await status("mine", "bob"), await status("mine", "ann")]).toEqual([
      404, 404, 200,
    ]);
  });
});
