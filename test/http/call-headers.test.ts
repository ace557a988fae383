import { describe, expect, it } from "vitest";
import type { CallMessage } from "../../src/object/message.ts";
import { codeOf, type HttpFixture, httpFixture } from "./http-fixture.ts";

const PATH = "/api/v1/objects/call/Counter/visits/add";

async function messageWith(headers: Record<string, string>, path = PATH): Promise<CallMessage> {
  const http = httpFixture();
  const response = await http.post(path, { request: { by: 1 } }, headers);
  expect(response.status).toBe(200);
  return [...http.partitions.values()].flatMap((partition) => partition.messages)[0] as CallMessage;
}

async function refusal(headers: Record<string, string>): Promise<string> {
  const http = httpFixture();
  const code = await codeOf(await http.post(PATH, { request: { by: 1 } }, headers));
  expect([...http.partitions.values()].flatMap((partition) => partition.messages)).toEqual([]);
  return code;
}

function reply(http: HttpFixture, answer: object): void {
  for (const partition of http.partitions.values()) partition.reply = () => answer as never;
}

const now = httpFixture().clock.now();

describe("Idempotency-Key", () => {
  it.each([
    ["k-1", "k-1"],
    ['"k-1"', "k-1"],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ["x".repeat(255), "x".repeat(255)],
    ['a"b', 'a"b'],
  ])("[CALL1] %s makes the call reliable", async (header, callId) => {
    expect((await messageWith({ "idempotency-key": header })).reliable).toEqual({ callId, answer: "outcome" });
  });

  it.each(["", '"', '"a', '"a"b', "a b", "a, b", "x".repeat(256), '""', '"\\x"'])(
    "[CALL1] refuses %j",
    async (header) => {
      expect(await refusal({ "idempotency-key": header })).toBe("INVALID_ARGUMENT");
    },
  );

  it("[CALL1] marks a stored outcome, also a failed one", async () => {
    const http = httpFixture();
    reply(http, { kind: "response", response: "1", replayed: true });
    const again = await http.post(PATH, { request: { by: 1 } }, { "idempotency-key": "k" });
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    const error = { code: "CALL_FAILED", message: "no", retryable: false };
    reply(http, { kind: "error", error, replayed: true });
    const failed = await http.post(PATH, { request: { by: 1 } }, { "idempotency-key": "k" });
    expect(failed.headers.get("idempotency-replayed")).toBe("true");
    expect(await codeOf(failed)).toBe("CALL_FAILED");
  });

  it("[CALL8] [CALL6] takes Edgeverse-Expires-In and Edgeverse-Log", async () => {
    const headers = { "idempotency-key": "k", "edgeverse-expires-in": "5000", "edgeverse-log": "write-ahead" };
    expect((await messageWith(headers)).reliable).toEqual({
      callId: "k",
      answer: "outcome",
      expiresAt: now + 5_000,
      log: "write-ahead",
    });
    expect(await refusal({ ...headers, "edgeverse-expires-in": "0" })).toBe("INVALID_ARGUMENT");
    expect(await refusal({ ...headers, "edgeverse-log": "never" })).toBe("INVALID_ARGUMENT");
  });

  it("[CALL6] refuses them on a call that is not reliable", async () => {
    expect(await refusal({ "edgeverse-expires-in": "5000" })).toBe("INVALID_ARGUMENT");
    expect(await refusal({ "edgeverse-log": "write-ahead" })).toBe("INVALID_ARGUMENT");
  });
});

describe("Prefer: respond-async", () => {
  it("[HTTP8] answers 202 and where the outcome will be", async () => {
    const http = httpFixture();
    reply(http, { kind: "accepted", callId: "k/1" });
    const path = `/api/v1/objects/call/Counter/${encodeURIComponent("shard#5/ü")}/add`;
    const headers = { "idempotency-key": "k/1", prefer: "respond-async" };
    const response = await http.post(path, { request: { by: 1 } }, headers);
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ callId: "k/1", status: "pending" });
    expect(response.headers.get("location")).toBe("/api/v1/objects/calls/Counter/shard%235%2F%C3%BC/k%2F1");
    expect(response.headers.get("preference-applied")).toBe("respond-async");
  });

  it.each([
    ["respond-async", "accepted"],
    ["wait=10, Respond-Async", "accepted"],
    ["respond-async; x=1", "accepted"],
    ["respond-asynchronously", "outcome"],
    ["return=minimal", "outcome"],
  ])("[HTTP8] reads %s as a list", async (prefer, answer) => {
    expect((await messageWith({ "idempotency-key": "k", prefer })).reliable?.answer).toBe(answer);
  });

  it("[HTTP6] is ignored without an Idempotency-Key", async () => {
    expect(await messageWith({ prefer: "respond-async" })).not.toHaveProperty("reliable");
  });
});

describe("Edgeverse-Not-Before", () => {
  const noon = Date.UTC(2030, 0, 31, 12);

  it.each([
    ["2030-01-31T12:00:00Z", noon],
    ["2030-01-31T13:30:00.5+01:30", noon + 500],
    ["Thu, 31 Jan 2030 12:00:00 GMT", noon],
    ["2001-01-01T00:00:00Z", Date.UTC(2001, 0, 1)],
  ])("[TIME7] reads %s", async (text, notBefore) => {
    const headers = { "idempotency-key": "k", "edgeverse-not-before": text };
    expect((await messageWith(headers)).reliable).toEqual({ callId: "k", answer: "accepted", notBefore });
    const expiring = await messageWith({ ...headers, "edgeverse-expires-in": "5000" });
    expect(expiring.reliable?.expiresAt).toBe(Math.max(now, notBefore) + 5_000);
  });

  it.each([
    "",
    "soon",
    "1900000000",
    "1900000000000",
    "2030-01-31",
    "2030-01-31T12:00:00",
    "2030-02-30T12:00:00Z",
    "Fri, 31 Jan 2030 12:00:00 GMT",
    "Thu, 31 Jan 2030 12:00:00 +0100",
    "2030-01-31T12:00:00Z, 2031-01-31T12:00:00Z",
  ])("[TIME7] refuses %j, and any on a call that is not reliable", async (text) => {
    expect(await refusal({ "idempotency-key": "k", "edgeverse-not-before": text })).toBe("INVALID_ARGUMENT");
    expect(await refusal({ "edgeverse-not-before": "2030-01-31T12:00:00Z" })).toBe("INVALID_ARGUMENT");
  });

  it("[TIME7] answers 202 and how long it waits", async () => {
    const http = httpFixture();
    reply(http, { kind: "accepted", callId: "k", notBefore: noon });
    const headers = { "idempotency-key": "k", "edgeverse-not-before": "2030-01-31T12:00:00Z" };
    const response = await http.post(PATH, { request: { by: 1 } }, headers);
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ callId: "k", status: "waiting", notBefore: "2030-01-31T12:00:00.000Z" });
    expect(response.headers.get("location")).toBe("/api/v1/objects/calls/Counter/visits/k");
    expect(response.headers.has("preference-applied")).toBe(false);
  });
});

describe("Edgeverse-Timeout", () => {
  it("[TURN5] sets the deadline, and never one later than the configuration allows", async () => {
    expect((await messageWith({ "edgeverse-timeout": "1500" })).deadline).toBe(now + 1_500);
    expect((await messageWith({ "edgeverse-timeout": "999999999999" })).deadline).toBe(now + 600_000);
  });

  it("[TURN5] defaults to the method's, the type's, the configuration's", async () => {
    expect((await messageWith({}, "/api/v1/objects/call/Counter/visits/slow")).deadline).toBe(now + 120_000);
    expect((await messageWith({}, "/api/v1/objects/call/Patient/p/wait")).deadline).toBe(now + 90_000);
    expect((await messageWith({})).deadline).toBe(now + 30_000);
  });

  it.each(["0", "-1", "1.5", "1e3", "abc", "", "5s", "9".repeat(16)])("[TURN5] refuses %j", async (text) => {
    expect(await refusal({ "edgeverse-timeout": text })).toBe("INVALID_ARGUMENT");
  });
});

describe("traceparent", () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  it("[HTTP6] is handed on when it is valid", async () => {
    expect((await messageWith({ traceparent: `00-${trace}` })).traceparent).toBe(`00-${trace}`);
    expect((await messageWith({ traceparent: `cc-${trace}-new` })).traceparent).toBe(`00-${trace}`);
  });

  it.each([
    "garbage",
    `ff-${trace}`,
    `00-${trace}-more`,
    `00-${trace.toUpperCase()}`,
    `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
    `00-4bf92f3577b34da6a3ce929d0e0e4736-${"0".repeat(16)}-01`,
    `00-${trace}, 00-${trace}`,
  ])("[HTTP6] %s is ignored", async (traceparent) => {
    expect(await messageWith({ traceparent })).not.toHaveProperty("traceparent");
  });
});

describe("X-Request-Id", () => {
  it("[HTTP3] is the client's if it is well-formed, and on every answer", async () => {
    const http = httpFixture();
    const given = { "x-request-id": "Client.req_1-2" };
    expect((await http.post(PATH, { request: { by: 1 } }, given)).headers.get("x-request-id")).toBe("Client.req_1-2");
    expect((await http.post("/nothing", {}, given)).headers.get("x-request-id")).toBe("Client.req_1-2");
    expect((await messageWith(given)).requestId).toBe("Client.req_1-2");
    for (const bad of ["a b", "", "x".repeat(65), "a/b", '"q"']) {
      const response = await http.post(PATH, { request: { by: 1 } }, { "x-request-id": bad });
      expect(response.headers.get("x-request-id")).toMatch(/^uuid-\d+$/);
    }
  });
});
