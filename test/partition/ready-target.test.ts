import { describe, expect, test } from "vitest";
import type { CopyCursor } from "../../src/placement/move.ts";
import { OTHER, OWNER, order } from "./shard-fixture.ts";
import { atGate, READY, STAGED, sendAll, setup } from "./shard-traffic.ts";

describe("a target that stands ready", () => {
  async function ready() {
    const made = setup();
    const cursor = ((await sendAll(made.source, made.incoming, 1)).at(-1) as { cursor: CopyCursor }).cursor;
    return { ...made, cursor };
  }

  test("[MIG4] sends its callers to the source when that serves on and sends more", async () => {
    const { source, target, incoming, state, cursor } = await ready();
    const waiting = atGate(target);
    source.write("a", { more: "1" });
    expect(await incoming.transfer(source.chunk(1, cursor))).toMatchObject({ kind: "stored", ready: false });
    expect(state()).toEqual(STAGED);
    expect(await waiting.answers()).toEqual([expect.objectContaining({ partition: OWNER, epoch: 1 })]);
  });

  test("[MIG4] keeps its callers when the last rows come at once with their digest", async () => {
    const { source, target, incoming, state, cursor } = await ready();
    const waiting = atGate(target);
    source.write("a", { more: "1" });
    expect(await incoming.transfer(source.chunk(1, cursor, true))).toMatchObject({ kind: "stored", ready: true });
    expect(state()).toEqual(READY);
    expect(await waiting.answers()).toEqual([]);
    expect(target.rows()).toEqual(source.rows());
  });

  test("[MIG4] stays so at a repeated message: without rows or digest nothing changes, with one it compares again", async () => {
    const { source, incoming, state, cursor } = await ready();
    expect(await incoming.transfer(source.chunk(1, cursor))).toEqual({ kind: "stored", cursor, ready: false });
    expect(state()).toEqual(READY);
    expect(await incoming.transfer(source.chunk(1, cursor, true))).toEqual({ kind: "stored", cursor, ready: true });
    expect(await incoming.transfer({ ...source.chunk(1, null), rows: [] })).toMatchObject({ kind: "stored", cursor });
  });

  test("[MIG4] serves once the source has committed, and says so again", async () => {
    const { target, incoming, events, state } = await ready();
    const waiting = atGate(target);
    const otherCount = { kind: "refused", reason: expect.stringContaining("shard count") };
    expect(await incoming.activate({ ...order(1), shards: 2 })).toEqual(otherCount);
    expect(await incoming.activate(order(2))).toEqual({ kind: "refused", reason: expect.stringContaining("ready") });
    expect([state(), events, await waiting.answers()]).toEqual([READY, [], []]);
    expect(await incoming.activate(order(1))).toEqual({ kind: "active" });
    expect([state(), events]).toEqual([{ kind: "owned", epoch: 2 }, ["owns 0"]]);
    expect(await waiting.answers()).toEqual([undefined]);
    // A hand-off of the shard may be under way by then.
    target.ownership.closeGate(0);
    expect(await incoming.activate(order(1))).toEqual({ kind: "active" });
    expect([events, target.ownership.gated(0)]).toEqual([["owns 0"], true]);
  });

  test("[MIG5] drops all of it when the source has taken the move back", async () => {
    const { clock, target, incoming, events, state } = await ready();
    const waiting = atGate(target);
    const otherCount = { code: "UNAVAILABLE", message: expect.stringContaining("shard count") };
    await expect(incoming.drop({ ...order(1), shards: 2 }, 1)).rejects.toMatchObject(otherCount);
    expect(state()).toEqual(READY);
    await incoming.drop(order(1), 1);
    expect(state()).toEqual({ kind: "gone", epoch: 1, move: 1, to: OWNER });
    expect(await waiting.answers()).toEqual([expect.objectContaining({ partition: OWNER, epoch: 1 })]);
    await clock.advance(10);
    expect([target.rows(), events[0]]).toEqual([[], "cleans"]);
  });

  test("[OWN1] a drop of a move that never came here does not open the gate of a shard it owns", async () => {
    const { target, incoming, events } = await ready();
    await incoming.activate(order(1));
    target.ownership.closeGate(0);
    await incoming.drop({ ...order(7), from: OTHER, to: OWNER }, 3);
    expect([target.ownership.gated(0), target.ownership.record(0)?.seen, events]).toEqual([true, 7, ["owns 0"]]);
  });

  test("[MIG4] asks the source when it is called, once at a time, and serves if that has committed", async () => {
    const { clock, target, incoming, asked, events, state } = await ready();
    const waiting = [atGate(target), atGate(target)] as const;
    expect(asked).toMatchObject([{ of: OWNER, order: { ...order(1), mapVersion: 0 } }]);
    asked[0]?.answer({ kind: "committed" });
    await clock.advance(1);
    expect([state(), events]).toEqual([{ kind: "owned", epoch: 2 }, ["owns 0"]]);
    for (const caller of waiting) expect(await caller.answers()).toEqual([undefined]);
    expect(asked).toHaveLength(1);
    incoming.stop();
  });

  test("[MIG4] sends its callers back if the source serves on, and asks anew for the next", async () => {
    const { clock, target, asked, state } = await ready();
    for (const round of [1, 2]) {
      const waiting = atGate(target);
      expect(asked).toHaveLength(round);
      asked.at(-1)?.answer({ kind: "serving" });
      await clock.advance(1);
      expect(await waiting.answers()).toEqual([expect.objectContaining({ partition: OWNER, epoch: 1 })]);
      expect(state()).toEqual(READY);
    }
  });

  test("[MIG4] asks again after an error and after silence, until its core ends", async () => {
    const { clock, target, incoming, asked } = await ready();
    const waiting = atGate(target);
    asked[0]?.fail();
    await clock.advance(99);
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    expect(asked).toHaveLength(2);
    await clock.advance(2_099);
    expect(asked).toHaveLength(2);
    await clock.advance(1);
    expect(asked).toHaveLength(3);
    incoming.stop();
    asked[2]?.fail();
    await clock.advance(10_000);
    atGate(target);
    expect([asked.length, await waiting.answers()]).toEqual([3, []]);
  });

  test("[MIG4] asks no more once the move is dropped", async () => {
    const { clock, target, incoming, asked } = await ready();
    atGate(target);
    await incoming.drop(order(1), 1);
    asked[0]?.fail();
    await clock.advance(10_000);
    expect(asked).toHaveLength(1);
  });

  test("[MIG4] an answer that comes after its core has ended changes nothing", async () => {
    const { clock, target, incoming, asked, events, state } = await ready();
    atGate(target);
    incoming.stop();
    asked[0]?.answer({ kind: "committed" });
    await clock.advance(1);
    expect([state(), events]).toEqual([READY, []]);
  });

  test("[OWN1] a late answer does not open the gate of what the shard has become", async () => {
    const { clock, target, incoming, asked } = await ready();
    atGate(target);
    await incoming.activate(order(1));
    target.ownership.closeGate(0);
    asked[0]?.answer({ kind: "serving" });
    await clock.advance(1);
    expect(target.ownership.gated(0)).toBe(true);
  });

  test("[MIG4] a late answer for an older move is not taken for one about the present move", async () => {
    const { clock, source, target, incoming, asked, state } = await ready();
    atGate(target);
    source.offer(2);
    await incoming.transfer(source.chunk(2, null));
    await clock.advance(10);
    await sendAll(source, incoming, 2);
    const waiting = atGate(target);
    asked[0]?.answer({ kind: "serving" });
    await clock.advance(1);
    expect([state(), await waiting.answers()]).toEqual([{ ...READY, move: 2 }, []]);
  });
});
