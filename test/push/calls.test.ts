import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { Identity } from "../../src/access/identity.ts";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import type { CallMessage, FinalReply } from "../../src/object/message.ts";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { OPEN } from "../../src/push/client-calls.ts";
import { settle } from "../../src/testing/clocks.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import { CLOSE, type Frame, GateFixture, type TestClient } from "./gate-fixture.ts";

class Purse extends VirtualObject.withState(z.object({ coins: z.number().default(0) })) {
  static override readonly type = "Purse";
  static override readonly access = { owner: true };
  static override readonly methods = {
    put: method({ request: z.object({ coins: z.number().int().positive() }) }),
    secret: method({ internal: true }),
    look: method({ anonymous: true, readonly: true }),
    refuse: method(),
    wait: method({ timeout: "1s" }),
  };

  put({ coins }: { coins: number }) {
    this.state.coins += coins;
    return this.state.coins;
  }

  secret() {}

  look() {
    return this.state.coins;
  }

  refuse() {
    throw new EdgeverseError("CALL_FAILED", "no", { reason: "EMPTY", details: { left: 1 } });
  }

  wait() {
    return new Promise(() => undefined);
  }
}

const ANN: Identity = { id: "ann", roles: [] };
const call = (id: number, name: string, more: object = {}) => ({
  kind: "call",
  id,
  type: "Purse",
  object: "ann",
  method: name,
  ...more,
});
const put = (id: number, coins: number, more: object = {}) => call(id, "put", { request: { coins }, ...more });

/** A gate whose clients call objects of a cluster. */
function withCluster(config: ConstructorParameters<typeof GateFixture>[1] = {}) {
  const cluster = new TestCluster({ objects: [Purse], partitions: 3 });
  const batches: number[] = [];
  const fixture = new GateFixture(undefined, config, {
    registry: cluster.registry,
    batch: (messages, answered) => {
      batches.push(messages.length);
      return cluster.router.batch(messages, answered);
    },
  });
  const ask = async (client: TestClient, ...frames: object[]): Promise<Frame[]> => {
    const refused = await client.say(frames.length === 1 ? frames[0] : frames);
    await fixture.clock.advance(1);
    await cluster.clock.advance(5);
    await settle();
    return [...refused, ...client.wire.take()];
  };
  return { cluster, fixture, batches, ask };
}

/** A gate whose calls are answered when the test says so. */
function withHand(config: ConstructorParameters<typeof GateFixture>[1] = {}) {
  const { registry } = new TestCluster({ objects: [Purse] });
  const sent: { readonly message: CallMessage; readonly answer: (reply: FinalReply) => void }[] = [];
  const fixture = new GateFixture(undefined, config, {
    registry,
    batch: (messages, answered) => {
      for (const [index, message] of messages.entries())
        sent.push({ message, answer: (reply) => answered(index, reply) });
      return Promise.resolve();
    },
  });
  return { fixture, sent };
}

const ids = (frames: readonly Frame[]) => frames.map(({ id }) => id);
const codes = (frames: readonly Frame[]) => frames.map(({ error }) => (error as { code: string } | undefined)?.code);

describe("calls over a connection", () => {
  test("[PUSH8] calls of several frames go to partitions in one batch, and results come in one message", async () => {
    const { fixture, batches, ask } = withCluster();
    const { client } = await fixture.connect({}, ANN);
    const before = client.wire.messages;
    const results = await ask(client, put(1, 5), put(2, 2), call(3, "look"));
    expect(results).toEqual([
      { kind: "result", id: 1, response: 5 },
      { kind: "result", id: 2, response: 7 },
      { kind: "result", id: 3, response: 7 },
    ]);
    expect(batches).toEqual([3]);
    expect(client.wire.messages).toBe(before + 1);
  });

  test("[PUSH8] calls of clients that come in one turn go together", async () => {
    const { fixture, batches } = withCluster();
    const one = await fixture.connect({}, ANN);
    const two = await fixture.connect({}, ANN);
    await Promise.all([one.client.say(put(1, 1)), two.client.say(put(1, 1))]);
    await fixture.clock.advance(1);
    expect(batches).toEqual([2]);
  });

  test("[ACC1] the same decisions as over HTTP", async () => {
    const { fixture, ask } = withCluster();
    const { client } = await fixture.connect({}, ANN);
    const other = (id: number, type: object) => ({ ...put(id, 1), ...type });
    const results = await ask(
      client,
      other(1, { object: "bob" }),
      other(2, { type: "Nothing" }),
      other(3, { type: "__proto__" }),
      other(4, { method: "constructor" }),
      call(5, "secret"),
      put(6, -1),
      put(7, 1, { request: { coins: "many" } }),
      call(8, "refuse"),
      other(9, { object: "" }),
      call(10, "put", { request: "\u0000" }),
      other(11, { surplus: 1 }),
      other(12, { expiresIn: 5 }),
    );
    const by = new Map(results.map((frame) => [frame["id"], codes([frame])[0]]));
    expect(Object.fromEntries(by)).toEqual({
      1: "ACCESS_DENIED",
      2: "TYPE_NOT_FOUND",
      3: "INVALID_ID",
      4: "METHOD_NOT_FOUND",
      5: "METHOD_NOT_FOUND",
      6: "INVALID_ARGUMENT",
      7: "INVALID_ARGUMENT",
      8: "CALL_FAILED",
      9: "INVALID_ID",
      10: "INVALID_ARGUMENT",
      11: "INVALID_ARGUMENT",
      12: "INVALID_ARGUMENT",
    });
    expect(results.find(({ id }) => id === 8)?.["error"]).toMatchObject({ reason: "EMPTY", details: { left: 1 } });
    expect(client.wire.closed).toBeUndefined();
    const { client: nobody } = await fixture.connect();
    expect(codes(await ask(nobody, put(1, 1)))).toEqual(["UNAUTHENTICATED"]);
    expect(await ask(nobody, call(2, "look"))).toEqual([{ kind: "result", id: 2, response: 0 }]);
  });

  test("[CALL1] a call with an id is reliable, and its identity's", async () => {
    const { fixture, ask } = withCluster();
    const { client } = await fixture.connect({}, ANN);
    expect(await ask(client, put(1, 5, { callId: "gift" }))).toEqual([{ kind: "result", id: 1, response: 5 }]);
    await client.cut();
    const again = await fixture.connect({}, ANN);
    expect(await ask(again.client, put(1, 5, { callId: "gift" }))).toEqual([
      { kind: "result", id: 1, response: 5, replayed: true },
    ]);
    const { client: nobody } = await fixture.connect();
    expect(codes(await ask(nobody, call(1, "look", { callId: "gift" })))).toEqual(["CALL_ID_REUSED"]);
  });

  test("[TURN6] a call ends at its deadline: its own, its method's, and no later than the host lets", async () => {
    const { fixture, sent } = withHand({ maxCallTimeout: 5_000, callTimeout: 3_000 });
    const { client } = await fixture.connect({}, ANN);
    await client.say([put(1, 1), put(2, 1, { timeout: 70 }), call(3, "wait"), put(4, 1, { timeout: 1e9 })]);
    await fixture.clock.advance(0);
    const now = fixture.clock.now();
    expect(sent.map(({ message }) => message.deadline - now)).toEqual([3_000, 70, 1_000, 5_000]);
  });

  test("[PUSH8] results come as they are ready, and none for a call that was cancelled", async () => {
    const { fixture, sent } = withHand();
    const { client } = await fixture.connect({}, ANN);
    await client.say([put(1, 1), put(2, 1), put(3, 1)]);
    await fixture.clock.advance(0);
    sent[2]?.answer({ kind: "response", response: "3" });
    await settle();
    expect(ids(client.wire.take())).toEqual([3]);
    await client.say({ kind: "cancel", id: 1 });
    for (const { answer } of sent.slice(0, 2)) answer({ kind: "response", response: "1" });
    await settle();
    expect(ids(client.wire.take())).toEqual([2]);
    // A call that was not sent is dropped.
    await client.say([put(4, 1), put(5, 1), { kind: "cancel", id: 4 }]);
    await fixture.clock.advance(0);
    expect(sent.map(({ message }) => message.request)).toHaveLength(4);
    expect(fixture.gate.stats.calls).toEqual({ open: 1, bytes: expect.any(Number) });
  });

  test("[PUSH8] calls of a client that has gone are dropped, and nothing of them stays", async () => {
    const { fixture, sent } = withHand();
    const { client } = await fixture.connect({}, ANN);
    await client.say([put(1, 1), put(2, 1)]);
    await fixture.clock.advance(0);
    await client.say(put(3, 1));
    await client.cut();
    await fixture.clock.advance(0);
    expect(sent).toHaveLength(2);
    for (const { answer } of sent) answer({ kind: "response", response: "1" });
    await settle();
    expect(fixture.gate.stats.calls).toEqual({ open: 0, bytes: 0 });
    expect(client.wire.take()).toEqual([]);
  });

  test("[PUSH8] a connection that outlasts the process that had its calls is closed: nobody knows what became of them", async () => {
    const { fixture, sent } = withHand();
    const { client } = await fixture.connect({}, ANN);
    const { client: idle } = await fixture.connect({}, ANN);
    await client.say(put(1, 1));
    await idle.say(put(1, 1));
    await fixture.clock.advance(0);
    sent[1]?.answer({ kind: "response", response: "1" });
    fixture.restart("kept");
    expect(client.wire.closed).toBe(CLOSE.restart);
    expect(idle.wire.closed).toBeUndefined();
  });
});

describe("bounds of calls over a connection", () => {
  test("[PUSH9] a client has so many open calls, each with a number of its own", async () => {
    const { fixture, sent } = withHand();
    const { client } = await fixture.connect({}, ANN);
    const calls = Array.from({ length: OPEN.calls }, (_, id) => put(id, 1));
    expect(await client.say(calls)).toEqual([]);
    expect(codes(await client.say(put(999, 1)))).toEqual(["OVERLOADED"]);
    await fixture.clock.advance(0);
    sent[0]?.answer({ kind: "response", response: "1" });
    expect(codes(await client.say(put(999, 1)))).toEqual([undefined]);
    expect(codes(await client.say(put(1, 1)))).toEqual(["INVALID_ARGUMENT"]);
    expect(client.wire.closed).toBe(CLOSE.refused);
  });

  test("[PUSH9] frames: 256 of a message, and so many a second", async () => {
    const { fixture } = withHand({ clientFrames: 10 });
    const { client } = await fixture.connect({}, ANN);
    expect(codes(await client.say(Array.from({ length: 257 }, () => ({ kind: "ack", seen: 0 }))))).toEqual([
      "PAYLOAD_TOO_LARGE",
    ]);
    const { client: busy } = await fixture.connect({}, ANN);
    const calls = (from: number, count: number) => Array.from({ length: count }, (_, n) => put(from + n, 1));
    expect(codes(await busy.say(calls(0, 42)))).toEqual(["RATE_LIMITED", "RATE_LIMITED"]);
    await fixture.clock.advance(1_000);
    expect(codes(await busy.say(calls(100, 9)))).toEqual(["RATE_LIMITED"]);
    expect(codes(await busy.say(calls(200, 100))).at(-1)).toBe("RATE_LIMITED");
    expect(busy.wire.closed).toBe(CLOSE.refused);
  });

  test("[PUSH9] a client that reads no results gets no more calls, and is closed in the end", async () => {
    const { fixture, sent } = withHand();
    const { client } = await fixture.connect({}, ANN);
    const big: FinalReply = { kind: "response", response: JSON.stringify("x".repeat(300_000)) };
    await client.say(Array.from({ length: 60 }, (_, id) => put(id, 1)));
    await fixture.clock.advance(0);
    sent[0]?.answer(big);
    await settle();
    const [, check] = client.wire.take();
    expect(check).toEqual({ kind: "check", n: expect.any(Number) });
    for (const { answer } of sent.slice(1, 5)) answer(big);
    expect(codes(await client.say(put(100, 1))).at(-1)).toBe("OVERLOADED");
    await client.say(check);
    expect(codes(await client.say(put(101, 1)))).toEqual([]);
    for (const { answer } of sent.slice(5)) answer(big);
    await settle();
    expect(client.wire.closed).toBe(CLOSE.silent);
    await fixture.clock.advance(0);
    for (const { answer } of sent.slice(60)) answer(big);
    expect(fixture.gate.stats.calls).toEqual({ open: 0, bytes: 0 });
  });

  test("[PUSH9] a frame that can't be read ends the connection, and those before it count", async () => {
    const { fixture, sent } = withHand();
    const { client } = await fixture.connect({}, ANN);
    const frames = await client.say([put(1, 1), { kind: "nothing" }, put(2, 1)]);
    expect(codes(frames)).toEqual(["INVALID_ARGUMENT"]);
    expect(client.wire.closed).toBe(CLOSE.refused);
    await fixture.clock.advance(0);
    expect(sent).toHaveLength(0);
  });
});
