import { type ClientOptions, createClient } from "edgeverse/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeSocket } from "./fake-gate.ts";
import { fakeHost, ok } from "./fake-host.ts";

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.install();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const tick = () => vi.advanceTimersByTimeAsync(1);

async function connected(more: ClientOptions = {}) {
  const http = fakeHost(ok("over HTTP"));
  const client = createClient({ url: "https://host", fetch: http.fetch, ...more });
  client.connect();
  await tick();
  FakeSocket.last.welcome();
  return { client, stub: client.object("A", "a"), requests: http.requests };
}

describe("[CLIENT7] calls over the connection", () => {
  test("of one tick are one message, and each has its own outcome", async () => {
    const { stub, requests } = await connected();
    const one = stub.f!({ x: 1 }, { callId: "c", expiresIn: 9, timeout: 50.5 });
    const two = stub.g!();
    await tick();
    const [hello, calls] = FakeSocket.last.messages;
    expect(hello?.[0]?.kind).toBe("hello");
    const call = { kind: "call", type: "A", object: "a" };
    expect(calls).toEqual([
      { ...call, id: 1, method: "f", request: { x: 1 }, callId: "c", expiresIn: 9, timeout: 51 },
      { ...call, id: 2, method: "g" },
    ]);
    const error = { code: "CALL_FAILED", message: "no", reason: "CLOSED", retryable: false };
    FakeSocket.last.say({ kind: "result", id: 2, error }, { kind: "result", id: 1, response: 7, replayed: true });
    expect(await one).toBe(7);
    await expect(two).rejects.toMatchObject({ code: "CALL_FAILED", reason: "CLOSED" });
    expect(requests).toEqual([]);
  });

  test("without a connection, and those that are too large for it, go over HTTP", async () => {
    const { client, stub, requests } = await connected();
    expect(await stub.f!("x".repeat(70_000))).toBe("over HTTP");
    client.close();
    expect(await stub.f!()).toBe("over HTTP");
    expect(requests).toHaveLength(2);
  });

  test("a lost connection ends plain calls, and sends reliable ones again with their ids", async () => {
    const { stub, requests } = await connected();
    const plain = stub.f!().catch((error: unknown) => error);
    const reliable = stub.f!(1, { callId: "c" });
    await tick();
    FakeSocket.last.end(1006);
    expect(await plain).toMatchObject({ code: "UNAVAILABLE", retryable: false });
    await vi.advanceTimersByTimeAsync(100);
    expect(await reliable).toBe("over HTTP");
    expect(requests.map(({ headers }) => headers.get("idempotency-key"))).toEqual(['"c"']);
  });

  test("a call that its caller gives up is cancelled; what comes of it later counts for nothing", async () => {
    const { stub } = await connected();
    const abort = new AbortController();
    const call = stub.f!({}, { signal: abort.signal });
    const late = stub.f!({}, { timeout: 20 });
    await tick();
    abort.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    late.catch(() => {});
    await vi.advanceTimersByTimeAsync(20);
    await expect(late).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(FakeSocket.last.sent("cancel").map(({ id }) => id)).toEqual([1, 2]);
    FakeSocket.last.say({ kind: "result", id: 1, response: 1 });
  });
});

describe("[CLIENT8] live state", () => {
  const patch = (version: number, from: number, value: unknown) => ({
    kind: "patch",
    version,
    from,
    patch: [{ op: "replace", path: "/n", value }],
  });

  test("is one watch for all who look, with patches applied", async () => {
    const { client } = await connected();
    const seen: unknown[] = [];
    const stop = client.watch("A", "a", (state, version) => seen.push([version, state]));
    await tick();
    const [{ id }] = FakeSocket.last.sent("watch") as [{ id: number } & { kind: string }];
    FakeSocket.last.say({ kind: "state", id, version: 4, state: { n: 1 } }, { id, ...patch(7, 4, 2) });
    const late: unknown[] = [];
    const stopLate = client.watch("A", "a", (state) => late.push(state));
    await tick();
    expect(seen).toEqual([
      [4, { n: 1 }],
      [7, { n: 2 }],
    ]);
    expect([late, FakeSocket.last.sent("watch").length]).toEqual([[{ n: 2 }], 1]);
    FakeSocket.last.say({ kind: "gone", id });
    expect([seen.at(-1), late.at(-1)]).toEqual([[7, undefined], undefined]);
    stop();
    await tick();
    expect(FakeSocket.last.sent("cancel")).toEqual([]);
    stopLate();
    await tick();
    expect(FakeSocket.last.sent("cancel")).toEqual([{ kind: "cancel", id }]);
  });

  test.each([
    ["does not fit", { op: "remove", path: "/nothing" }, 4],
    ["is for another version", { op: "add", path: "/m", value: 1 }, 3],
  ])("a patch that %s has the whole state asked for", async (_, step, from) => {
    const { client } = await connected();
    const seen: unknown[] = [];
    client.watch("A", "a", (state) => seen.push(state));
    await tick();
    FakeSocket.last.say({ kind: "state", id: 1, version: 4, state: { n: 1 } });
    FakeSocket.last.say({ kind: "patch", id: 1, version: 5, from, patch: [step] });
    await tick();
    expect(FakeSocket.last.sent("cancel")).toEqual([{ kind: "cancel", id: 1 }]);
    expect(FakeSocket.last.sent("watch").at(-1)).toEqual({ kind: "watch", id: 2, type: "A", object: "a" });
    FakeSocket.last.say({ kind: "state", id: 2, version: 5, state: { n: 9 } });
    expect(seen).toEqual([{ n: 1 }, { n: 9 }]);
  });

  test("goes on after a new connection from the version that is known", async () => {
    const { client } = await connected();
    client.watch("A", "a", () => {});
    await tick();
    FakeSocket.last.say({ kind: "state", id: 1, version: 4, state: { n: 1 } });
    FakeSocket.last.end(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    FakeSocket.last.welcome({ resumed: true });
    await tick();
    expect(FakeSocket.last.sent("watch")).toEqual([{ kind: "watch", id: 2, type: "A", object: "a", version: 4 }]);
  });

  test("that is refused ends with its error, or is asked for again if that may help", async () => {
    const { client } = await connected();
    const onError = vi.fn();
    client.watch("A", "a", () => {}, { onError });
    await tick();
    const busy = { code: "OVERLOADED", message: "busy", retryable: true };
    FakeSocket.last.say({ kind: "result", id: 1, error: busy });
    await vi.advanceTimersByTimeAsync(200);
    expect(FakeSocket.last.sent("watch").map(({ id }) => id)).toEqual([1, 2]);
    FakeSocket.last.say({ kind: "result", id: 2, error: { ...busy, code: "ACCESS_DENIED", retryable: false } });
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: "ACCESS_DENIED" });
  });
});
