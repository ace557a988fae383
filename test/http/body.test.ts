import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/config.ts";
import { codeOf, httpFixture } from "./http-fixture.ts";

const PATH = "/api/v1/objects/call/Counter/visits/add";
const small = configSchema.parse({ maxBody: 1_000, maxMessage: 100 });

function chunked(...chunks: (string | Uint8Array)[]): RequestInit {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
      controller.close();
    },
  });
  return { method: "POST", body, duplex: "half" } as RequestInit;
}

describe("bodies", () => {
  it.each(["{", "nope", '{"request":}', "{}{}", "'x'", "[1,]", "\u0000"])(
    "[HTTP1] %j is INVALID_JSON",
    async (text) => {
      expect(await codeOf(await httpFixture().post(PATH, text))).toBe("INVALID_JSON");
    },
  );

  it("[HTTP1] text that is not UTF-8 is INVALID_JSON, U+FFFD itself is a character", async () => {
    const http = httpFixture();
    const bytes = new Uint8Array([...new TextEncoder().encode('{"request":"'), 0xff, 0x22, 0x7d]);
    expect(await codeOf(await http.fetch(PATH, { method: "POST", body: bytes }))).toBe("INVALID_JSON");
    expect((await http.post(PATH, { request: "\ufffd" })).status).toBe(200);
  });

  it.each(["null", "[]", "1", '"x"', "true"])("[HTTP1] %s is not an object", async (text) => {
    expect(await codeOf(await httpFixture().post(PATH, text))).toBe("INVALID_ARGUMENT");
  });

  it("[HTTP1] names unknown keys, also __proto__", async () => {
    const http = httpFixture();
    for (const text of ['{"request":1,"requset":2}', '{"__proto__":{"request":1}}', '{"constructor":1}']) {
      const response = await http.post(PATH, text);
      expect(response.status).toBe(400);
      const { code, details } = (await response.json()) as { code: string; details: { issues: { path: string[] }[] } };
      expect(code).toBe("INVALID_ARGUMENT");
      expect(details.issues[0]).toMatchObject({ path: [], code: "unrecognized_keys" });
    }
  });

  it("[OBJ2] keeps own keys that look like the prototype's", async () => {
    const http = httpFixture({ names: ["p0"] });
    await http.post(PATH, '{"request":{"__proto__":{"admin":true},"by":1}}');
    expect(http.partitions.get("p0")?.messages[0]?.request).toBe('{"__proto__":{"admin":true},"by":1}');
  });

  it("[HTTP1] refuses nesting without end, and does not fall over it", async () => {
    const http = httpFixture();
    for (const depth of [200, 100_000]) {
      const text = `{"request":${"[".repeat(depth)}${"]".repeat(depth)}}`;
      expect(await codeOf(await http.post(PATH, text))).toBe("INVALID_ARGUMENT");
    }
    const fine = `{"request":${"[".repeat(120)}${"]".repeat(120)}}`;
    expect((await http.post(PATH, fine)).status).toBe(200);
  });

  it("[OBJ3] refuses a number that would arrive as null", async () => {
    const http = httpFixture({ names: ["p0"] });
    const response = await http.post(PATH, '{"request":{"by":[null,1e999]}}');
    const { code, details } = (await response.json()) as { code: string; details: { issues: { path: unknown[] }[] } };
    expect(code).toBe("INVALID_ARGUMENT");
    expect(details.issues[0]?.path).toEqual(["request", "by", 1]);
    expect((await http.post(PATH, '{"request":-1e999}')).status).toBe(400);
    expect((await http.post(PATH, '{"request":{"by":null}}')).status).toBe(200);
  });
});

describe("limits", () => {
  it("[TURN9] a request over maxMessage bytes is PAYLOAD_TOO_LARGE", async () => {
    const http = httpFixture({ config: small });
    expect((await http.post(PATH, { request: "x".repeat(98) })).status).toBe(200);
    expect(await codeOf(await http.post(PATH, { request: "x".repeat(99) }))).toBe("PAYLOAD_TOO_LARGE");
    expect(await codeOf(await http.post(PATH, { request: "é".repeat(50) }))).toBe("PAYLOAD_TOO_LARGE");
  });

  it("[TURN9] a body over maxBody is refused by its Content-Length, unread", async () => {
    const http = httpFixture({ config: small });
    const init = { method: "POST", body: "{}", headers: { "content-length": "1001" } };
    expect(await codeOf(await http.fetch(PATH, init))).toBe("PAYLOAD_TOO_LARGE");
  });

  it("[TURN9] a body of unknown length is counted while it is read", async () => {
    const http = httpFixture({ config: small });
    expect((await http.fetch(PATH, chunked('{"req', 'uest":', '"é"}'))).status).toBe(200);
    expect((await http.fetch(PATH, chunked())).status).toBe(200);
    let pulled = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(400).fill(0x20));
      },
    });
    const init = { method: "POST", body: endless, duplex: "half" } as RequestInit;
    expect(await codeOf(await http.fetch(PATH, init))).toBe("PAYLOAD_TOO_LARGE");
    expect(pulled).toBeLessThan(6);
  });

  it("[TURN9] a Content-Length that lies does not get more in", async () => {
    const http = httpFixture({ config: small });
    const init = { method: "POST", body: " ".repeat(2_000), headers: { "content-length": "2" } };
    expect(await codeOf(await http.fetch(PATH, init))).toBe("PAYLOAD_TOO_LARGE");
  });

  it("[HTTP1] a body that breaks off is the client's fault", async () => {
    const http = httpFixture();
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
    const init = { method: "POST", body: broken, duplex: "half" } as RequestInit;
    expect(await codeOf(await http.fetch(PATH, init))).toBe("INVALID_JSON");
    expect(http.errors).toEqual([]);
  });
});
