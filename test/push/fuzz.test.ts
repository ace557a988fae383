import fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod";
import { isErrorCode } from "../../src/errors/codes.ts";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { OPEN } from "../../src/push/client-calls.ts";
import { settle } from "../../src/testing/clocks.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import { CLOSE, type Frame, GateFixture, type TestClient } from "./gate-fixture.ts";

const MESSAGES = 20_000;
/** The others are these with a character of another in it. */
const MADE = 2_500;
const CLIENTS = 12;
const SEED = 11;

class Counter extends VirtualObject.withState(z.object({ value: z.number().default(0) })) {
  static override readonly type = "Counter";
  static override readonly access = { anonymous: true };
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number().int() }) }),
    echo: method({ request: z.unknown() }),
  };

  add({ by }: { by: number }) {
    this.state.value += by;
    return this.state.value;
  }

  echo(request: unknown) {
    return request ?? null;
  }
}

const name = fc.oneof(
  fc.constantFrom("Counter", "add", "echo", "a", "b/c", "__proto__", "constructor", "toString", "hasOwnProperty", ""),
  fc.constantFrom("shard#5/x", "partition#p9/x", "x".repeat(600), "\u0000", "💥"),
  fc.string({ unit: "binary", maxLength: 8 }),
);
const topic = fc.oneof(
  fc.constantFrom("room/1", "room/*", "**", "a/**/b", "*/*/*", "/", "a//b", "x".repeat(300)),
  name,
);
const number = fc.oneof(fc.nat(20), fc.integer(), fc.double(), fc.constantFrom(-1, 2 ** 53, 1e300));
const kind = fc.constantFrom("hello", "ack", "subscribe", "unsubscribe", "cancel", "check", "token", "leave", "watch");
/** Mostly frames as clients send them, so that many go deep. */
const call = fc.record({
  kind: fc.constant("call"),
  id: fc.nat(10_000),
  type: fc.constant("Counter"),
  object: fc.constantFrom("a", "b", "c"),
  method: fc.constantFrom("add", "echo"),
  request: fc.oneof(fc.record({ by: fc.integer() }), fc.jsonValue()),
});
const wildCall = fc.record(
  {
    kind: fc.constant("call"),
    id: number,
    type: name,
    object: name,
    method: name,
    request: fc.jsonValue(),
    callId: fc.oneof(fc.string(), fc.constant("once")),
    timeout: number,
    expiresIn: number,
    log: name,
    traceparent: fc.string(),
    extra: fc.boolean(),
  },
  { requiredKeys: ["kind", "id"] },
);
const subscribe = fc.record({ kind: fc.constantFrom("subscribe", "unsubscribe"), topic });
const other = fc.record(
  {
    kind: fc.oneof(kind, name),
    id: number,
    n: number,
    seen: number,
    topic,
    session: name,
    token: name,
    topics: fc.array(topic),
  },
  { requiredKeys: ["kind"] },
);
const frame = fc.oneof(
  { weight: 6, arbitrary: call },
  { weight: 2, arbitrary: wildCall },
  { weight: 3, arbitrary: subscribe },
  { weight: 1, arbitrary: other },
);
const text = fc.oneof(
  { weight: 8, arbitrary: frame.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: fc.array(frame, { maxLength: 6 }).map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.json() },
  {
    weight: 1,
    arbitrary: fc
      .tuple(frame, fc.nat(200), fc.string({ maxLength: 3 }))
      .map(([value, at, put]) =>
        JSON.stringify(value).replace(/[\s\S]/g, (character, index) => (index === at ? put : character)),
      ),
  },
);
const CORPUS: readonly unknown[] = [
  "",
  "[]",
  "[[]]",
  "null",
  "[null]",
  "ping",
  new ArrayBuffer(8),
  "[".repeat(60_000),
  `{"kind":"call","id":1,"type":"Counter","object":"a","method":"echo","request":${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
  `{"kind":"call","id":1,"type":"Counter","object":"a","method":"echo","request":1e999}`,
  '{"__proto__":{"kind":"leave"},"kind":"call","id":2}',
  '{"kind":"__proto__"}',
  '{"kind":"constructor"}',
  '{"kind":"call","id":3,"type":"Counter","object":"a","method":"echo","request":{"__proto__":{"x":1}}}',
  JSON.stringify({ kind: "subscribe", topic: "x/".repeat(30_000) }),
  "x".repeat(70_000),
  JSON.stringify(Array.from({ length: 300 }, () => ({ kind: "ack", seen: 0 }))),
  JSON.stringify(Array.from({ length: 256 }, (_, id) => ({ kind: "subscribe", topic: `t/${id}` }))),
  JSON.stringify({ kind: "hello", topics: Array.from({ length: 101 }, (_, id) => `t/${id}`) }),
];
const KINDS = new Set([
  "welcome",
  "message",
  "gap",
  "subscribed",
  "unsubscribed",
  "error",
  "result",
  "check",
  "renewed",
  "state",
  "patch",
  "gone",
  "presence",
]);

/** In the round 0 as it is. In every other round, only its numbers differ: else all would be refused by the parser. */
function mutated(message: unknown, round: number): unknown {
  if (typeof message !== "string" || round === 0) return message;
  if (round % 2 === 0) return message.replace(/"id":\d+/g, (text) => `${text}${round}`);
  const at = (message.length * round * 7_919) % (message.length + 1);
  return `${message.slice(0, at)}${'{}[]",:1e-'[round % 10]}${message.slice(at + 1)}`;
}

/** What must hold of whatever a gate sends. */
function check(frames: readonly Frame[]): void {
  for (const { kind, error } of frames) {
    expect(KINDS).toContain(kind);
    if (error === undefined) continue;
    const { code } = error as { code: string };
    if (!isErrorCode(code) || code === "INTERNAL") throw new Error(`${kind} has the error ${JSON.stringify(error)}`);
  }
}

test(`[PUSH9] ${MESSAGES} messages that nobody should send: only documented codes, and nothing grows`, {
  timeout: 240_000,
}, async () => {
  const cluster = new TestCluster({ objects: [Counter], partitions: 2 });
  const fixture = new GateFixture(
    undefined,
    { gateClients: 40, clientFrames: 20 },
    {
      registry: cluster.registry,
      batch: (messages, answered) => cluster.router.batch(messages, answered),
    },
  );
  const clients: TestClient[] = [];
  const closes = new Set<number>();
  let results = 0;
  const flush = async () => {
    await settle();
    await fixture.pass(100);
    await cluster.clock.advance(40);
    await settle();
    for (const { wire } of clients) {
      const frames = wire.take();
      check(frames);
      results += frames.filter(({ kind }) => kind === "result").length;
    }
  };
  const made: readonly unknown[] = [...CORPUS, ...fc.sample(text, { numRuns: MADE, seed: SEED })];
  for (let index = 0; index < MESSAGES; index++) {
    const message = mutated(made[index % made.length], Math.floor(index / made.length));
    const place = index % CLIENTS;
    let client = clients[place];
    if (client === undefined || client.wire.closed !== undefined) {
      if (client?.wire.closed !== undefined) {
        closes.add(client.wire.closed);
        check(client.wire.take());
        fixture.gate.closed(client.wire);
      }
      client = fixture.open();
      clients[place] = client;
      await fixture.gate.received(client.wire, '{"kind":"hello"}');
    }
    void fixture.gate.received(client.wire, message);
    if (index % 60 === 59) await flush();
  }
  for (const { wire } of clients) fixture.gate.closed(wire);
  for (let step = 0; step < 100 && fixture.gate.stats.calls.open > 0; step++) {
    await fixture.clock.advance(0);
    await cluster.clock.advance(1_000);
  }
  const { calls, sessions, log } = fixture.gate.stats;
  expect(calls).toEqual({ open: 0, bytes: 0 });
  expect(sessions).toBeLessThanOrEqual(40);
  expect(log.rows).toBe(0);
  expect(fixture.warnings).toEqual([]);
  expect(results).toBeGreaterThan(MESSAGES / 10);
  for (const code of closes) expect([CLOSE.left, CLOSE.refused, CLOSE.busy]).toContain(code);
});

test("[PUSH9] a flood of one client takes nothing from the others", async () => {
  const cluster = new TestCluster({ objects: [Counter] });
  const fixture = new GateFixture(
    undefined,
    { clientFrames: 100 },
    {
      registry: cluster.registry,
      batch: (messages, answered) => cluster.router.batch(messages, answered),
    },
  );
  const { client: good } = await fixture.connect();
  const { client: bad } = await fixture.connect();
  const add = { kind: "call", type: "Counter", object: "a", method: "add", request: { by: 1 } };
  for (let id = 0; id < 2_000; id++) void fixture.gate.received(bad.wire, JSON.stringify({ ...add, id }));
  expect(fixture.gate.stats.calls.open).toBeLessThanOrEqual(OPEN.calls);
  await settle();
  expect(bad.wire.closed).toBe(CLOSE.refused);
  await good.say({ ...add, id: 1 });
  await fixture.clock.advance(0);
  await cluster.clock.advance(30);
  await settle();
  expect(good.wire.take()).toMatchObject([{ kind: "result", id: 1 }]);
});
