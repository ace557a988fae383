import { callOutcome, EdgeverseError, method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { verdict } from "../../src/partition/outbox/delivery.ts";

let opened = Promise.withResolvers<void>();

/** Does what lasts until the test lets it end, and tells who asked for it. */
class Worker extends VirtualObject.withState(z.object({ done: z.number().default(0), heard: z.number().default(0) })) {
  static override readonly type = "Worker";
  static override readonly methods = {
    order: method({ request: z.object({ count: z.number() }) }),
    work: method({}),
    ping: method({ request: z.object({ to: z.string() }) }),
    pong: method({}),
    heard: method({ internal: true, request: callOutcome }),
    read: method({ readonly: true }),
  };
  order({ count }: { count: number }) {
    for (let index = 0; index < count; index++) this.outbox(Worker, `worker-${index}`, { onOutcome: "heard" }).work();
  }
  async work() {
    await opened.promise;
  }
  ping({ to }: { to: string }) {
    this.outbox(Worker, to).pong();
  }
  pong() {
    this.state.done++;
  }
  heard() {
    this.state.heard++;
  }
  read() {
    return this.state;
  }
}

test("[CALL7] receivers that take their time hold up no other call, though their outcomes are waited for", async () => {
  opened = Promise.withResolvers();
  const cluster = new TestCluster({ objects: [Worker], partitions: 1 });
  await cluster.object(Worker, "boss").order({ count: 300 });
  await cluster.clock.advance(1_000);
  await cluster.object(Worker, "ann").ping({ to: "bob" });
  await cluster.clock.advance(1_000);
  expect(await cluster.object(Worker, "bob").read()).toMatchObject({ done: 1 });
  opened.resolve();
  await cluster.clock.advance(1_000);
  expect(await cluster.object(Worker, "boss").read()).toMatchObject({ heard: 300 });
  cluster.stop();
});

test("[CALL7] the outcome of an accepted call is what its receiver has stored, not that other code refuses it", () => {
  const error = new EdgeverseError("METHOD_NOT_FOUND", "older code").toWire();
  expect(verdict({ kind: "error", error }, "outcome")).toEqual({ kind: "refused", error });
  expect(verdict({ kind: "error", error, replayed: true }, "outcome")).toMatchObject({
    kind: "ended",
    outcome: { status: "failed" },
  });
});
