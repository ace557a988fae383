import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";

/** Tells `shard#3/listener` what it does in a transaction. */
class Account extends VirtualObject.withState(
  z.object({ balance: z.number().default(0), told: z.number().default(0) }),
) {
  static override readonly type = "Account";
  static override readonly methods = {
    transfer: method({ request: z.object({ to: z.string(), amount: z.number(), caught: z.boolean().optional() }) }),
    take: method({ request: z.object({ amount: z.number() }) }),
    hear: method({}),
    read: method({ readonly: true }),
  };
  async transfer({ to, amount, caught }: { to: string; amount: number; caught?: boolean | undefined }) {
    const moved = this.transact([[Account, to]], async (other) => {
      this.outbox(Account, "shard#3/listener").hear();
      await other.take({ amount: Math.abs(amount) });
      if (amount < 0) this.fail("NO", "changed its mind");
    });
    if (caught === true) await moved.catch(() => undefined);
    else await moved;
  }
  take({ amount }: { amount: number }) {
    this.state.balance += amount;
    this.outbox(Account, "shard#3/listener").hear();
  }
  hear() {
    this.state.told++;
  }
  read() {
    return this.state;
  }
}

test("[CALL7] [TX1] [TX2] what the objects of a transaction send is sent if it happens", async () => {
  const cluster = new TestCluster({ objects: [Account], partitions: 1, config: { shards: 8 } });
  const [ann, listener] = [cluster.object(Account, "shard#3/ann"), cluster.object(Account, "shard#3/listener")];
  const told = async () => {
    await cluster.clock.advance(1_000);
    return (await listener.read()).told;
  };
  await ann.transfer({ to: "shard#3/bob", amount: 1 });
  expect(await told()).toBe(2);
  await expect(ann.transfer({ to: "shard#3/bob", amount: -1 })).rejects.toMatchObject({ reason: "NO" });
  expect(await told()).toBe(2);
  cluster.stop();
});

test("[CALL7] [TX4] a turn that begins again has sent nothing in its first run", async () => {
  const cluster = new TestCluster({ objects: [Account], partitions: 1, config: { shards: 8 } });
  const names = ["shard#3/ann", "shard#3/bob", "shard#3/cid"];
  await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      cluster
        .object(Account, names[index % 3] as string)
        .transfer({ to: names[(index + 1 + (index % 2)) % 3] as string, amount: 1 }),
    ),
  );
  await cluster.clock.advance(1_000);
  expect((await cluster.object(Account, "shard#3/listener").read()).told).toBe(60);
  cluster.stop();
});
