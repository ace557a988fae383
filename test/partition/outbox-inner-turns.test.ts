import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";

const sends = z.object({ outer: z.number(), inner: z.number() });

/** Sends in a turn, and in one that comes back to the object inside of it. */
class Box extends VirtualObject.withState(z.object({ got: z.number().default(0), inner: z.number().default(0) })) {
  static override readonly type = "Box";
  static override readonly reentrant = true;
  static override readonly methods = {
    send: method({ request: sends, response: z.string() }),
    inside: method({ request: z.object({ inner: z.number(), fails: z.boolean().optional() }) }),
    sendAround: method({ request: z.object({ fails: z.boolean() }) }),
    take: method({}),
    read: method({ readonly: true }),
    row: method({ readonly: true }),
  };
  async send({ outer, inner }: z.output<typeof sends>) {
    for (let index = 0; index < outer; index++) this.outbox(Box, "other").take();
    return await this.object(Box, "box")
      .inside({ inner })
      .then(
        () => "both",
        (error: { code: string }) => error.code,
      );
  }
  inside({ inner, fails }: { inner: number; fails?: boolean | undefined }) {
    this.store.put("row", inner);
    this.state.inner = inner;
    for (let index = 0; index < inner; index++) this.outbox(Box, "other").take();
    if (fails === true) this.fail("NO", "changed its mind");
  }
  async sendAround({ fails }: { fails: boolean }) {
    this.outbox(Box, "other").take();
    await this.object(Box, "box")
      .inside({ inner: 2, fails })
      .catch(() => undefined);
  }
  take() {
    this.state.got++;
  }
  read() {
    return this.state;
  }
  row() {
    return this.store.get("row") ?? null;
  }
}

test.each([
  [true, 1],
  [false, 3],
])(
  "[CALL7] what an inner turn sends is sent with the outer turn, unless the inner one fails (%s)",
  async (fails, got) => {
    const cluster = new TestCluster({ objects: [Box], partitions: 1 });
    await cluster.object(Box, "box").sendAround({ fails });
    await cluster.clock.advance(1_000);
    expect(await cluster.object(Box, "other").read()).toMatchObject({ got });
    cluster.stop();
  },
);

test("[CALL7] an inner turn that sends too much leaves nothing behind, no row either", async () => {
  const cluster = new TestCluster({ objects: [Box], partitions: 1 });
  const box = cluster.object(Box, "box");
  expect(await box.send({ outer: 999, inner: 2 })).toBe("PAYLOAD_TOO_LARGE");
  expect([await box.row(), (await box.read()).inner]).toEqual([null, 0]);
  await cluster.clock.advance(1_000);
  expect(await cluster.object(Box, "other").read()).toMatchObject({ got: 999 });
  cluster.stop();
});
