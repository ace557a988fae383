import { SqliteStorage } from "edgeverse/testing";
import { expect, test } from "vitest";
import { Desk, desks } from "./outbox-fixture.ts";

/** A database that takes its time until what it has taken is durable. */
class LateStorage extends SqliteStorage {
  wait: (() => Promise<void>) | undefined;
  override async barrier(): Promise<void> {
    await this.wait?.();
    await super.barrier();
  }
}

test("[CALL7] a call that falls due while its shard is handed over leaves, also when the shard comes back", async () => {
  const late = new LateStorage();
  const { cluster, on, settled } = desks(3, {}, (name) => (name === "p2" ? late : new SqliteStorage()));
  const [ann, bob] = [on("p0", "ann"), on("p1", "bob")];
  cluster.unreachable.add("p1");
  const stub = cluster.object(Desk, ann);
  const delays = Array.from({ length: 60 }, (_, index) => 20 * (index + 1));
  for (const delay of delays) await stub.send({ to: bob, text: `${delay}`, delay });
  late.wait = () => new Promise((resolve) => cluster.clock.after(200, resolve));
  await cluster.move(Desk, ann, { to: "p2" });
  late.wait = undefined;
  await cluster.clock.advance(10_000);
  await cluster.move(Desk, ann, { to: "p0" });
  cluster.unreachable.delete("p1");
  await settled();
  const { got } = await cluster.object(Desk, bob).read();
  expect(got).toHaveLength(delays.length);
  cluster.stop();
});

test("[CALL7] what has left with its shard does not count against the limit", async () => {
  const { cluster, on } = desks(3, { outbox: 1_000_000 });
  const [ann, bob, cid] = [on("p0", "ann"), on("p1", "bob"), on("p0", "cyd")];
  cluster.unreachable.add("p1");
  for (let index = 0; index < 4; index++) await cluster.object(Desk, ann).sendLarge({ to: bob, bytes: 200_000 });
  await cluster.move(Desk, ann, { to: "p2" });
  // Its rows are still here: they count until they are cleared away.
  await expect(cluster.object(Desk, cid).sendLarge({ to: bob, bytes: 400_000 })).rejects.toMatchObject({
    code: "OVERLOADED",
  });
  await cluster.clock.advance(10_000);
  await cluster.object(Desk, cid).sendLarge({ to: bob, bytes: 400_000 });
  expect(cluster.ownerOf(Desk, cid)).toBe("p0");
  cluster.stop();
});

test("[CALL7] what came with a shard leaves, also when its new owner ends before the first answer", async () => {
  const late = new LateStorage();
  const { cluster, on } = desks(3, {}, (name) => (name === "p1" ? late : new SqliteStorage()));
  const [ann, bob] = [on("p0", "ann"), on("p1", "bob")];
  await cluster.object(Desk, bob).read();
  const silence = Promise.withResolvers<void>();
  late.wait = () => silence.promise;
  await cluster.object(Desk, ann).send({ to: bob, text: "hello" });
  await cluster.move(Desk, ann, { to: "p2" });
  // Nothing else need ever wake it.
  expect(cluster.storage("p2").wake).not.toBeNull();
  cluster.crash("p2");
  cluster.crash("p1");
  late.wait = undefined;
  silence.resolve();
  await cluster.clock.advance(60_000);
  expect((await cluster.object(Desk, bob).read()).got).toEqual([`${ann}: hello`]);
  expect(cluster.storage("p2").query("SELECT * FROM outbox")).toEqual([]);
  cluster.stop();
});
