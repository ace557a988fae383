import { createOutbox, type Outcome, type StoredCall } from "edgeverse/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { clientOf, fakeHost, offline, ok, problem, type Seen } from "./fake-host.ts";

beforeEach(() => {
  vi.useFakeTimers();
  // Node has locks, whose time is not the test's.
  vi.stubGlobal("navigator", {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A storage that outlasts its outboxes. */
function storageOf(calls: StoredCall[] = []) {
  return {
    calls,
    list: async () => [...calls],
    add: async (call: StoredCall) => void calls.push(call),
    remove: async (callId: string) => {
      const index = calls.findIndex((call) => call.callId === callId);
      if (index >= 0) calls.splice(index, 1);
    },
  };
}

function make(fetch: Parameters<typeof clientOf>[0], storage = storageOf(), more = {}) {
  const outcomes: Outcome[] = [];
  const onOutcome = (outcome: Outcome) => void outcomes.push(outcome);
  const outbox = createOutbox(clientOf(fetch), { name: "ann", storage, onOutcome, ...more });
  return { outbox, outcomes, calls: storage.calls, storage };
}

const methods = (requests: readonly Seen[]) => requests.map(({ path }) => path.split("/").slice(6).join("/"));
const keys = (requests: readonly Seen[]) => requests.map(({ headers }) => headers.get("idempotency-key"));
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("[CLIENT9] the outbox", () => {
  test("answers once a call is stored, sends it, and tells its outcome", async () => {
    const { fetch, requests } = fakeHost(ok(7));
    const { outbox, outcomes, calls } = make(fetch);
    const callId = await outbox.object("Cart", "a").put!({ item: 1 });
    await pass(10);
    expect(keys(requests)).toEqual([`"${callId}"`]);
    expect(outcomes).toMatchObject([{ ok: true, callId, response: 7, type: "Cart", id: "a", method: "put" }]);
    expect(calls).toEqual([]);
    outbox.close();
  });

  test("keeps what can't be sent, also for the next visit, and sends it in order with the same ids", async () => {
    const down = fakeHost(offline);
    const first = make(down.fetch);
    const cart = first.outbox.object("Cart", "a");
    const ids = await Promise.all([cart.put!(1), cart.put!(2), first.outbox.object("Cart", "b").put!(3)]);
    await pass(90_000);
    expect(new Set(methods(down.requests))).toEqual(new Set(["Cart/a/put", "Cart/b/put"]));
    expect(first.calls).toHaveLength(3);
    first.outbox.close();

    const up = fakeHost(ok(1));
    const second = make(up.fetch, first.storage);
    await pass(10);
    const ofA = up.requests.filter(({ path }) => path.includes("Cart/a"));
    expect(ofA.map(({ body }) => body)).toEqual([{ request: 1 }, { request: 2 }]);
    expect(new Set(keys(up.requests))).toEqual(new Set(ids.map((id) => `"${id}"`)));
    expect([second.outcomes.length, second.calls]).toEqual([3, []]);
    second.outbox.close();
  });

  test("one object that must wait holds up no other", async () => {
    const { fetch, requests } = fakeHost(({ path }) => (path.includes("/a/") ? offline() : ok(1)()));
    const { outbox, outcomes } = make(fetch);
    const methodsOf = (id: string) => outbox.object("Cart", id);
    await Promise.all([methodsOf("a").one!(), methodsOf("a").two!(), methodsOf("b").one!(), methodsOf("b").two!()]);
    await pass(60_000);
    expect(outcomes.map(({ id, method }) => [id, method])).toEqual([
      ["b", "one"],
      ["b", "two"],
    ]);
    expect(methods(requests)).not.toContain("Cart/a/two");
    outbox.close();
  });

  test("a call that is refused for good ends with its error, and the next one goes on", async () => {
    const refuse = problem("CALL_FAILED", { reason: "SOLD_OUT" });
    const { fetch } = fakeHost(({ path }) => (path.endsWith("/one") ? refuse() : ok(1)()));
    const { outbox, outcomes } = make(fetch);
    const cart = outbox.object("Cart", "a");
    await Promise.all([cart.one!(), cart.two!()]);
    await pass(10);
    expect(outcomes).toMatchObject([
      { method: "one", ok: false, error: { code: "CALL_FAILED", reason: "SOLD_OUT" } },
      { method: "two", ok: true },
    ]);
    outbox.close();
  });

  test.each([
    ["whoever has signed out", problem("UNAUTHENTICATED")],
    ["who is in a network that wants one to sign in", () => new Response("<html>", { status: 403 })],
  ])("%s loses nothing", async (_, answer) => {
    const { fetch } = fakeHost(answer);
    const { outbox, outcomes, calls } = make(fetch);
    await outbox.object("Cart", "a").put!();
    await pass(60_000);
    expect([outcomes, calls.length]).toEqual([[], 1]);
    outbox.close();
  });

  test("a call that is too late is given up, and told", async () => {
    const { fetch, requests } = fakeHost(offline);
    const { outbox, outcomes, calls } = make(fetch, storageOf(), { expiresIn: 60_000 });
    await outbox.object("Cart", "a").put!();
    await pass(200_000);
    expect(requests[0]?.headers.get("edgeverse-expires-in")).toBe("60000");
    expect(outcomes).toMatchObject([{ ok: false, error: { code: "DEADLINE_EXCEEDED", reason: "EXPIRED" } }]);
    expect(calls).toEqual([]);
    outbox.close();
  });

  test("holds no more than it may", async () => {
    const { outbox } = make(fakeHost(offline).fetch, storageOf(), { most: 2 });
    const cart = outbox.object("Cart", "a");
    const results = await Promise.allSettled([cart.put!(), cart.put!(), cart.put!()]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect(await outbox.pending()).toHaveLength(2);
    outbox.close();
  });

  test("of several pages, one sends at a time, and each call once", async () => {
    let line: Promise<unknown> = Promise.resolve();
    const request = (_: string, work: () => Promise<unknown>) => {
      const turn = line.then(work);
      line = turn.catch(() => {});
      return turn;
    };
    vi.stubGlobal("navigator", { locks: { request } });
    const { fetch, requests } = fakeHost(ok(1));
    const storage = storageOf();
    const pages = [make(fetch, storage), make(fetch, storage)];
    await Promise.all(pages.map(({ outbox }, page) => outbox.object("Cart", `${page}`).put!()));
    await pass(10);
    expect([requests.length, new Set(keys(requests)).size]).toEqual([2, 2]);
    for (const { outbox } of pages) outbox.close();
  });

  test("without IndexedDB it wants a storage", () => {
    expect(() => createOutbox(clientOf(fakeHost(ok(1)).fetch), { name: "ann" })).toThrow("give the outbox a storage");
  });
});
