import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { Box, clock, sleep } from "./move-fixture.ts";
import { shardOf } from "./order-fixture.ts";

const UNAVAILABLE = { code: "UNAVAILABLE", message: expect.stringContaining("shard count") };

describe("an order to undo a move", () => {
  test("[MIG5] ends its copy, and notes nothing more", async () => {
    const { made, source, target, order, atTarget, advance, noted, state } = await shardOf();
    const { outgoing } = source.moves;
    atTarget(async (chunk, rest) => (chunk.final === undefined ? rest() : { kind: "busy", reason: "later" }));
    expect(await advance(order(1))).toMatchObject({ kind: "waiting", rows: 1 });
    await made.call("Box", "a", "add");
    expect(noted()).toBe(1);
    expect(await outgoing.undo(order(1))).toEqual({ kind: "undone", epoch: 1 });
    expect([state(), noted()]).toEqual([{ kind: "owned", epoch: 1 }, 0]);
    await made.call("Box", "a", "add");
    expect(noted()).toBe(0);
    expect(await advance(order(1))).toMatchObject({ kind: "refused", reason: expect.stringContaining("stale") });
    await target.moves.incoming.drop(order(1), 1);
    atTarget((_, rest) => rest());
    expect(await advance(order(2))).toMatchObject({ kind: "waiting" });
    await clock.advance(10);
    expect(await advance(order(2))).toMatchObject({ kind: "committed", rows: 1 });
    expect(await made.call("Box", "a", "get")).toBe(3);
  });

  test("[MIG5] ends a message that is about to be sent, and one that is on its way", async () => {
    let held: (() => void) | undefined;
    let holds = false;
    class Slow extends SqliteStorage {
      override async barrier(): Promise<void> {
        if (holds) await new Promise<void>((resolve) => (held = resolve));
      }
    }
    const storageOf = () => new Slow();
    for (const sent of [0, 1]) {
      const { source, order, chunks, atTarget } = await shardOf(["a"], [Box], storageOf);
      const { outgoing } = source.moves;
      holds = sent === 0;
      atTarget(async (_, rest) => {
        await sleep(50);
        return rest();
      });
      const moving = outgoing.advance(order(1));
      await clock.advance(10);
      holds = false;
      const undone = outgoing.undo(order(1));
      held?.();
      held = undefined;
      const { kind, ...rest } = await clock.until(moving);
      expect({ kind, ...rest }).toEqual({ kind: "refused", reason: "the move was undone" });
      expect(await undone).toEqual({ kind: "undone", epoch: 1 });
      expect([chunks.length, outgoing.busy]).toEqual([sent, false]);
    }
  });

  test("[MIG4] comes too late for one that is committed", async () => {
    const { source, order, advance } = await shardOf();
    await advance(order(3));
    const { outgoing } = source.moves;
    expect(await outgoing.undo(order(3))).toEqual({ kind: "committed", epoch: 2 });
    // Moves that were never offered.
    for (const id of [2, 4]) expect(await outgoing.undo(order(id))).toEqual({ kind: "undone", epoch: 2 });
  });

  test("[MIG5] that was never offered refuses what of it is on its way, on a shard that nobody has called too", async () => {
    const { source, target, from, to, order, advance, state } = await shardOf([]);
    expect(await source.moves.outgoing.undo(order(5))).toEqual({ kind: "undone", epoch: 1 });
    expect(state()).toEqual({ kind: "owned", epoch: 1 });
    expect(await advance(order(5))).toMatchObject({ kind: "refused", reason: expect.stringContaining("stale") });
    await expect(source.moves.outgoing.undo(order(6, { shards: 2 }))).rejects.toMatchObject(UNAVAILABLE);
    // A shard that was never there.
    const reply = await target.moves.outgoing.undo(order(5, { from: to, to: from }));
    expect(reply).toEqual({ kind: "undone", epoch: 0 });
  });

  test("[MIG5] of another move leaves the present one alone", async () => {
    const { made, source, order, atTarget, advance } = await shardOf();
    const { outgoing } = source.moves;
    let undone: Promise<unknown> | undefined;
    atTarget(async (chunk, rest) => {
      if (chunk.final === undefined && undone === undefined) {
        undone = outgoing.undo(order(2));
        await made.send("Box", "a", "add");
      }
      return rest();
    });
    expect(await advance(order(1))).toMatchObject({ kind: "committed", epoch: 2 });
    expect(await undone).toMatchObject({ kind: "undone" });
    expect(await made.call("Box", "a", "get")).toBe(2);
  });

  test("[MIG5] after a crash finds the shard leaving, and takes it back", async () => {
    const { made, from, order, atTarget, advance, noted } = await shardOf();
    atTarget(async () => ({ kind: "busy", reason: "later" }));
    await advance(order(1));
    made.crash(from);
    const core = await made.partition(from).core();
    await made.call("Box", "a", "add");
    expect(noted()).toBe(1);
    expect(await core.moves.outgoing.undo(order(1))).toEqual({ kind: "undone", epoch: 1 });
    expect(noted()).toBe(0);
  });
});

describe("two orders for a shard", () => {
  test("[MIG5] are followed one after the other", async () => {
    const { source, target, order, chunks, atTarget, state } = await shardOf();
    const { outgoing } = source.moves;
    const gates: (() => void)[] = [];
    atTarget(async (_, rest) => {
      await new Promise<void>((resolve) => gates.push(resolve));
      return rest();
    });
    const one = outgoing.advance(order(1));
    await clock.advance(5);
    void outgoing.undo(order(1));
    const two = outgoing.advance(order(2));
    await clock.advance(5);
    expect([chunks.length, outgoing.busy]).toEqual([1, true]);
    gates.shift()?.();
    expect(await clock.until(one)).toMatchObject({ kind: "refused", reason: "the move was undone" });
    await target.moves.incoming.drop(order(1), 1);
    await clock.advance(10);
    expect([chunks.length, outgoing.busy]).toEqual([2, true]);
    expect(source.moves.reshard(2, 2)).toMatchObject({ reason: "a hand-off has yet to end" });
    atTarget((_, rest) => rest());
    gates.shift()?.();
    const report = await clock.until(two);
    expect(report.kind === "waiting" ? await clock.until(outgoing.advance(order(2))) : report).toMatchObject({
      kind: "committed",
    });
    expect([state()?.kind, outgoing.busy]).toEqual(["gone", false]);
  });
});

describe("a target that asks", () => {
  test("[MIG4] hears of a commit to itself, and else that the source serves", async () => {
    const { source, target, from, to, order, advance } = await shardOf();
    const { outgoing } = source.moves;
    const serving = { kind: "serving" };
    expect(await outgoing.inquire(order(3))).toEqual(serving);
    await advance(order(3));
    expect(await outgoing.inquire(order(3))).toEqual({ kind: "committed" });
    expect(await outgoing.inquire(order(2))).toEqual(serving);
    expect(await outgoing.inquire(order(3, { to: "p9" }))).toEqual(serving);
    await expect(outgoing.inquire(order(3, { shards: 2 }))).rejects.toMatchObject(UNAVAILABLE);
    expect(await target.moves.outgoing.inquire(order(3, { from: to, to: from }))).toEqual(serving);
  });

  test("[MIG4] is not told by a partition that knows nothing of the shard", async () => {
    const { target, from, to, order } = await shardOf([]);
    expect(await target.moves.outgoing.inquire(order(3, { from: to, to: from }))).toEqual({ kind: "serving" });
  });
});
