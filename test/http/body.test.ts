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

function endless(bytes: number) {
  let pulls = 0;
  const body = new ReadableStream({
    pull(controller) {
      pulls++;
      controller.enqueue(new Uint8Array(bytes).fill(0x20));
    },
  });
  return { body, pulled: () => pulls };
}

/** A body that the test sends piece by piece. */
function slow(length?: number) {
  let send = (_: Uint8Array | undefined): void => undefined;
  const body = new ReadableStream({
    start(controller) {
      send = (piece) => (piece === undefined ? controller.close() : controller.enqueue(piece));
    },
  });
  const headers = length === undefined ? {} : { "content-length": String(length) };
  const init = { method: "POST", body, duplex: "half", headers } as RequestInit;
  return {
    init,
    send: (piece?: Uint8Array) => send(piece),
    spaces: (bytes: number) => send(new Uint8Array(bytes).fill(0x20)),
  };
}

const MiB = 1024 * 1024;
const events = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("bodies at the same time", () => {
  it("[HTTP1] hold 16 MiB in one isolate; one more is OVERLOADED at once, and fine when there is room again", async () => {
    const http = httpFixture();
    const full = Array.from({ length: 4 }, () => slow());
    const answers = full.map(({ init }) => http.fetch(PATH, init));
    for (const { spaces } of full) spaces(4 * MiB);
    await events();
    const refused = await http.fetch(PATH, { method: "POST", body: " ".repeat(100_000) });
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await codeOf(refused)).toBe("OVERLOADED");
    expect(await codeOf(await http.post(PATH, { request: 1 }))).toBe("OVERLOADED");
    full[0]?.send();
    expect((await (answers[0] as Promise<Response>)).status).toBe(200);
    expect((await http.post(PATH, { request: 1 })).status).toBe(200);
    for (const { send } of full.slice(1)) send();
    for (const answer of answers) expect((await answer).status).toBe(200);
  });

  it("[HTTP1] count while their call runs, and what a sender only announces does not count", async () => {
    const http = httpFixture({ names: ["p0"] });
    const announced = Array.from({ length: 5 }, () => slow(4 * MiB));
    const late = announced.map(({ init }) => http.fetch(PATH, init));
    const partition = http.partitions.get("p0") as NonNullable<ReturnType<typeof http.partitions.get>>;
    partition.state = "silent";
    const body = `{"request":${" ".repeat(4 * MiB - 20)}1}`;
    const waiting = [1, 2, 3, 4].map(() => http.post(PATH, body));
    await events();
    expect(await codeOf(await http.post(PATH, body))).toBe("OVERLOADED");
    await http.clock.advance(40_000);
    for (const answer of waiting) expect(await codeOf(await answer)).toBe("UNAVAILABLE");
    partition.state = "up";
    expect((await http.post(PATH, body)).status).toBe(200);
    for (const answer of late) expect(await codeOf(await answer)).toBe("DEADLINE_EXCEEDED");
  });

  it("[HTTP1] a large one has 30 s to arrive", async () => {
    const http = httpFixture();
    const { init, spaces } = slow(MiB);
    const answer = http.fetch(PATH, init);
    spaces(1_000);
    await events();
    await http.clock.advance(30_000);
    expect(await codeOf(await answer)).toBe("DEADLINE_EXCEEDED");
  });

  it("[HTTP1] small ones that never arrive do not keep others out", async () => {
    const http = httpFixture();
    const late = Array.from({ length: 256 }, () => http.fetch(PATH, slow(64 * 1024).init));
    await events();
    expect(await codeOf(await http.post(PATH, { request: 1 }))).toBe("OVERLOADED");
    await http.clock.advance(30_000);
    expect((await http.post(PATH, { request: 1 })).status).toBe(200);
    // The first of them hold a MiB, for as long as their connections are open.
    for (const answer of late.slice(20)) expect(await codeOf(await answer)).toBe("DEADLINE_EXCEEDED");
  });
});

describe("a body that nobody reads", () => {
  it.each([
    ["of an unknown type", "/api/v1/objects/call/Nope/a/get", "TYPE_NOT_FOUND"],
    ["where nothing is", "/nowhere", "NOT_FOUND"],
    ["that is too large", PATH, "PAYLOAD_TOO_LARGE"],
  ] as const)("[HTTP1] is taken to its end, so that its sender sees the answer: %s", async (_, path, code) => {
    const http = httpFixture();
    const { init, send, spaces } = slow(5 * MiB);
    let answered = false;
    const answer = http.fetch(path, init).finally(() => {
      answered = true;
    });
    for (let piece = 0; piece < 5; piece++) {
      spaces(MiB);
      await events();
      expect(answered).toBe(false);
    }
    send();
    expect(await codeOf(await answer)).toBe(code);
  });

  it("[HTTP1] is not waited for when it is over 64 MiB, or its sender is slow", async () => {
    const http = httpFixture();
    expect(await codeOf(await http.fetch("/nowhere", slow(64 * MiB + 1).init))).toBe("NOT_FOUND");
    const answer = http.fetch("/nowhere", slow(100_000).init);
    await events();
    await http.clock.advance(10_000);
    expect(await codeOf(await answer)).toBe("NOT_FOUND");
    expect(await codeOf(await http.fetch("/nowhere", { method: "POST" }))).toBe("NOT_FOUND");
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
    const { body, pulled } = endless(400);
    expect(await codeOf(await http.fetch(PATH, { method: "POST", body, duplex: "half" } as RequestInit))).toBe(
      "PAYLOAD_TOO_LARGE",
    );
    // The rest is dropped, up to 64 MiB.
    expect(pulled()).toBeLessThan((64 * 1024 * 1024) / 400 + 10);
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
