import { describe, expect, it } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { addressOf } from "../../src/http/client-address.ts";
import type { GateDoor } from "../../src/http/ports.ts";
import { ClientLimits } from "../../src/limits/client-limits.ts";
import type { Limits } from "../../src/limits/limits-schema.ts";
import { UNUSED_GATE } from "../../src/push/gate-status.ts";
import { PushRules } from "../../src/push/push-rules.ts";
import { ManualClock } from "../../src/testing/clocks.ts";
import { codeOf, httpFixture } from "./http-fixture.ts";

const GET = "/api/v1/objects/call/Counter/a/get";
const ADD = "/api/v1/objects/call/Counter/a/add";

function limited(limits: Limits, config: Record<string, string> = {}, gates?: GateDoor) {
  const clock = new ManualClock();
  const reports: unknown[] = [];
  const clients = new ClientLimits({
    limits,
    clock,
    keepers: () => ["p0"],
    background: () => undefined,
    report: async (_, report) => {
      reports.push(report);
      return report.limits.map(({ used }) => used.map(() => 0));
    },
  });
  const plain = httpFixture().parts.config;
  const made = httpFixture({
    clients,
    gates,
    config: { ...plain, ...config },
    authenticate: async (request) => {
      const name = request.headers.get("authorization")?.slice(7);
      if (name === undefined) return null;
      if (name === "wrong") throw new EdgeverseError("UNAUTHENTICATED", "nobody");
      return { id: name, roles: name === "root" ? ["admin"] : [] };
    },
  });
  const statuses = async (times: number, path: string, headers: Record<string, string> = {}) => {
    const all: number[] = [];
    for (let time = 0; time < times; time++) all.push((await made.post(path, {}, headers)).status);
    return all;
  };
  return { ...made, statuses, reports, clock };
}

const from = (address: string) => ({ "cf-connecting-ip": address });
const as = (name: string) => ({ authorization: `Bearer ${name}` });

describe("limits of clients over HTTP [LIM6]", () => {
  const limits: Limits = {
    clients: { per: "client", rate: 0.5, burst: 3, exempt: ["admin"], costs: { "Counter.slow": 2 } },
  };

  it("say on every answer what is left, and on a refusal when to come again and which limit it was", async () => {
    const { post, clock } = limited(limits);
    const first = await post(GET, {}, from("1.1.1.1"));
    expect(first.headers.get("ratelimit-policy")).toBe('"clients";q=3;w=6');
    expect(first.headers.get("ratelimit")).toBe('"clients";r=2;t=2');
    const slow = await post("/api/v1/objects/call/Counter/a/slow", {}, from("1.1.1.1"));
    expect(slow.headers.get("ratelimit")).toBe('"clients";r=0;t=6');
    const refused = await post(GET, {}, from("1.1.1.1"));
    expect(refused.status).toBe(429);
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      "retry-after": "2",
      ratelimit: '"clients";r=0;t=2',
      "ratelimit-policy": '"clients";q=3;w=6',
    });
    expect(await refused.json()).toMatchObject({
      code: "RATE_LIMITED",
      retryable: true,
      details: { limit: "clients", per: "client", rate: 0.5, burst: 3, cost: 1, left: 0 },
    });
    await clock.advance(2_000);
    expect((await post(GET, {}, from("1.1.1.1"))).status).toBe(200);
  });

  it("know a client by its identity, or else by its address, and believe no other header [LIM2]", async () => {
    const { statuses, post } = limited(limits);
    expect(await statuses(4, GET, as("ann"))).toEqual([200, 200, 200, 429]);
    expect(await statuses(1, GET, { ...as("ann"), ...from("9.9.9.9") })).toEqual([429]);
    expect(await statuses(1, GET, as("bob"))).toEqual([200]);
    expect(await statuses(5, GET, as("root"))).toEqual([200, 200, 200, 200, 200]);
    expect(await statuses(4, GET, { ...from("1.1.1.1"), "x-forwarded-for": "2.2.2.2" })).toEqual([200, 200, 200, 429]);
    for (const name of ["x-forwarded-for", "x-real-ip", "true-client-ip", "forwarded", "x-edgeverse-identity"])
      expect(await statuses(1, GET, { ...from("1.1.1.1"), [name]: "3.3.3.3" })).toEqual([429]);
    expect((await post(GET, {}, from("2.2.2.2"))).status).toBe(200);
    // Whoever has no address is one client with all others that have none.
    expect(await statuses(4, GET)).toEqual([200, 200, 200, 429]);
  });

  it("take the address from a proxy's header where that is set, the last one of many", async () => {
    const { statuses } = limited(limits, { addressHeader: "X-Forwarded-For" });
    const behind = (text: string) => ({ "x-forwarded-for": text, ...from("1.1.1.1") });
    expect(await statuses(3, GET, behind("5.5.5.5"))).toEqual([200, 200, 200]);
    expect(await statuses(1, GET, behind("6.6.6.6, 5.5.5.5"))).toEqual([429]);
    expect(await statuses(1, GET, behind("5.5.5.5, 6.6.6.6"))).toEqual([200]);
  });

  it("take the address of the connection itself where workerd says it, whatever its port is", () => {
    const of = (clientIp: string | undefined) =>
      addressOf(Object.assign(new Request("http://h/", { headers: from("9.9.9.9") }), { cf: { clientIp } }), "");
    expect(["1.2.3.4:5", "1.2.3.4:6", "1.2.3.4", "[::1]:7", "[2001:db8::1]", "2001:db8::1"].map(of)).toEqual([
      "1.2.3.4",
      "1.2.3.4",
      "1.2.3.4",
      "::1",
      "2001:db8::1",
      "2001:db8::1",
    ]);
    expect(of(undefined)).toBe("9.9.9.9");
    const behind = new Request("http://h/", { headers: { "x-forwarded-for": "8.8.8.8, 1.2.3.4:5" } });
    expect(addressOf(behind, "X-Forwarded-For")).toBe("1.2.3.4");
  });

  it("count each call of a batch, and creations, looks at calls and failed attempts to authenticate", async () => {
    const { post, fetch, statuses, partitions } = limited(limits);
    const calls = Array.from({ length: 5 }, (_, id) => ({ type: "Counter", id: `${id}`, method: "get" }));
    const { results } = (await (await post("/api/v1/objects/batch", { calls }, as("ann"))).json()) as {
      results: { error?: { code: string } }[];
    };
    expect(results.map(({ error }) => error?.code)).toEqual([
      undefined,
      undefined,
      undefined,
      "RATE_LIMITED",
      "RATE_LIMITED",
    ]);
    expect([...partitions.values()].flatMap(({ messages }) => messages)).toHaveLength(3);
    expect(await statuses(4, "/api/v1/objects/create/Counter/a", as("bob"))).toEqual([201, 200, 200, 429]);
    const looks: number[] = [];
    for (let time = 0; time < 4; time++)
      looks.push((await fetch("/api/v1/objects/calls/Counter/a/x", { headers: as("cy") })).status);
    expect(looks).toEqual([404, 404, 404, 429]);
    expect(await statuses(4, GET, { ...as("wrong"), ...from("7.7.7.7") })).toEqual([401, 401, 401, 429]);
    expect((await fetch("/healthz", { headers: as("ann") })).status).toBe(200);
  });

  it("count connections, and failed attempts to open one", async () => {
    const rules = new PushRules({ connect: { anonymous: true } });
    const open = async () => {
      throw new EdgeverseError("OVERLOADED", "asked");
    };
    const { fetch } = limited(
      limits,
      {},
      { names: ["g0"], rules, open, stream: open, status: async () => UNUSED_GATE },
    );
    const connect = async (times: number, token: string, address: string) => {
      const codes: string[] = [];
      const protocols = `edgeverse.v1, bearer.${token}`;
      const headers = { upgrade: "websocket", "sec-websocket-protocol": protocols, ...from(address) };
      for (let time = 0; time < times; time++)
        codes.push(await codeOf(await fetch("/api/v1/events/socket", { headers })));
      return codes;
    };
    const until = (code: string) => [code, code, code, "RATE_LIMITED"];
    expect(await connect(4, "ann", "1.1.1.1")).toEqual(until("OVERLOADED"));
    expect(await connect(4, "wrong", "1.1.1.1")).toEqual(until("UNAUTHENTICATED"));
  });

  it("tell of the object's limit as well as of the client's", async () => {
    const { post, partitions } = limited(limits);
    for (const partition of partitions.values())
      partition.reply = () => ({
        kind: "error",
        error: new EdgeverseError("RATE_LIMITED", "full", {
          details: { limit: "posts", per: "object", rate: 1, burst: 5, cost: 1, left: 0 },
          retryAfter: 3,
        }).toWire(),
      });
    const answer = await post(ADD, { request: { by: 1 } }, as("ann"));
    expect(answer.status).toBe(429);
    expect(answer.headers.get("retry-after")).toBe("3");
    expect(answer.headers.get("ratelimit")).toBe('"posts";r=0;t=3, "clients";r=2;t=2');
    expect(answer.headers.get("ratelimit-policy")).toBe('"posts";q=5;w=5, "clients";q=3;w=6');
  });

  it("leave no header where nothing is limited", async () => {
    const { post } = httpFixture();
    const { headers } = await post(GET);
    expect([headers.get("ratelimit"), headers.get("ratelimit-policy")]).toEqual([null, null]);
  });
});

describe("sizes of a request [HTTP15]", () => {
  it("are bounded: its URL, and its credentials", async () => {
    const { fetch, post } = httpFixture();
    expect(await codeOf(await fetch(`/healthz?${"x".repeat(8_192)}`))).toBe("URL_TOO_LONG");
    expect(await codeOf(await post(GET, {}, as("x".repeat(16_384))))).toBe("HEADERS_TOO_LARGE");
    expect(await codeOf(await post(GET, {}, { cookie: "x".repeat(16_385) }))).toBe("HEADERS_TOO_LARGE");
    expect((await post(GET, {}, { cookie: "x".repeat(16_384) })).status).toBe(200);
  });
});
