import { describe, expect, test } from "vitest";
import { callFromWire, callToWire, replyFromWire, replyToWire, settingsOfWire } from "../../durable/wire.ts";
import type { CallMessage, Reply } from "../../src/object/message.ts";

const plain: CallMessage = {
  type: "Counter",
  id: "a",
  method: "add",
  deadline: 5,
  requestId: "r",
  caller: { kind: "client" },
};
const reliable = { callId: "c", answer: "outcome" } as const;

describe("a call as RPC carries it", () => {
  const calls: [string, CallMessage][] = [
    ["a client's", plain],
    ["with a request", { ...plain, request: '{"by":1}' }],
    ["with an empty request text", { ...plain, request: "" }],
    ["of an object", { ...plain, caller: { kind: "object", type: "T", id: "x" }, chain: [] }],
    ["of a client that is known", { ...plain, caller: { kind: "client", identity: { id: "s", roles: [] } } }],
    ["reliable", { ...plain, request: "{}", reliable }],
    ["reliable, without a request", { ...plain, reliable }],
    ["reliable, that expires", { ...plain, request: "{}", reliable: { ...reliable, expiresAt: 9 } }],
    ["reliable, logged ahead", { ...plain, reliable: { ...reliable, log: "write-ahead" } }],
    ["reliable, accepted at once", { ...plain, reliable: { callId: "c", answer: "accepted" } }],
    ["reliable, of an object", { ...plain, caller: { kind: "object", type: "T", id: "x" }, reliable }],
    ["traced", { ...plain, traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" }],
  ];
  for (const [what, call] of calls) {
    test(`arrives as it was sent: ${what}`, () => {
      expect(callFromWire(structuredClone(callToWire(call)))).toStrictEqual(call);
    });
  }
  test("[CONF4] says what its sender has seen of the settings", () => {
    for (const call of [plain, { ...plain, reliable }]) {
      expect(settingsOfWire(callToWire(call))).toBe(0);
      expect(settingsOfWire(callToWire(call, 7))).toBe(7);
      expect(callFromWire(callToWire(call, 7))).toStrictEqual(call);
    }
    const newer = { kind: "response", response: "1", settings: 7 } as const;
    expect(replyFromWire(structuredClone(replyToWire(newer)))).toStrictEqual(newer);
  });

  test("is short when it is a client's plain one", () => {
    expect(callToWire(plain)).toHaveLength(7);
    expect(callToWire({ ...plain, reliable }).slice(7)).toEqual(["c"]);
  });
});

describe("a reply as RPC carries it", () => {
  const replies: Reply[] = [
    { kind: "response", response: "null" },
    { kind: "response", response: "1", replayed: true },
    { kind: "error", error: { code: "CALL_FAILED", message: "no", retryable: false } },
    { kind: "accepted", callId: "c" },
    { kind: "moved", shard: 1, shards: 8, partition: "p1", epoch: 2, mapVersion: 3 },
  ];
  test("arrives as it was sent", () => {
    for (const reply of replies) expect(replyFromWire(structuredClone(replyToWire(reply)))).toStrictEqual(reply);
  });
});
