import { expect, test } from "vitest";
import * as z from "zod";
import type { CallMessage, FinalReply } from "../../src/object/message.ts";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { settle } from "../../src/testing/clocks.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";

let release: (value: string) => void = () => undefined;

class Slow extends VirtualObject.withState(z.object({ calls: z.number().default(0) })) {
  static override readonly type = "Slow";
  static override readonly access = { anonymous: true };
  static override readonly methods = { wait: method(), quick: method() };

  wait() {
    return new Promise<string>((resolve) => {
      release = resolve;
    });
  }

  quick() {
    this.state.calls += 1;
    return this.state.calls;
  }
}

function setUp() {
  const cluster = new TestCluster({ objects: [Slow] });
  const message = (id: string, name: string, more: Partial<CallMessage> = {}): CallMessage => ({
    type: "Slow",
    id,
    method: name,
    deadline: cluster.clock.now() + 10_000,
    requestId: "r",
    caller: { kind: "client" },
    ...more,
  });
  const seen = new Map<number, FinalReply>();
  const send = (messages: CallMessage[]) => cluster.router.batch(messages, (index, reply) => seen.set(index, reply));
  const pass = async (ms: number) => {
    await cluster.clock.advance(ms);
    await settle();
  };
  return { cluster, message, seen, send, pass };
}

test("[PUSH8] a call that takes long holds back no other of its batch", async () => {
  const { message, seen, send, pass } = setUp();
  const all = send([message("a", "wait"), message("a", "quick"), message("b", "quick"), message("c", "quick")]);
  await pass(10);
  await pass(15);
  expect([...seen.keys()]).toEqual([2, 3]);
  release("at last");
  await pass(5);
  await pass(5);
  expect(await all).toEqual(['"at last"', "1", "1", "1"].map((response) => ({ kind: "response", response })));
  expect(seen.size).toBe(4);
});

test("[PUSH8] when the partition ends meanwhile, a plain call's outcome is unknown, and a reliable one goes on", async () => {
  const { cluster, message, seen, send, pass } = setUp();
  const reliable = { callId: "once", answer: "outcome" } as const;
  const all = send([message("a", "wait"), message("b", "wait", { reliable })]);
  await pass(10);
  await pass(15);
  expect(seen.size).toBe(0);
  cluster.crash("p0");
  await pass(5);
  expect(seen.get(0)).toMatchObject({ error: { code: "UNAVAILABLE", retryable: false } });
  for (let tries = 0; tries < 20 && seen.size < 2; tries++) {
    release("again");
    await pass(500);
  }
  expect((await all)[1]).toMatchObject({ kind: "response", response: '"again"' });
});
