import { describe, expect, test } from "vitest";
import type { MoveOrder } from "../../src/placement/move.ts";
import { many, OWNER } from "./shard-fixture.ts";
import { atGate, copy, READY, STAGED, sendAll, setup } from "./shard-traffic.ts";

describe("rows that come to a target", () => {
  test("[MIG3] are stored message by message; with the last it compares, and stands ready", async () => {
    const { source, target, incoming, state } = setup(450);
    const replies = await sendAll(source, incoming, 1);
    expect(replies.map((reply) => reply.kind === "stored" && reply.ready)).toEqual([false, false, false, true]);
    expect(replies.at(-1)).toEqual({ kind: "stored", cursor: { scan: null, change: 0 }, ready: true });
    expect(target.rows()).toEqual(source.rows());
    expect(state()).toEqual(READY);
  });

  test("[MIG3] may end in a message that has none", async () => {
    const { source, target, incoming } = setup(200);
    expect((await sendAll(source, incoming, 1)).map(({ kind }) => kind)).toEqual(["stored", "stored", "stored"]);
    expect(target.rows()).toEqual(source.rows());
  });

  test("[MIG2] [MIG3] take over what changed, was removed and was deleted meanwhile", async () => {
    const { source, target, incoming, state } = setup(10);
    source.write("b", many(40));
    const cursor = await copy(source, incoming, 1);
    source.write("a", { k0001: "new", k0002: null, more: "1" });
    source.wipe("b");
    source.write("b", { k0003: "again" });
    const replies = await sendAll(source, incoming, 1, cursor);
    expect(replies).toEqual([{ kind: "stored", cursor: expect.anything(), ready: true }]);
    expect(target.rows()).toEqual(source.rows());
    expect(target.rows()).toHaveLength(11);
    expect(state()).toEqual(READY);
  });

  test("[MIG3] that do not follow what is there are not taken: it says where to go on", async () => {
    const { source, target, incoming } = setup(450);
    const first = source.chunk(1, null);
    const second = source.chunk(1, first.to);
    expect(await incoming.transfer(second)).toEqual({ kind: "elsewhere", cursor: null });
    expect(target.ownership.record(0)).toBeUndefined();
    expect(await incoming.transfer(first)).toMatchObject({ kind: "stored", cursor: first.to, ready: false });
    for (const other of [first, source.chunk(1, second.to)])
      expect(await incoming.transfer(other)).toEqual({ kind: "elsewhere", cursor: first.to });
    expect(target.rows()).toHaveLength(200);
    expect((await sendAll(source, incoming, 1, first.to)).at(-1)).toMatchObject({ ready: true });
  });

  test("[MIG3] are refused if the copy differs, and what came with them is taken back", async () => {
    const { source, target, incoming, state } = setup(0);
    await copy(source, incoming, 1);
    expect(state()).toEqual(STAGED);
    source.write("a", many(3));
    const last = source.chunk(1, { scan: null, change: 0 }, true);
    const wrong = { ...last, final: { ...(last.final as NonNullable<typeof last.final>), low: 1 } };
    const reason = expect.stringContaining("differs");
    expect(await incoming.transfer(wrong)).toEqual({ kind: "refused", reason });
    expect([state(), target.rows()]).toEqual([STAGED, []]);
    expect(await incoming.transfer(last)).toMatchObject({ ready: true });
  });

  test("[OWN1] [MIG3] leave no trace in memory when they can't be stored", async () => {
    const { source, target, incoming, state } = setup();
    target.storage.onQuery = (sql) => {
      if (sql.startsWith("INSERT INTO rows")) throw new Error("disk full");
    };
    await expect(incoming.transfer(source.chunk(1, null))).rejects.toThrow("disk full");
    expect(state()).toBeUndefined();
    target.storage.onQuery = undefined;
    expect((await sendAll(source, incoming, 1)).at(-1)).toMatchObject({ ready: true });
  });

  test("[MIG5] of another partition's move or another shard count change nothing", async () => {
    const { source, incoming, state } = setup();
    const chunk = source.chunk(1, null);
    const at = (changed: Partial<MoveOrder>) => incoming.transfer({ ...chunk, order: { ...chunk.order, ...changed } });
    expect(await at({ to: OWNER })).toEqual({ kind: "refused", reason: expect.stringContaining("another partition") });
    expect(await at({ shards: 2 })).toEqual({ kind: "busy", reason: expect.stringContaining("shard count") });
    expect(state()).toBeUndefined();
  });

  test("[MIG5] of an older move than the present one are refused as stale", async () => {
    const { source, incoming, state } = setup();
    const late = source.chunk(1, null);
    source.offer(2);
    const stale = { kind: "refused", reason: expect.stringContaining("stale") };
    await copy(source, incoming, 2);
    expect(await incoming.transfer(late)).toEqual(stale);
    expect(state()).toEqual({ ...STAGED, move: 2 });
    await sendAll(source, incoming, 2, { scan: null, change: 0 });
    expect(await incoming.transfer({ ...late, rows: [] })).toEqual(stale);
    expect(state()).toEqual({ ...READY, move: 2 });
  });

  test.each([
    ["was ready", sendAll, 1],
    ["was on its way", copy, 0],
  ])(
    "[MIG5] of a newer move wait until those of one that %s, and whose end was lost, are cleared away",
    async (...of) => {
      const [, send, callers] = of;
      const { clock, source, target, incoming, events, state } = setup(450);
      await send(source, incoming, 1);
      const waiting = atGate(target);
      source.offer(2);
      const first = source.chunk(2, null);
      const reason = expect.stringContaining("clears away");
      expect(await incoming.transfer(first)).toEqual({ kind: "busy", reason });
      expect(state()).toEqual({ kind: "gone", epoch: 1, move: 1, to: OWNER });
      const there = expect.objectContaining({ partition: OWNER, epoch: 1 });
      expect(await waiting.answers()).toEqual(Array(callers).fill(there));
      expect([events, await incoming.transfer(first)]).toMatchObject([["cleans"], { kind: "busy" }]);
      await clock.advance(10);
      expect(target.rows()).toEqual([]);
      expect((await sendAll(source, incoming, 2)).at(-1)).toMatchObject({ ready: true });
      expect(state()).toEqual({ ...READY, move: 2 });
    },
  );
});
