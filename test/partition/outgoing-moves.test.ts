import { describe, expect, test } from "vitest";
import { sizeOfRow } from "../../src/partition/storage/shard-rows.ts";
import { clock, sleep } from "./move-fixture.ts";
import { shardOf } from "./order-fixture.ts";

const ids = (count: number) => Array.from({ length: count }, (_, n) => `b${n}`);

describe("an order to move a shard", () => {
  test("[MIG1] [MIG3] is followed to the commit; the report says what was copied and how long callers waited", async () => {
    const { source, order, chunks, atTarget, advance, noted, state } = await shardOf(ids(450));
    atTarget(async (chunk, rest) => {
      if (chunk.final !== undefined) await sleep(70);
      expect(source.ownership.gated(0)).toBe(chunk.final !== undefined);
      return rest();
    });
    const rows = () => chunks.flatMap((chunk) => chunk.rows);
    const report = await advance(order(1));
    const bytes = rows().reduce((sum, row) => sum + sizeOfRow(row), 0);
    expect(rows()).toHaveLength(450);
    expect(report).toEqual({ kind: "committed", epoch: 2, active: true, rows: 450, bytes, paused: 70 });
    expect([noted(), state()?.kind, source.moves.outgoing.busy]).toEqual([0, "gone", false]);
    await clock.advance(10);
    expect([...source.activations.all()]).toEqual([]);
    expect(await advance(order(1))).toEqual({ kind: "committed", epoch: 2, active: true, rows: 0, bytes: 0 });
  });

  test("[MIG2] that takes long says how far the copy is, and goes on with the next", async () => {
    const { order, chunks, atTarget, advance } = await shardOf(ids(1_000));
    atTarget(async (_, rest) => {
      await sleep(700);
      return rest();
    });
    expect(await advance(order(1))).toEqual({ kind: "copying", rows: 600, bytes: expect.any(Number) });
    expect(chunks).toHaveLength(3);
    expect(await advance(order(1))).toMatchObject({ kind: "committed", rows: 1_000 });
    expect(chunks.flatMap(({ rows }) => rows)).toHaveLength(1_000);
  });

  test("[OWN1] is for a shard that nobody has called yet, too", async () => {
    const { order, advance, state } = await shardOf([]);
    expect(await advance(order(1))).toMatchObject({ kind: "committed", epoch: 2, rows: 0 });
    expect(state()).toMatchObject({ kind: "gone", epoch: 2 });
  });

  test("[MIG5] is refused if it is not this partition's to follow", async () => {
    const { from, to, target, order, advance, state } = await shardOf();
    const other = { kind: "refused", reason: expect.stringContaining("another partition") };
    expect(await advance(order(1, { from: to }))).toEqual(other);
    expect(await advance(order(1, { to: from }))).toEqual(other);
    const count = { kind: "waiting", reason: expect.stringContaining("shard count"), rows: 0, bytes: 0 };
    expect(await advance(order(1, { shards: 2 }))).toEqual(count);
    expect(state()).toEqual({ kind: "owned", epoch: 1 });
    const notOwned = { kind: "refused", reason: expect.stringContaining("not owned here") };
    expect(await target.moves.outgoing.advance(order(1, { from: to, to: from }))).toEqual(notOwned);
  });

  test("[MIG5] that comes twice is followed once", async () => {
    const { source, order, chunks } = await shardOf();
    const { outgoing } = source.moves;
    const both = [outgoing.advance(order(1)), outgoing.advance(order(1))];
    expect(outgoing.busy).toBe(true);
    const [one, two] = await clock.until(Promise.all(both));
    expect(one).toMatchObject({ kind: "committed" });
    expect([two, chunks.length]).toEqual([one, 2]);
  });

  test("[MIG2] [MIG3] takes the place of an older one, and begins anew", async () => {
    const { made, order, chunks, atTarget, advance, noted, state } = await shardOf(ids(450));
    let messages = 0;
    atTarget(async (_, rest) => (++messages > 2 ? { kind: "busy", reason: "later" } : rest()));
    expect(await advance(order(1))).toMatchObject({ kind: "waiting", reason: "later", rows: 400 });
    for (const id of ids(450)) await made.call("Box", id, "add");
    expect(noted()).toBeGreaterThan(300);
    chunks.length = 0;
    atTarget((_, rest) => {
      if (chunks.length === 1) expect(noted()).toBe(0);
      return rest();
    });
    expect(await advance(order(2))).toMatchObject({ kind: "waiting", reason: expect.stringContaining("clears away") });
    await clock.advance(50);
    expect(await advance(order(2))).toMatchObject({ kind: "committed", rows: 450 });
    expect(state()).toMatchObject({ kind: "gone", move: 2 });
    for (const id of ids(450).slice(0, 9)) expect(await made.call("Box", id, "get")).toBe(2);
  });

  test("[MIG5] ends for now when its core does, and lets nobody in", async () => {
    const { source, order, atTarget, advance, state } = await shardOf();
    const { outgoing } = source.moves;
    const ends = { kind: "waiting", reason: expect.stringContaining("starts over") };
    atTarget(async (chunk, rest) => {
      if (chunk.final !== undefined) outgoing.stop();
      return rest();
    });
    expect(await advance(order(1))).toMatchObject({ ...ends, rows: 1 });
    expect([source.ownership.gated(0), state()?.kind]).toEqual([true, "leaving"]);
    expect(await advance(order(1))).toMatchObject({ ...ends, rows: 0 });
  });
});

describe("a target", () => {
  test.each([
    ["is busy", { kind: "busy", reason: "later" }, { kind: "waiting", reason: "later" }],
    ["refuses", { kind: "refused", reason: "never" }, { kind: "refused", reason: "never" }],
  ] as const)("[MIG5] that %s ends the copy for now, and callers are let in", async (_name, reply, report) => {
    const { made, source, order, atTarget, advance } = await shardOf();
    atTarget(async (chunk, rest) => (chunk.final === undefined ? rest() : reply));
    expect(await advance(order(1))).toEqual(
      report.kind === "waiting" ? { ...report, rows: 1, bytes: expect.any(Number) } : report,
    );
    expect(source.ownership.gated(0)).toBe(false);
    expect(await made.call("Box", "a", "add")).toBe(2);
  });

  test("[MIG5] that can't be reached, or is silent, is tried again with the next order", async () => {
    const { order, atTarget, advance } = await shardOf();
    atTarget(() => Promise.reject(new Error("no route")));
    expect(await advance(order(1))).toEqual({ kind: "waiting", reason: "no route", rows: 0, bytes: 0 });
    atTarget(() => Promise.reject("odd"));
    expect(await advance(order(1))).toMatchObject({ reason: expect.stringContaining("can't be reached") });
    atTarget(() => new Promise(() => undefined));
    let since = clock.now();
    expect(await advance(order(1))).toMatchObject({ kind: "waiting", reason: "The target does not answer" });
    expect(clock.now() - since).toBe(10_000);
    since = clock.now();
    atTarget((chunk, rest) => (chunk.final === undefined ? rest() : new Promise(() => undefined)));
    expect(await advance(order(1))).toMatchObject({ kind: "waiting", rows: 1 });
    // Callers wait meanwhile.
    expect(clock.now() - since).toBe(3_000);
    atTarget((_, rest) => rest());
    expect(await advance(order(1))).toMatchObject({ kind: "committed", rows: 1 });
  });

  test("[MIG3] that has lost its place says where to go on", async () => {
    const { order, chunks, atTarget, advance } = await shardOf(ids(450));
    let lost = false;
    atTarget(async (_, rest) => {
      if (chunks.length !== 2 || lost) return rest();
      lost = true;
      return { kind: "elsewhere", cursor: chunks[0]?.to ?? null };
    });
    expect(await advance(order(1))).toMatchObject({ kind: "committed", rows: 450 });
    expect(chunks.map(({ rows }) => rows.length)).toEqual([200, 200, 200, 50, 0]);
  });

  test.each([
    ["refuses", async () => ({ kind: "refused", reason: "odd" }) as const],
    ["can't be reached", () => Promise.reject(new Error("lost"))],
    ["is silent", () => new Promise<never>(() => undefined)],
  ])("[MIG4] that %s when it is told of the commit hears of it again", async (_name, activate) => {
    const { target, order, advance } = await shardOf();
    const { incoming } = target.moves;
    const real = incoming.activate.bind(incoming);
    incoming.activate = activate;
    const since = clock.now();
    expect(await advance(order(1))).toMatchObject({ kind: "committed", epoch: 2, active: false });
    expect(clock.now() - since).toBeLessThan(3_100);
    incoming.activate = real;
    expect(await advance(order(1))).toMatchObject({ kind: "committed", epoch: 2, active: true });
  });
});

describe("the commit of a move", () => {
  test("[MIG3] waits if something was written after the comparison", async () => {
    const { made, from, source, order, atTarget, advance, state } = await shardOf();
    let written = false;
    atTarget(async (chunk, rest) => {
      const reply = await rest();
      if (chunk.final !== undefined && !written) {
        written = true;
        const { first } = source.ownership.range(0);
        made.storage(from).query("INSERT INTO changes VALUES (?, 'Box', 'x', 0, '', ?, 0)", first, 2 ** 52);
      }
      return reply;
    });
    const report = await advance(order(1));
    expect(report).toMatchObject({ kind: "waiting", reason: expect.stringContaining("written meanwhile") });
    expect([state()?.kind, source.ownership.gated(0)]).toEqual(["leaving", false]);
    expect(await advance(order(1))).toMatchObject({ kind: "committed" });
  });

  test("[MIG1] waits if callers were let in meanwhile", async () => {
    const { made, source, order, atTarget, advance, state } = await shardOf();
    atTarget(async (chunk, rest) => {
      const reply = await rest();
      if (chunk.final !== undefined) source.ownership.release(0);
      return reply;
    });
    expect(await advance(order(1))).toMatchObject({ kind: "waiting" });
    expect(state()?.kind).toBe("leaving");
    expect(await made.call("Box", "a", "add")).toBe(2);
    atTarget((_, rest) => rest());
    expect(await advance(order(1))).toMatchObject({ kind: "committed" });
    expect(await made.call("Box", "a", "get")).toBe(2);
  });
});
