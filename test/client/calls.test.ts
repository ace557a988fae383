import { ClientError } from "edgeverse/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { clientOf, fakeHost, offline, ok, problem, type Seen } from "./fake-host.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What a promise comes to, while time goes by. */
async function settled<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {});
  await vi.runAllTimersAsync();
  return promise;
}

const UUID7 = /^"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$/;
const key = ({ headers }: Seen) => headers.get("idempotency-key");

describe("[CLIENT2] calls over HTTP", () => {
  test("go to the object's path, with what the options say", async () => {
    const { requests, fetch } = fakeHost(ok(3));
    const stub = clientOf(fetch, { token: "t" }).object("Counter", "a b", { timeout: 1_500 });
    expect(await settled(stub.add!({ by: 1 }, { callId: 'x"y', expiresIn: 10 }))).toBe(3);
    const [{ path, headers, body }] = requests as [Seen];
    expect([path, body]).toEqual(["/edge/api/v1/objects/call/Counter/a%20b/add", { request: { by: 1 } }]);
    expect(Object.fromEntries(headers)).toMatchObject({
      authorization: "Bearer t",
      "idempotency-key": '"x\\"y"',
      "edgeverse-timeout": "1500",
      "edgeverse-expires-in": "10",
    });
  });

  test("fail with one kind of error, which has all that the host said", async () => {
    const { fetch } = fakeHost(problem("CALL_FAILED", { reason: "CLOSED", details: { a: 1 } }));
    const error = await settled(clientOf(fetch).object("A", "a").f!()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({ code: "CALL_FAILED", message: "because", reason: "CLOSED", details: { a: 1 } });
    expect(error).toMatchObject({ requestId: "r1", retryable: false });
  });

  test("an object can be awaited and printed: it is no promise, and nothing is sent", async () => {
    const { requests, fetch } = fakeHost(ok(1));
    const stub = clientOf(fetch).object("A", "a");
    expect([await stub, JSON.stringify(stub), requests]).toEqual([stub, "{}", []]);
  });

  test("create says whether it was there already", async () => {
    const { fetch, requests } = fakeHost(
      () => Response.json({ id: "a" }, { status: 201 }),
      () => Response.json({ id: "a" }),
      () => Response.json({ success: true }),
    );
    const client = clientOf(fetch);
    expect([await client.create("A", "a", { x: 1 }), await client.create("A", "a")]).toEqual([true, false]);
    await client.delete("A", "a");
    expect(requests.map(({ path, body }) => [path.split("/")[5], body])).toEqual([
      ["create", { request: { x: 1 } }],
      ["create", {}],
      ["delete", {}],
    ]);
  });
});

describe("[CLIENT3] what is sent again", () => {
  const busy = problem("OVERLOADED", { retryable: true }, { "retry-after": "3" });

  test.each([
    ["a plain call, whatever happened", {}, offline, 1],
    ["a plain call, though the host says that it could be", {}, busy, 1],
    ["a call that may be repeated", { repeat: true }, busy, 2],
    ["a call that may be repeated, without an answer", { repeat: true }, offline, 2],
    ["a reliable call", { reliable: true }, offline, 2],
    ["a reliable call that was refused", { reliable: true }, problem("CALL_FAILED"), 1],
    ["a reliable call, after what a proxy says", { reliable: true }, () => new Response("Bad", { status: 502 }), 2],
  ])("%s", async (_, options, first, times) => {
    const { requests, fetch } = fakeHost(first, ok(7));
    const result = await settled(clientOf(fetch).object("A", "a").f!({}, options)).catch((error: unknown) => error);
    expect(requests).toHaveLength(times);
    if (times === 2) expect(result).toBe(7);
    else expect(result).toBeInstanceOf(ClientError);
  });

  test("a lost plain call says that nobody knows whether it ran, and is not retryable", async () => {
    const { fetch } = fakeHost(offline);
    await expect(settled(clientOf(fetch).object("A", "a").f!())).rejects.toMatchObject({
      code: "UNAVAILABLE",
      retryable: false,
    });
  });

  test("a reliable call keeps its id over all attempts, and its error names it", async () => {
    const { requests, fetch } = fakeHost(offline);
    const failed = settled(clientOf(fetch).object("A", "a").f!({}, { reliable: true, timeout: 4_000 }));
    const error = (await failed.catch((thrown: unknown) => thrown)) as ClientError;
    expect(requests.length).toBeGreaterThan(3);
    expect(new Set(requests.map(key)).size).toBe(1);
    expect(key(requests[0] as Seen)).toMatch(UUID7);
    expect(`"${error.callId}"`).toBe(key(requests[0] as Seen));
    expect(error.retryable).toBe(true);
    // Each attempt gets what is left of the time.
    const timeouts = requests.map(({ headers }) => Number(headers.get("edgeverse-timeout")));
    expect(timeouts).toEqual([...timeouts].sort((a, b) => b - a));
    expect(timeouts.at(-1)).toBeLessThan(4_000);
  });

  test("every call has an id of its own", async () => {
    const { requests, fetch } = fakeHost(ok(1));
    const stub = clientOf(fetch).object("A", "a", { reliable: true });
    await settled(Promise.all([stub.f!(), stub.f!()]));
    expect(new Set(requests.map(key)).size).toBe(2);
  });

  test("pauses are random below a bound that doubles, and wait for Retry-After", async () => {
    const times: number[] = [];
    const { fetch } = fakeHost(() => (times.push(Date.now()) === 1 ? busy() : offline()));
    const random = vi.spyOn(Math, "random").mockReturnValue(0.5);
    await settled(clientOf(fetch).object("A", "a").f!({}, { repeat: true, timeout: 5_000 })).catch(() => {});
    random.mockRestore();
    const pauses = times.map((time, index) => time - (times[index - 1] ?? time));
    expect(pauses.slice(0, 5)).toEqual([0, 3_050, 100, 200, 400]);
  });
});

describe("[CLIENT2] a call ends", () => {
  test("when its caller aborts it, with the signal's reason", async () => {
    const { fetch } = fakeHost(() => "silence" as const);
    const abort = new AbortController();
    const call = clientOf(fetch).object("A", "a").f!({}, { signal: abort.signal, reliable: true });
    abort.abort(new Error("enough"));
    await expect(settled(call)).rejects.toThrow("enough");
    await expect(clientOf(fetch).object("A", "a").f!({}, { signal: abort.signal })).rejects.toThrow("enough");
  });

  test("when its time is over, also if the host says nothing", async () => {
    const { fetch, requests } = fakeHost(() => "silence" as const);
    const call = clientOf(fetch).object("A", "a").f!({}, { timeout: 100 });
    await expect(settled(call)).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED", retryable: false });
    expect(requests).toHaveLength(1);
  });
});

describe("[CLIENT4] tokens", () => {
  const token = (life: number, skew = 0) => {
    const iat = Math.floor(Date.now() / 1_000) + skew;
    return `h.${btoa(JSON.stringify({ iat, exp: iat + life }))}.s`;
  };
  const counted = (make: (count: number) => string) => {
    let count = 0;
    return { source: vi.fn(async () => make(++count)), count: () => count };
  };

  test("a refused one is renewed once for all calls, which are sent again; a second refusal is the answer", async () => {
    const refuse = ({ headers }: Seen) =>
      headers.get("authorization") === "Bearer 2" ? ok(1)() : problem("UNAUTHENTICATED")();
    const { fetch, requests } = fakeHost(refuse);
    const { source } = counted(String);
    const stub = clientOf(fetch, { token: source }).object("A", "a");
    expect(await settled(Promise.all([stub.f!(), stub.f!(), stub.f!()]))).toEqual([1, 1, 1]);
    expect([source.mock.calls.length, requests.length]).toEqual([2, 6]);

    const always = fakeHost(problem("UNAUTHENTICATED"));
    const refused = clientOf(always.fetch, { token: counted(String).source }).object("A", "a");
    await expect(settled(refused.f!({}, { reliable: true }))).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    expect(always.requests).toHaveLength(2);
  });

  test("one that is about to end is renewed before it is used", async () => {
    const { fetch } = fakeHost(ok(1));
    const { source, count } = counted(() => token(100));
    const stub = clientOf(fetch, { token: source }).object("A", "a");
    for (const [wait, calls] of [
      [0, 1],
      [60_000, 1],
      [11_000, 2],
    ] as const) {
      vi.advanceTimersByTime(wait);
      await stub.f!();
      expect(count()).toBe(calls);
    }
  });

  test("a clock that is wrong by a day does not renew at every call", async () => {
    const { fetch } = fakeHost(ok(1));
    const { source, count } = counted(() => token(600, -86_400));
    const stub = clientOf(fetch, { token: source }).object("A", "a");
    for (let call = 0; call < 5; call++) await stub.f!();
    expect(count()).toBe(1);
  });

  test("one that can't be had fails the call before anything is sent", async () => {
    const { fetch, requests } = fakeHost(ok(1));
    const token = () => Promise.reject(new Error("signed out"));
    const call = clientOf(fetch, { token }).object("A", "a").f!();
    await expect(settled(call)).rejects.toMatchObject({ code: "UNAUTHENTICATED", cause: new Error("signed out") });
    expect(requests).toEqual([]);
  });
});

describe("[CLIENT5] batch: true", () => {
  const answer = ({ path, body }: Seen) => {
    if (!path.endsWith("/batch")) return ok("alone")();
    const { calls } = body as { calls: { method: string; request?: unknown }[] };
    const result = ({ method, request }: (typeof calls)[number]) =>
      method === "fail" ? { error: { code: "CALL_FAILED", message: "no", retryable: false } } : { response: request };
    return Response.json({ results: calls.map(result) });
  };

  test("calls of one tick are one request, each with its own outcome; a lone call is a plain one", async () => {
    const { fetch, requests } = fakeHost(answer);
    const stub = clientOf(fetch, { batch: true }).object("A", "a");
    const results = await settled(
      Promise.allSettled([stub.f!(1), stub.fail!(), stub.f!(2, { callId: "c" }), stub.f!(3, { timeout: 50 })]),
    );
    expect(results.map((result) => (result.status === "fulfilled" ? result.value : result.reason.code))).toEqual([
      1,
      "CALL_FAILED",
      2,
      "alone",
    ]);
    const { calls } = (requests[0] as Seen).body as { calls: unknown[] };
    expect(calls[2]).toEqual({ type: "A", id: "a", method: "f", request: 2, callId: "c" });
    expect(requests.map(({ path }) => path.split("/").at(-1))).toEqual(["batch", "f"]);
  });

  test("a lost batch is repeated for those calls that may be", async () => {
    const { fetch, requests } = fakeHost(offline, answer);
    const stub = clientOf(fetch, { batch: true }).object("A", "a");
    const results = await settled(Promise.allSettled([stub.f!(1), stub.f!(2, { reliable: true })]));
    expect(results).toMatchObject([{ reason: { code: "UNAVAILABLE", retryable: false } }, { value: "alone" }]);
    expect(requests).toHaveLength(2);
  });

  test("one that is aborted in time is not sent, and more than 1,000 are several requests", async () => {
    const { fetch, requests } = fakeHost(answer);
    const stub = clientOf(fetch, { batch: true }).object("A", "a");
    const abort = new AbortController();
    const aborted = stub.f!(0, { signal: abort.signal });
    aborted.catch(() => {});
    await Promise.all([...Array.from({ length: 1_500 }, (_, n) => stub.f!(n)), Promise.resolve().then(() => {})]);
    abort.abort();
    const sizes = requests.map(({ body }) => (body as { calls: unknown[] }).calls.length);
    expect(sizes).toEqual([1_000, 501]);
  });
});
