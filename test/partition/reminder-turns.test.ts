import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";

const HOUR = 3_600_000;

/** Sets reminders in turns inside its own, and in transactions. */
class Nest extends VirtualObject.withState(z.object({ n: z.number().default(0) })) {
  static override readonly type = "Nest";
  static override readonly reentrant = true;
  static override readonly methods = {
    set: method({ request: z.object({ name: z.string(), fail: z.boolean().default(false) }) }),
    inside: method({ request: z.object({ fail: z.boolean() }) }),
    together: method({ request: z.object({ other: z.string(), fail: z.boolean() }) }),
    names: method({ readonly: true }),
    ring: method({ internal: true }),
  };

  set({ name, fail }: { name: string; fail: boolean }) {
    this.remind(name, { after: HOUR }, "ring");
    if (fail) this.fail("NO", "not this one");
    return this.names();
  }

  async inside({ fail }: { fail: boolean }) {
    this.remind("outer", { after: HOUR }, "ring");
    const self = this.object(Nest, this.id);
    const inner = await self.set({ name: "inner", fail }).catch(() => []);
    return { inner, after: this.names() };
  }

  async together({ other, fail }: { other: string; fail: boolean }) {
    await this.transact([[Nest, other]], async (nest) => {
      await nest.set({ name: "theirs" });
    });
    this.remind("mine", { after: HOUR }, "ring");
    if (fail) this.fail("NO", "not this one");
  }

  names() {
    return this.reminders().map(({ name }) => name);
  }

  ring() {
    this.state.n++;
  }
}

const cluster = () => new TestCluster({ objects: [Nest], config: { shards: 16 } });

test("[TIME1] [TURN7] what an inner turn sets is the outer turn's, or nothing if it fails", async () => {
  const nest = cluster().object(Nest, "a");
  expect(await nest.inside({ fail: true })).toEqual({ inner: [], after: ["outer"] });
  expect(await nest.inside({ fail: false })).toEqual({ inner: ["inner", "outer"], after: ["inner", "outer"] });
  expect(await nest.names()).toEqual(["inner", "outer"]);
});

test("[TIME1] [TX1] reminders of a transaction are all set, or none", async () => {
  const both = cluster();
  const [one, other] = [both.object(Nest, "shard#3/a"), both.object(Nest, "shard#3/b")];
  await expect(one.together({ other: "shard#3/b", fail: true })).rejects.toMatchObject({ reason: "NO" });
  expect([await one.names(), await other.names()]).toEqual([[], []]);
  await one.together({ other: "shard#3/b", fail: false });
  expect([await one.names(), await other.names()]).toEqual([["mine"], ["theirs"]]);
});
