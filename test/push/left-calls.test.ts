import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import type { Identity } from "../../src/access/identity.ts";
import type { CallMessage } from "../../src/object/message.ts";
import type { Answered } from "../../src/router/batch.ts";
import { settle } from "../../src/testing/clocks.ts";
import { GateFixture } from "./gate-fixture.ts";

const ANN: Identity = { id: "ann", roles: [] };
let open = () => {};
let ran = 0;

class Door extends VirtualObject {
  static override readonly type = "Door";
  static override readonly access = { anonymous: true };
  static override readonly methods = { hold: method(), pass: method() };

  hold() {
    return new Promise<void>((resolve) => {
      open = resolve;
    });
  }

  pass() {
    ran++;
  }
}

const call = (id: number, name: string, more: object = {}) => ({
  kind: "call",
  id,
  type: "Door",
  object: "a",
  method: name,
  ...more,
});
const cancel = (id: number) => ({ kind: "cancel", id });

/** A gate over a cluster, or over nobody: the test answers then. */
function setup(real: boolean) {
  const cluster = new TestCluster({ objects: [Door] });
  const { registry, router } = cluster;
  const sent: CallMessage[] = [];
  const left: CallMessage[][] = [];
  let answered: Answered = () => undefined;
  const fixture = new GateFixture(
    undefined,
    {},
    {
      registry,
      async batch(messages, answer, isLeft) {
        sent.push(...messages);
        answered = answer;
        if (real) await router.batch(messages, answer, isLeft);
      },
      withdraw(messages) {
        left.push([...messages]);
        if (real) router.withdraw(messages);
      },
    },
  );
  const pass = async () => {
    await fixture.clock.advance(0);
    await cluster.clock.advance(30);
    await settle();
  };
  return { cluster, fixture, sent, left, pass, answer: (index: number) => answered(index, DONE) };
}

const DONE = { kind: "response", response: "null" } as const;

test("[PUSH8] [TURN12] partitions hear once of all plain calls that were left in one event", async () => {
  const { fixture, sent, left, answer } = setup(false);
  const { client } = await fixture.connect({}, ANN);
  const { client: other } = await fixture.connect({}, ANN);
  await client.say([
    call(1, "pass"),
    call(2, "pass"),
    call(3, "pass"),
    call(4, "pass", { callId: "k" }),
    call(5, "pass"),
  ]);
  await other.say(call(1, "pass"));
  await fixture.clock.advance(0);
  answer(2);
  await client.say([...[1, 1, 3, 4].map(cancel), call(6, "pass"), cancel(6)]);
  await fixture.clock.advance(0);
  expect(left).toEqual([[sent[0]]]);
  await client.cut();
  await fixture.clock.advance(0);
  expect(left.slice(1)).toEqual([[sent[1], sent[4]]]);
});

test("[PUSH8] [TURN12] a call that waits at its partition is dropped when it is cancelled, or its client is gone", async () => {
  const { cluster, fixture, pass } = setup(true);
  const { client } = await fixture.connect({}, ANN);
  const { client: other } = await fixture.connect({}, ANN);
  await client.say([call(1, "hold"), call(2, "pass"), call(3, "pass")]);
  await other.say(call(1, "pass"));
  await pass();
  const { engine } = await cluster.partition("p0").core();
  expect(engine.waiting).toBe(3);
  await client.say(cancel(2));
  await pass();
  expect(engine.waiting).toBe(2);
  await client.cut();
  await pass();
  expect(engine.waiting).toBe(1);
  open();
  await pass();
  expect(ran).toBe(1);
  expect(fixture.gate.stats.calls).toEqual({ open: 0, bytes: expect.any(Number) });
});
