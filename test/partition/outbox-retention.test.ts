import { type CallOutcome, callOutcome, method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";

/** Forgets its calls after a minute. */
class Short extends VirtualObject.withState(
  z.object({ got: z.number().default(0), heard: z.array(z.string()).default([]) }),
) {
  static override readonly type = "Short";
  static override readonly retention = "1m";
  static override readonly methods = {
    send: method({ request: z.object({ to: z.string() }) }),
    take: method({}),
    heard: method({ internal: true, request: callOutcome }),
    read: method({ readonly: true }),
  };
  send({ to }: { to: string }) {
    this.outbox(Short, to).take();
    this.outbox(Short, to, { onOutcome: "heard" }).take();
  }
  take() {
    this.state.got++;
  }
  heard(outcome: CallOutcome) {
    this.state.heard.push(outcome.status === "success" ? "success" : outcome.error.code);
  }
  read() {
    return this.state;
  }
}

test("[CALL7] [CALL9] a call that waited for longer than its receiver keeps marks is told of, and not run", async () => {
  const cluster = new TestCluster({ objects: [Short], partitions: 2 });
  const on = (partition: string) => {
    for (let index = 0; ; index++) if (cluster.ownerOf(Short, `${index}`) === partition) return `${index}`;
  };
  const [ann, bob] = [on("p0"), on("p1")];
  cluster.unreachable.add("p1");
  await cluster.object(Short, ann).send({ to: bob });
  await cluster.clock.advance(120_000);
  cluster.unreachable.delete("p1");
  await cluster.clock.advance(120_000);
  expect(await cluster.object(Short, bob).read()).toMatchObject({ got: 0 });
  expect(await cluster.object(Short, ann).read()).toMatchObject({ heard: ["EXPIRED_CALL_ID"] });
  const told = cluster.warnings.filter(({ event }) => event.startsWith("a message waited"));
  expect(told).toMatchObject([{ details: { type: "Short", id: ann, to: { type: "Short", id: bob }, method: "take" } }]);
  expect(cluster.storage("p0").query("SELECT * FROM outbox")).toEqual([]);
  cluster.stop();
});
