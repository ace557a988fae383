import { describe, expect, test } from "vitest";
import type { Identity } from "../../src/access/identity.ts";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { type Authenticator, authentication } from "../../src/http/authentication.ts";
import { ManualClock } from "../../src/testing/clocks.ts";
import { codeOf, httpFixture } from "./http-fixture.ts";

const CALL = "/api/v1/objects/call/Counter/a/add";
const ann: Identity = { id: "ann", roles: ["player"] };

/** Knows `Bearer <id>` of ids that begin with a letter; refuses those that begin with "bad". */
const byName: Authenticator = (request) => {
  const [, id] = /^Bearer ([a-z]+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
  if (id?.startsWith("bad")) throw new EdgeverseError("UNAUTHENTICATED", "Bad credentials");
  return id === undefined ? undefined : { id, roles: ["player"] };
};

function setUp(...authenticators: Authenticator[]) {
  const clock = new ManualClock();
  const http = httpFixture({ authenticate: authentication(authenticators, { KEY: "k" }, clock) });
  /** Who the partition was told calls. */
  const caller = async (headers: Record<string, string> = {}) => {
    const response = await http.post(CALL, { request: { by: 1 } }, headers);
    if (response.status !== 200) throw new Error(await codeOf(response));
    return [...http.partitions.values()].flatMap((partition) => partition.messages).at(-1)?.caller;
  };
  return { http, clock, caller };
}

describe("who calls over HTTP", () => {
  test("[ACC2] is the identity that the first authenticator gives which knows the credentials", async () => {
    const { caller } = setUp(
      () => undefined,
      byName,
      () => ({ id: "last", roles: [] }),
    );
    expect(await caller({ authorization: "Bearer ann" })).toEqual({ kind: "client", identity: ann });
    expect(await caller({ authorization: "Basic x" })).toEqual({ kind: "client", identity: { id: "last", roles: [] } });
  });

  test("[ACC2] is an anonymous client without credentials, or without authenticators", async () => {
    expect(await setUp(byName).caller()).toEqual({ kind: "client" });
    expect(await setUp().caller({ authorization: "Bearer ann" })).toEqual({ kind: "client" });
  });

  test("[ACC2] is nobody with credentials that are bad, or that no authenticator knows", async () => {
    const { http } = setUp(byName);
    for (const authorization of ["Bearer badann", "Bearer 7", "Basic YTpi", "nonsense"]) {
      const response = await http.post(CALL, { request: { by: 1 } }, { authorization });
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="edgeverse"');
      expect(await codeOf(response)).toBe("UNAUTHENTICATED");
    }
    expect([...http.partitions.values()].flatMap((partition) => partition.messages)).toEqual([]);
  });

  test("[ACC2] is not who a header or a body says", async () => {
    const { caller, http } = setUp(byName);
    const spoofed = {
      "x-client-id": "root",
      "x-user": "root",
      "x-forwarded-user": "root",
      "edgeverse-identity": '{"id":"root","roles":["admin"]}',
      "edgeverse-caller": '{"kind":"system"}',
      "x-goverse-auth": '{"id":"root"}',
    };
    expect(await caller(spoofed)).toEqual({ kind: "client" });
    expect(await caller({ ...spoofed, authorization: "Bearer ann" })).toEqual({ kind: "client", identity: ann });
    for (const body of [{ identity: ann }, { caller: { kind: "system" } }, { request: { by: 1 }, identity: ann }])
      expect(await codeOf(await http.post(CALL, body))).toBe("INVALID_ARGUMENT");
    const item = { type: "Counter", id: "a", method: "add", request: { by: 1 }, caller: { kind: "system" } };
    const batch = await http.post("/api/v1/objects/batch", { calls: [item] });
    expect(await batch.json()).toMatchObject({ results: [{ error: { code: "INVALID_ARGUMENT" } }] });
  });

  test("[ACC2] is the same for a batch, a create and a delete", async () => {
    const { http } = setUp(byName);
    const headers = { authorization: "Bearer ann" };
    const calls = [{ type: "Counter", id: "a", method: "add", request: { by: 1 } }];
    expect((await http.post("/api/v1/objects/batch", { calls }, headers)).status).toBe(200);
    expect((await http.post("/api/v1/objects/create/Counter/a", {}, headers)).status).toBeLessThan(300);
    expect((await http.post("/api/v1/objects/delete/Counter/a", {}, headers)).status).toBe(200);
    const partitions = [...http.partitions.values()];
    const seen = [...partitions.flatMap((one) => one.messages), ...partitions.flatMap((one) => one.lifecycles)];
    expect(seen.map(({ caller }) => caller)).toEqual(Array(3).fill({ kind: "client", identity: ann }));
    for (const path of ["batch", "create/Counter/a", "delete/Counter/a"]) {
      const bad = { authorization: "Bearer bad" };
      expect(await codeOf(await http.post(`/api/v1/objects/${path}`, { calls }, bad))).toBe("UNAUTHENTICATED");
    }
  });

  test("[ACC2] must fit: an identity that is too large is refused as credentials are", async () => {
    const { http } = setUp(() => ({ id: "ann", roles: [], claims: { big: "x".repeat(5_000) } }));
    const response = await http.post(CALL, { request: { by: 1 } });
    expect(await response.json()).toMatchObject({ code: "UNAUTHENTICATED", detail: expect.stringContaining("4096") });
  });

  test("[ACC2] [HTTP2] is not known when the author's code fails, or does not answer", async () => {
    const broken = setUp(() => {
      throw new TypeError("the secret is s3cret");
    });
    const response = await broken.http.post(CALL, { request: { by: 1 } });
    expect(await response.text()).not.toContain("s3cret");
    expect([response.status, broken.http.errors.length]).toEqual([500, 1]);
    const silent = setUp(() => new Promise(() => undefined));
    const answer = silent.http.post(CALL, { request: { by: 1 } });
    await silent.clock.advance(10_000);
    expect(await codeOf(await answer)).toBe("UNAVAILABLE");
  });

  test("[ACC2] is what the environment's own secrets say", async () => {
    const { caller } = setUp((_, env) => ({ id: (env as unknown as { KEY: string }).KEY, roles: [] }));
    expect(await caller()).toEqual({ kind: "client", identity: { id: "k", roles: [] } });
  });

  test("[HTTP9] [HTTP10] is not asked where nothing is called", async () => {
    const { http } = setUp(() => {
      throw new EdgeverseError("UNAUTHENTICATED", "Nobody");
    });
    for (const path of ["/", "/healthz", "/api/v1/openapi.json"]) expect((await http.fetch(path)).status).toBe(200);
  });
});
