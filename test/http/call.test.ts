import { describe, expect, it } from "vitest";
import type { CallMessage, Reply } from "../../src/object/message.ts";
import { codeOf, type HttpFixture, httpFixture } from "./http-fixture.ts";

const PATH = "/api/v1/objects/call/Counter/visits/add";

function sent({ partitions }: HttpFixture): CallMessage {
  const messages = [...partitions.values()].flatMap((partition) => partition.messages);
  expect(messages).toHaveLength(1);
  return messages[0] as CallMessage;
}

function answering({ partitions }: HttpFixture, reply: (message: CallMessage) => Reply): void {
  for (const partition of partitions.values()) partition.reply = reply;
}

describe("calls", () => {
  it("[HTTP5] takes the request to the object and its response back", async () => {
    const http = httpFixture();
    const response = await http.post(PATH, { request: { by: 2 } });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('{"response":{"method":"add","request":{"by":2}}}');
    expect(sent(http)).toEqual({
      type: "Counter",
      id: "visits",
      method: "add",
      request: '{"by":2}',
      deadline: http.clock.now() + 30_000,
      requestId: "uuid-1",
      caller: { kind: "client" },
    });
    expect(Object.fromEntries(response.headers)).toEqual({
      "content-type": "application/json",
      "x-content-type-options": "nosniff",
      "x-request-id": "uuid-1",
    });
  });

  it.each([
    ["no body", undefined],
    ["an empty body", ""],
    ["white space", " \r\n"],
    ["an empty object", {}],
    ["a null request", { request: null }],
  ])("[HTTP5] takes %s as no request", async (_, body) => {
    const http = httpFixture();
    expect((await http.post("/api/v1/objects/call/Counter/visits/get", body)).status).toBe(200);
    expect(sent(http)).not.toHaveProperty("request");
  });

  it("[HTTP1] does not mind what Content-Type says", async () => {
    const http = httpFixture();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expect((await http.post(PATH, { request: { by: 1 } }, headers)).status).toBe(200);
  });

  it.each([false, 0, "", [], "text", [1, { a: null }]])(
    "[HTTP5] a request may be any JSON value: %j",
    async (request) => {
      const http = httpFixture();
      await http.post(PATH, { request });
      expect(sent(http).request).toBe(JSON.stringify(request));
    },
  );

  it("[OBJ1] answers METHOD_NOT_FOUND for what is not declared, before any partition is asked", async () => {
    const http = httpFixture();
    for (const name of ["secret", "constructor", "__proto__", "onCreate", "toString", "nope"]) {
      expect(await codeOf(await http.post(`/api/v1/objects/call/Counter/visits/${name}`))).toBe("METHOD_NOT_FOUND");
    }
    expect(await codeOf(await http.post("/api/v1/objects/call/Nope/visits/add"))).toBe("TYPE_NOT_FOUND");
    for (const type of ["__proto__", "1x", "A-B", "a".repeat(65)]) {
      expect(await codeOf(await http.post(`/api/v1/objects/call/${type}/visits/add`))).toBe("INVALID_ID");
    }
    expect([...http.partitions.values()].flatMap((partition) => partition.messages)).toEqual([]);
  });

  it.each(["shard#5/x", "partition#p1/x", "shard#5", "a%2Fb", "50%", "é€😀", "a b", "x?y#z", "a+b", "%25"])(
    "[ID1] [ID3] [ID4] decodes %s exactly once",
    async (id) => {
      const http = httpFixture();
      expect((await http.post(`/api/v1/objects/call/Counter/${encodeURIComponent(id)}/get`)).status).toBe(200);
      expect(sent(http).id).toBe(id);
    },
  );

  it.each(["a/b", "shard#99/x", "shard#5/", "partition#nope/x", "a\u0000", "\u009f", "a".repeat(513), "é".repeat(257)])(
    "[ID1] refuses %j",
    async (id) => {
      const http = httpFixture();
      const response = await http.post(`/api/v1/objects/call/Counter/${encodeURIComponent(id)}/get`);
      expect(await codeOf(response)).toBe("INVALID_ID");
      expect([...http.partitions.values()].flatMap((partition) => partition.messages)).toEqual([]);
    },
  );

  it("[OBJ2] passes an error on as a problem, with reason, details and Retry-After", async () => {
    const http = httpFixture();
    const details = { issues: [{ path: ["by"], message: "too small" }] };
    answering(http, () => ({
      kind: "error",
      error: { code: "CALL_FAILED", message: "no funds", retryable: false, reason: "INSUFFICIENT_FUNDS", details },
    }));
    const response = await http.post(PATH, { request: {} });
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toEqual({
      type: "urn:edgeverse:error:CALL_FAILED",
      title: "The method refused the call",
      status: 422,
      detail: "no funds",
      code: "CALL_FAILED",
      requestId: "uuid-1",
      reason: "INSUFFICIENT_FUNDS",
      details,
      retryable: false,
    });
    answering(http, () => ({
      kind: "error",
      error: { code: "OVERLOADED", message: "full", retryable: true, retryAfter: 0.2 },
    }));
    const overloaded = await http.post(PATH, { request: {} });
    expect(overloaded.status).toBe(503);
    expect(overloaded.headers.get("retry-after")).toBe("1");
  });

  it("[HTTP2] never shows what an INTERNAL error said, nor one that nobody knows", async () => {
    const http = httpFixture();
    for (const code of ["INTERNAL", "FROM_THE_FUTURE"]) {
      const error = { code, message: "password=hunter2", retryable: false, details: { stack: "at hunter2" } };
      answering(http, () => ({ kind: "error", error: error as never }));
      const response = await http.post(PATH, { request: {} });
      expect(response.status).toBe(500);
      expect(await response.text()).not.toContain("hunter2");
    }
  });

  it("answers UNAVAILABLE without a retry when a partition is lost in a call that may have run", async () => {
    const http = httpFixture({ names: ["p0"] });
    for (const partition of http.partitions.values()) partition.state = "down";
    const response = await http.post(PATH, { request: { by: 1 } });
    const text = await response.clone().text();
    expect(await codeOf(response)).toBe("UNAVAILABLE");
    expect(text).not.toContain("internal detail");
    expect(http.partitions.get("p0")?.messages).toHaveLength(1);
  });
});
