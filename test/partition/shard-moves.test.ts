import { expect, test } from "vitest";
import { Auto, Box, clock, setup } from "./move-fixture.ts";
import { shardOf } from "./order-fixture.ts";

/** A shard that has just left, with most of its rows behind it. */
async function left() {
  const ids = Array.from({ length: 800 }, (_, n) => `b${n}`);
  const made = await shardOf(ids);
  expect(await made.advance(made.order(1))).toMatchObject({ kind: "committed" });
  const rows = () => made.made.storage(made.from).query("SELECT id FROM objects").length;
  const wake = () => made.made.storage(made.from).wake;
  expect([rows() > 200, made.source.moves.cleaning, wake() !== null]).toEqual([true, true, true]);
  return { ...made, rows, wake };
}

test("[MIG5] a partition is woken until the rows of a shard that has left are cleared away", async () => {
  const { source, rows, wake } = await left();
  await clock.advance(20);
  expect([rows(), source.moves.cleaning, wake()]).toEqual([0, false, null]);
});

test("[MIG5] rows that are left over from before a crash are cleared away", async () => {
  const { made, from, rows, wake } = await left();
  made.crash(from);
  const core = await made.partition(from).core();
  expect(core.moves.cleaning).toBe(true);
  await clock.advance(20);
  expect([rows(), core.moves.cleaning, wake()]).toEqual([0, false, null]);
});

test("[OWN1] a core that has ended moves nothing and clears nothing away", async () => {
  const { source, rows, order, advance } = await left();
  source.moves.stop();
  const before = rows();
  await clock.advance(20);
  expect(rows()).toBe(before);
  expect(await advance(order(2))).toMatchObject({ kind: "waiting", reason: expect.stringContaining("starts over") });
});

test("[MIG2] after a crash writes are noted for a shard that is leaving, and for no other", async () => {
  const { made, from, order, atTarget, noted } = await shardOf();
  made.crash(from);
  await made.call("Box", "a", "add");
  expect(noted()).toBe(0);
  const core = await made.partition(from).core();
  atTarget(async (chunk, rest) => (chunk.final === undefined ? rest() : { kind: "busy", reason: "later" }));
  await clock.until(core.moves.outgoing.advance(order(1)));
  made.crash(from);
  await made.call("Box", "a", "add");
  expect(noted()).toBe(1);
});

test("[LIFE4] the new owner has the shard's autoLoad object in memory", async () => {
  const { target, order, advance } = await shardOf(["a"], [Box, Auto]);
  expect(await advance(order(1))).toMatchObject({ kind: "committed" });
  await clock.advance(10);
  expect(target.activations.map.get("Auto/shard#0/auto")?.instance).toBeDefined();
});

test("[SPLIT1] [LIFE4] halving takes nothing of a type without autoLoad", async () => {
  const { made } = setup([Box, Auto], 8, 1);
  await made.call("Box", "shard#7/auto", "add");
  const core = await made.partition("p0").core();
  expect(core.moves.reshard(4, 2)).toEqual({ kind: "refused", reason: expect.stringContaining("shard#7/auto") });
  expect(await made.call("Box", "shard#7/auto", "get")).toBe(1);
});
