import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { httpOf } from "../access/http-of.ts";
import { OPEN } from "../support/open-access.ts";

const gates = new Map<string, () => void>();
const open = async (name: string) => {
  gates.get(name)?.();
  await settle();
};
let ran: string[] = [];
let cluster: TestCluster;
/** Lets what can happen at once happen. */
const settle = () => cluster.clock.advance(2);

class Desk extends VirtualObject.withState(z.object({ count: z.number().default(0) })) {
  static override readonly type = "Desk";
  static override readonly index = { count: (state: { count: number }) => state.count };
  static override readonly methods = {
    add: method({ request: z.string() }),
    look: method({ readonly: true, request: z.string() }),
    hold: method({ request: z.string() }),
    relay: method({ request: z.string() }),
  };

  add(name: string) {
    ran.push(name);
    return ++this.state.count;
  }

  async look(name: string) {
    await new Promise<void>((resolve) => gates.set(name, resolve));
    ran.push(name);
    return this.state.count;
  }

  async hold(name: string) {
    await new Promise<void>((resolve) => gates.set(name, resolve));
    ran.push(name);
    return ++this.state.count;
  }

  relay(name: string) {
    return this.object(Desk, "a").add(name);
  }
}

beforeEach(() => {
  ran = [];
  gates.clear();
});

function setup(partitions = 1, changes: Parameters<typeof httpOf>[1] = {}) {
  cluster = new TestCluster({ objects: [Desk], partitions, access: OPEN, config: { shards: 8 } });
  const http = httpOf(cluster, changes);
  const ask = (path: string, body: object, headers: Record<string, string> = {}) => {
    const client = new AbortController();
    const init: RequestInit = { method: "POST", body: JSON.stringify(body), headers, signal: client.signal };
    const answer = http(new Request(`http://host.test/api/v1/objects/${path}`, init));
    return {
      done: () => cluster.clock.until(answer),
      body: async () => (await (await cluster.clock.until(answer)).json()) as Record<string, unknown>,
      /** The client goes. */
      async leave() {
        client.abort();
        await settle();
      },
    };
  };
  const post = (id: string, name: string, request: string, headers?: Record<string, string>) =>
    ask(`call/Desk/${encodeURIComponent(id)}/${name}`, { request }, headers);
  /** Turns that wait in the partition, and bytes that its calls hold. */
  const waiting = async (name = "p0") => {
    const core = await cluster.partition(name).core();
    return { turns: core.engine.waiting, gate: core.gate.waiting };
  };
  return { http, ask, post, waiting };
}

describe("when the client of a call has gone", () => {
  test("[TURN12] what waits for its object is dropped, and what runs goes on to its end", async () => {
    const { post, waiting } = setup();
    const first = post("a", "hold", "first");
    await settle();
    const second = post("a", "add", "second");
    const third = post("a", "add", "third");
    await settle();
    expect(await waiting()).toMatchObject({ turns: 2 });
    await second.leave();
    await first.leave();
    expect(await waiting()).toMatchObject({ turns: 1 });
    await open("first");
    expect(await third.body()).toEqual({ response: 2 });
    expect(ran).toEqual(["first", "third"]);
    // Nobody hears of it.
    expect(await second.body()).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    const core = await cluster.partition("p0").core();
    expect(core.memory.held).toBe(0);
  });

  test("[TURN12] readers behind a dropped writer run at once", async () => {
    const { post } = setup();
    const reader = post("a", "look", "reader");
    await settle();
    const writer = post("a", "add", "writer");
    await settle();
    const other = post("a", "look", "other");
    await settle();
    expect([...gates.keys()]).toEqual(["reader"]);
    await writer.leave();
    expect([...gates.keys()]).toEqual(["reader", "other"]);
    await open("reader");
    await open("other");
    expect([await reader.body(), await other.body()]).toEqual([{ response: 0 }, { response: 0 }]);
  });

  test("[TURN12] a reliable call is accepted, and runs all the same", async () => {
    const { post } = setup();
    const first = post("a", "hold", "first");
    await settle();
    const second = post("a", "add", "second", { "idempotency-key": "k" });
    const third = post("a", "add", "third", { "idempotency-key": "l", prefer: "respond-async" });
    await settle();
    await second.leave();
    await third.leave();
    await open("first");
    await first.done();
    expect(ran).toEqual(["first", "second", "third"]);
  });

  test("[TURN12] creates and deletes too", async () => {
    const { ask, post, waiting } = setup();
    const first = post("a", "hold", "first");
    await settle();
    const gone = ask("delete/Desk/a", {});
    await settle();
    expect(await waiting()).toMatchObject({ turns: 1 });
    await gone.leave();
    expect(await waiting()).toMatchObject({ turns: 0 });
    await open("first");
    expect(await first.body()).toEqual({ response: 1 });
    expect(await post("a", "add", "later").body()).toEqual({ response: 2 });
  });

  test("[TURN12] what an object has asked for on behalf of it goes on", async () => {
    const { post, ask, waiting } = setup();
    const first = post("a", "hold", "first");
    await settle();
    // Both on the same object, by one request: the relay's own call waits beside the client's.
    const calls = [
      { type: "Desk", id: "b", method: "relay", request: "relayed" },
      { type: "Desk", id: "a", method: "add", request: "own" },
    ];
    const both = ask("batch", { calls });
    await settle();
    expect(await waiting()).toMatchObject({ turns: 2 });
    await both.leave();
    expect(await waiting()).toMatchObject({ turns: 1 });
    await open("first");
    await first.done();
    await both.done();
    expect(ran).toEqual(["first", "relayed"]);
  });

  test("[TURN12] another client's call with the same X-Request-Id stays", async () => {
    const { post } = setup();
    const first = post("a", "hold", "first");
    await settle();
    const mine = post("a", "add", "mine", { "x-request-id": "same" });
    const theirs = post("a", "add", "theirs", { "x-request-id": "same" });
    await settle();
    await mine.leave();
    await open("first");
    await first.done();
    await theirs.done();
    expect(ran).toEqual(["first", "theirs"]);
  });

  test("[TURN12] what waits for a shard that moves is dropped", async () => {
    const { post, waiting } = setup(2);
    const from = cluster.ownerOf(Desk, "a");
    const to = from === "p0" ? "p1" : "p0";
    await post("a", "add", "before").done();
    const first = post("a", "hold", "first");
    await settle();
    const moved = cluster.move(Desk, "a", { to });
    await settle();
    await cluster.clock.advance(50);
    const second = post("a", "add", "second");
    await cluster.clock.advance(1);
    expect(await waiting(from)).toMatchObject({ gate: 1 });
    await second.leave();
    expect(await waiting(from)).toMatchObject({ gate: 0 });
    await open("first");
    await moved;
    await first.done();
    expect(await post("a", "add", "after").body()).toEqual({ response: 3 });
    expect(ran).toEqual(["before", "first", "after"]);
  });

  test("[TURN12] a call that was not sent yet is not sent: not a first time, and not again", async () => {
    const { http, post } = setup();
    cluster.unreachable.add("p0");
    const reader = post("a", "look", "reader");
    await settle();
    await reader.leave();
    cluster.unreachable.delete("p0");
    await cluster.clock.advance(60_000);
    expect(gates.size).toBe(0);
    expect((await reader.done()).status).toBe(503);
    const signal = AbortSignal.abort();
    const late = new Request("http://host.test/api/v1/objects/call/Desk/a/add", { method: "POST", signal });
    expect((await http(late)).status).toBeGreaterThanOrEqual(400);
    expect(ran).toEqual([]);
  });
});

describe("when the client of a batch has gone", () => {
  test("[TURN12] its calls that wait are dropped, and what is not sent is not sent", async () => {
    const { ask, post, waiting } = setup();
    const first = post("a", "hold", "first");
    await settle();
    const add = (request: string, more: object = {}) => ({ type: "Desk", id: "a", method: "add", request, ...more });
    // The last one is not with its object yet: it is sent there when the reliable one has its outcome.
    const gone = ask("batch", { calls: [add("1"), add("2"), add("3", { callId: "k" }), add("4")] });
    await settle();
    expect(await waiting()).toMatchObject({ turns: 2 });
    await gone.leave();
    // The reliable one.
    expect(await waiting()).toMatchObject({ turns: 1 });
    await open("first");
    await first.done();
    expect((await gone.body())["results"]).toMatchObject([
      { error: { code: "UNAVAILABLE" } },
      { error: { code: "UNAVAILABLE" } },
      { response: 2 },
      { error: { code: "UNAVAILABLE" } },
    ]);
    expect(ran).toEqual(["first", "3"]);
  });

  test("[TURN12] what a partition did not get yet it does not get", async () => {
    setup();
    // Two messages of 12 Mi characters at most, one after the other.
    const big = JSON.stringify("x".repeat(1_000_000));
    const calls = Array.from({ length: 14 }, (_, n) =>
      cluster.message("Desk", `o${n}`, n < 1 ? "hold" : "add", "hold"),
    );
    const client = new AbortController();
    const replies = cluster.router.batchOf(
      calls.map((message) => ({ ...message, request: message.method === "hold" ? '"first"' : big })),
      client.signal,
    );
    await settle();
    expect(ran).toHaveLength(12);
    client.abort();
    await open("first");
    expect((await cluster.clock.until(replies)).map(({ kind }) => kind)).toEqual([
      ...Array(13).fill("response"),
      "error",
    ]);
    expect(ran).toHaveLength(13);
  });
});

test("[TURN12] a query whose client has gone asks no partition more", async () => {
  const { http, post } = setup(2);
  await post("a", "add", "one").done();
  cluster.unreachable.add("p0").add("p1");
  const init = { signal: AbortSignal.abort(), headers: { authorization: "Bearer t" } };
  const response = await http(new Request("http://host.test/api/v1/objects/query/Desk?index=count", init));
  expect(response.status).toBe(503);
});
