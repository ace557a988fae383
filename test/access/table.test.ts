import { afterEach, describe, expect, test } from "vitest";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import type { CallRecord } from "../../src/reliable/call-record.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import { outcome, PEOPLE, Thief, Vault, vaults } from "./vault-fixture.ts";

/** What becomes of a call of `Vault/ann`, by its method and by who calls. `inner`: objects and the Worker's own code. */
const TABLE = {
  open: { anonymous: "ran", ann: "ran", bob: "ran", root: "ran", inner: "ran" },
  any: { anonymous: "UNAUTHENTICATED", ann: "ran", bob: "ran", root: "ran", inner: "ran" },
  play: { anonymous: "UNAUTHENTICATED", ann: "ran", bob: "ran", root: "ACCESS_DENIED", inner: "ran" },
  mine: { anonymous: "UNAUTHENTICATED", ann: "ran", bob: "ACCESS_DENIED", root: "ACCESS_DENIED", inner: "ran" },
  manage: { anonymous: "UNAUTHENTICATED", ann: "ACCESS_DENIED", bob: "ACCESS_DENIED", root: "ran", inner: "ran" },
  mineOrAdmin: { anonymous: "UNAUTHENTICATED", ann: "ran", bob: "ACCESS_DENIED", root: "ran", inner: "ran" },
  hidden: {
    anonymous: "METHOD_NOT_FOUND",
    ann: "METHOD_NOT_FOUND",
    bob: "METHOD_NOT_FOUND",
    root: "METHOD_NOT_FOUND",
    inner: "ran",
  },
  closed: {
    anonymous: "ACCESS_DENIED",
    ann: "ACCESS_DENIED",
    bob: "ACCESS_DENIED",
    root: "ACCESS_DENIED",
    inner: "ACCESS_DENIED",
  },
  outside: { anonymous: "ran", ann: "ran", bob: "ran", root: "ran", inner: "ACCESS_DENIED" },
  inside: {
    anonymous: "ACCESS_DENIED",
    ann: "ACCESS_DENIED",
    bob: "ACCESS_DENIED",
    root: "ACCESS_DENIED",
    inner: "ran",
  },
} as const;
type Method = keyof typeof TABLE;
type Person = "anonymous" | "ann" | "bob" | "root";
const METHODS = Object.keys(TABLE) as Method[];
const ALL_PEOPLE = Object.keys(PEOPLE) as Person[];

let made: ReturnType<typeof vaults> | undefined;
afterEach(() => made?.cluster.stop());
function setUp() {
  made = vaults();
  return made;
}
type Parts = ReturnType<typeof vaults>;

type Methods = Record<string, (request?: unknown) => Promise<unknown>>;

/** How a client calls. */
const CLIENTS: Readonly<
  Record<string, (parts: Parts, person: Person, method: Method, id: string) => Promise<unknown>>
> = {
  "over HTTP": async ({ post }, person, method, id) => {
    const { body } = await post(`/api/v1/objects/call/Vault/${id}/${method}`, person);
    return body.response ?? body.code;
  },
  "over HTTP, reliably": async ({ post }, person, method, id) => {
    const key = { "idempotency-key": `${person}-${method}` };
    const { body } = await post(`/api/v1/objects/call/Vault/${id}/${method}`, person, {}, key);
    return body.response ?? body.code;
  },
  "over HTTP, without waiting": async ({ post, cluster }, person, method, id) => {
    const headers = { "idempotency-key": `${person}-${method}-later`, prefer: "respond-async" };
    const { status, body } = await post(`/api/v1/objects/call/Vault/${id}/${method}`, person, {}, headers);
    await cluster.clock.advance(10);
    return status === 202 ? "ran" : body.code;
  },
  "in a batch": async ({ post }, person, method, id) => {
    const { body } = await post("/api/v1/objects/batch", person, { calls: [{ type: "Vault", id, method }] });
    const [result] = body.results ?? [];
    return result?.response ?? result?.error?.code ?? body.code;
  },
  "in a batch, reliably": async ({ post }, person, method, id) => {
    const calls = [{ type: "Vault", id, method, callId: `${person}-${method}-batch` }];
    const { body } = await post("/api/v1/objects/batch", person, { calls });
    const [result] = body.results ?? [];
    return result?.response ?? result?.error?.code ?? body.code;
  },
  "through the Worker's own code": ({ cluster }, person, method, id) => {
    const identity = PEOPLE[person] ?? null;
    return outcome((cluster.object(Vault, id, { identity }) as unknown as Methods)[method]?.() as Promise<unknown>);
  },
  "by a row of the log that says who made it": async (parts, person, method, id) => {
    const identity = PEOPLE[person] ?? undefined;
    return byRow(parts, method, id, { kind: "client", ...(identity === undefined ? {} : { identity }) });
  },
};

/** How an object calls, or the Worker's own code for itself. The objects act for somebody who may do nothing. */
const INNER: Readonly<Record<string, (parts: Parts, method: Method, id: string) => Promise<unknown>>> = {
  "the Worker's own code": ({ cluster }, method, id) =>
    outcome((cluster.object(Vault, id) as unknown as Methods)[method]?.() as Promise<unknown>),
  "an object beside it": (parts, method, id) => thief(parts, "near", "ask", method, id),
  "an object on another partition": (parts, method, id) => thief(parts, "far", "ask", method, id),
  "an object beside it, reliably": (parts, method, id) => thief(parts, "near", "askReliably", method, id),
  "an object on another partition, reliably": (parts, method, id) => thief(parts, "far", "askReliably", method, id),
  "a transaction": (parts, method, id) => thief(parts, "shard", "take", method, id),
  "the outbox of an object beside it": (parts, method, id) => thief(parts, "near", "send", method, id),
  "the outbox of an object elsewhere": (parts, method, id) => thief(parts, "far", "send", method, id),
  "a reminder of its own": async ({ cluster }, method, id) => {
    const set = await outcome(cluster.object(Vault, id, { identity: null }).remindMe({ method }));
    await cluster.clock.advance(3_000);
    return set;
  },
  "a row of the log": (parts, method, id) => byRow(parts, method, id, null),
};

async function thief(
  parts: Parts,
  where: string,
  way: keyof (typeof Thief)["methods"],
  method: Method,
  id: string,
): Promise<unknown> {
  const { cluster } = parts;
  const home = cluster.ownerOf(Vault, id);
  const names = Array.from({ length: 60 }, (_, index) => `t${index}`);
  const near = names.find((name) => cluster.ownerOf(Thief, name) === home) as string;
  const far = names.find((name) => cluster.ownerOf(Thief, name) !== home) as string;
  const from = where === "shard" ? id.replace(/[^/]*$/, "thief") : where === "near" ? near : far;
  const answer = await outcome(
    cluster.object(Thief, from, { identity: { id: "nobody", roles: [] } })[way]({ to: id, method }),
  );
  await cluster.clock.advance(3_000);
  return answer;
}

async function byRow({ cluster, maintenance }: Parts, method: Method, id: string, caller: object | null) {
  const callId = `row-${JSON.stringify(caller)}-${method}`.replaceAll(/[^\w-]/g, "");
  const row: CallRecord = {
    callId,
    type: "Vault",
    id,
    shard: 0,
    method,
    request: null,
    requestHash: "",
    status: "pending",
    response: null,
    error: null,
    caller: caller === null ? null : JSON.stringify(caller),
    traceId: null,
    attempts: 1,
    epoch: 0,
    acceptedAt: 0,
    finishedAt: null,
    expiresAt: null,
  };
  await cluster.log.write([row]);
  await cluster.clock.until(maintenance.reconcile());
  await cluster.clock.advance(2_000);
  const ended = await cluster.log.find("Vault", id, callId);
  return ended?.status === "success" ? "ran" : ended?.error?.code;
}

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
