import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/config.ts";
import { codeOf, httpFixture } from "./http-fixture.ts";

const PATH = "/api/v1/objects/batch";
const call = (id: string, more: object = {}) => ({ type: "Counter", id, method: "get", ...more });

async function results(
  response: Response,
): Promise<{ response?: unknown; error?: { code: string }; replayed?: true }[]> {
  expect(response.status).toBe(200);
  return ((await response.json()) as { results: [] }).results;
}

describe("batches", () => {
  it("[HTTP7] answers in the order of the calls, over several partitions", async () => {
    const http = httpFixture();
    const calls = Array.from({ length: 50 }, (_, index) =>
      call(`o${index}`, { method: "add", request: { by: index } }),
    );
    const answers = await results(await http.post(PATH, { calls }));
    expect(answers).toEqual(calls.map((_, index) => ({ response: { method: "add", request: { by: index } } })));
    for (const partition of http.partitions.values()) expect(partition.messages.length).toBeGreaterThan(0);
  });

  it("[HTTP7] a bad call is an error in its own place and never spoils the others", async () => {
    const http = httpFixture({ config: configSchema.parse({ maxMessage: 100 }) });
    const calls: unknown[] = [
      call("good"),
      call("a/b"),
      call("\ud800"),
      { ...call("x"), type: "Nope" },
      { ...call("x"), type: "not a type" },
      { ...call("x"), method: "secret" },
      call("x", { callId: "has space" }),
      call("x", { callId: "" }),
      call("x", { expiresIn: 0, callId: "k" }),
      call("x", { expiresIn: 10 }),
      call("x", { log: "write-ahead" }),
      call("x", { log: "never", callId: "k" }),
      call("x", { surprise: 1 }),
      null,
      7,
      [],
      {},
      call("x", { request: "x".repeat(200) }),
      call("shard#99/x"),
      call("good"),
    ];
    const answers = await results(await http.post(PATH, { calls }));
    expect(answers.map((answer) => answer.error?.code ?? "fine")).toEqual([
      "fine",
      "INVALID_ID",
      "INVALID_ID",
      "TYPE_NOT_FOUND",
      "INVALID_ID",
      "METHOD_NOT_FOUND",
      ...Array.from({ length: 10 }, () => "INVALID_ARGUMENT"),
      "INVALID_ARGUMENT",
      "PAYLOAD_TOO_LARGE",
      "INVALID_ID",
      "fine",
    ]);
    expect(answers[13]?.error).toMatchObject({ details: { issues: [{ path: ["calls", 13] }] } });
    expect([...http.partitions.values()].flatMap((partition) => partition.messages)).toHaveLength(2);
  });

  it("[CALL1] [CALL8] calls with a callId are reliable, and say when they were replayed", async () => {
    const http = httpFixture({ names: ["p0"] });
    const p0 = http.partitions.get("p0");
    if (p0 === undefined) throw new Error("no p0");
    p0.reply = ({ reliable }) =>
      reliable?.callId === "bad"
        ? {
            kind: "error",
            error: { code: "CALL_FAILED", message: "no", retryable: false, reason: "NO" },
            replayed: true,
          }
        : { kind: "response", response: "[1]", ...(reliable === undefined ? {} : { replayed: true as const }) };
    const calls = [
      call("a"),
      call("a", { callId: "k", expiresIn: 10, log: "write-ahead" }),
      call("a", { callId: "bad" }),
    ];
    expect(await (await http.post(PATH, { calls })).json()).toEqual({
      results: [
        { response: [1] },
        { response: [1], replayed: true },
        { error: { code: "CALL_FAILED", message: "no", reason: "NO", retryable: false }, replayed: true },
      ],
    });
    expect(p0.messages.map((message) => message.reliable)).toEqual([
      undefined,
      { callId: "k", answer: "outcome", expiresAt: http.clock.now() + 10, log: "write-ahead" },
      { callId: "bad", answer: "outcome" },
    ]);
  });

  it("[TURN5] each call has its method's deadline unless the request has one", async () => {
    const http = httpFixture({ names: ["p0"] });
    const calls = [call("a"), { ...call("a"), method: "slow" }];
    await http.post(PATH, { calls });
    await http.post(PATH, { calls }, { "edgeverse-timeout": "700" });
    const deadlines = http.partitions.get("p0")?.messages.map((message) => message.deadline - http.clock.now());
    expect(deadlines).toEqual([30_000, 120_000, 700, 700]);
  });

  it.each([
    ["no calls", {}],
    ["an empty list", { calls: [] }],
    ["too many", { calls: Array.from({ length: 1_001 }, () => call("a")) }],
    ["no list", { calls: { 0: call("a") } }],
    ["another key", { calls: [call("a")], call: 1 }],
  ])("[HTTP7] refuses %s", async (_, body) => {
    expect(await codeOf(await httpFixture().post(PATH, body))).toBe("INVALID_ARGUMENT");
  });

  it("[HTTP7] takes 1,000 calls", async () => {
    const calls = Array.from({ length: 1_000 }, (_, index) => call(`o${index}`));
    expect(await results(await httpFixture().post(PATH, { calls }))).toHaveLength(1_000);
  });

  it("[CALL1] refuses an Idempotency-Key, which would promise what a batch does not do", async () => {
    const response = await httpFixture().post(PATH, { calls: [call("a")] }, { "idempotency-key": "k" });
    expect(await codeOf(response)).toBe("INVALID_ARGUMENT");
  });

  it("[HTTP2][HTTP7] hides the text of INTERNAL errors, and a lost partition spoils only its calls", async () => {
    const http = httpFixture();
    const [first, second] = [...http.partitions.values()];
    if (first === undefined || second === undefined) throw new Error("no partitions");
    first.state = "down";
    second.reply = () => ({ kind: "error", error: { code: "INTERNAL", message: "hunter2", retryable: false } });
    const calls = Array.from({ length: 20 }, (_, index) => ({ ...call(`o${index}`), method: "add" }));
    const text = await (await http.post(PATH, { calls })).text();
    expect(text).not.toContain("hunter2");
    const codes = (JSON.parse(text) as { results: { error: { code: string } }[] }).results.map(
      ({ error }) => error.code,
    );
    expect(new Set(codes)).toEqual(new Set(["UNAVAILABLE", "INTERNAL"]));
  });
});
