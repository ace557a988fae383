import { type DeactivationReason, method, VirtualObject } from "edgeverse";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { Box, clock, sleep } from "./move-fixture.ts";
import { shardOf } from "./order-fixture.ts";

let left: string[];
let takes: number;
beforeEach(() => {
  left = [];
  takes = 0;
});

/** Notes in its state that it has left memory. */
class Leaver extends VirtualObject.withState(z.object({ left: z.number().default(0) })) {
  static override readonly type = "Leaver";
  static override readonly methods = { touch: method(), left: method({ readonly: true }) };
  touch() {}
  left() {
    return this.state.left;
  }
  protected override async onDeactivate(reason: DeactivationReason) {
    left.push(`${this.id} ${reason}`);
    if (takes > 0) await sleep(takes);
    this.state.left++;
  }
}

describe("a shard that leaves", () => {
  test("[LIFE3] [MIG1] lets its objects say farewell, and takes with it what they write", async () => {
    const { made, from, order, advance } = await shardOf(["a"], [Box, Leaver]);
    for (const id of ["l", `partition#${from}/l`]) await made.call("Leaver", id, "touch");
    takes = 20;
    expect(await advance(order(1))).toMatchObject({ kind: "committed" });
    expect(left).toEqual([expect.stringMatching(/^l /)]);
    expect(await made.call("Leaver", "l", "left")).toBe(1);
    expect(await made.call("Leaver", `partition#${from}/l`, "left")).toBe(0);
  });

  test("[MIG1] [MIG7] stays for now when a farewell takes too long, and its callers get in", async () => {
    const { made, source, order, advance } = await shardOf(["a"], [Box, Leaver]);
    await made.call("Leaver", "l", "touch");
    takes = 5_000;
    const since = clock.now();
    const reason = expect.stringContaining("did not end within 100 ms");
    expect(await advance(order(1))).toMatchObject({ kind: "waiting", reason, forTurns: true });
    expect(clock.now() - since).toBeLessThan(500);
    expect(source.ownership.gated(0)).toBe(false);
    expect(await made.call("Box", "a", "add")).toBe(2);
  });

  test("[MIG1] forgets its objects, and no others of the partition", async () => {
    const { made, from, source, order, advance } = await shardOf();
    const stays = `partition#${from}/x`;
    await made.call("Box", stays, "add");
    const { activations } = source;
    const [any] = activations.all();
    for (let index = 0; index < 4_500; index++) {
      const place = { position: 7, shard: 0, epoch: 1 };
      if (any !== undefined) activations.open(`Box/n${index}`, any.definition, `n${index}`, place);
    }
    expect(await advance(order(1))).toMatchObject({ kind: "committed" });
    await clock.advance(10);
    expect([...activations.map.keys()]).toEqual([`Box/${stays}`]);
  });

  test("[MIG1] does not wait for turns in line: they run at its new owner", async () => {
    const { made, to, order, advance } = await shardOf();
    const running = made.send("Box", "a", "slow", { ms: 60 });
    const inLine = made.send("Box", "a", "slow", { ms: 30_000 }, { timeout: 50_000 });
    await clock.advance(1);
    expect(await advance(order(1))).toMatchObject({ kind: "committed" });
    expect(await running).toMatchObject({ response: "2" });
    expect(await clock.until(inLine)).toMatchObject({ response: "3" });
    expect(made.storage(to).query("SELECT state FROM objects")).toMatchObject([{ state: '{"n":3}' }]);
  });

  test("[MIG5] is given up soon after the move was undone", async () => {
    const { made, source, order, advance } = await shardOf();
    const { outgoing } = source.moves;
    const slow = made.send("Box", "a", "slow", { ms: 20_000 }, { timeout: 50_000 });
    await clock.advance(1);
    const of = order(1, { must: true });
    // Each attempt waits longer: 100 ms, 400 ms, 1.6 s, 6.4 s.
    for (let attempt = 0; attempt < 3; attempt++)
      expect(await advance(of)).toMatchObject({ kind: "waiting", forTurns: true, rows: 1 });
    const last = outgoing.advance(of);
    await clock.advance(1_000);
    const since = clock.now();
    const undone = outgoing.undo(of);
    expect(await clock.until(last)).toEqual({ kind: "refused", reason: "the move was undone" });
    expect(await undone).toMatchObject({ kind: "undone" });
    expect(clock.now() - since).toBeLessThanOrEqual(100);
    expect(await made.call("Box", "b", "add")).toBe(1);
    expect(await clock.until(slow)).toMatchObject({ response: "2" });
  });

  test("[MIG6] that has to is answered for while turns are given time, and goes on", async () => {
    const { made, source, order } = await shardOf();
    const { outgoing } = source.moves;
    const slow = made.send("Box", "a", "slow", { ms: 40_000 }, { timeout: 50_000 });
    await clock.advance(1);
    const of = order(1, { must: true });
    for (let attempt = 0; attempt < 4; attempt++) await clock.until(outgoing.advance(of));
    const since = clock.now();
    const report = await clock.until(outgoing.advance(of));
    expect(report).toMatchObject({ kind: "waiting", forTurns: true, rows: 1, bytes: expect.any(Number) });
    expect([clock.now() - since, source.ownership.gated(0)]).toEqual([10_000, true]);
    expect(await clock.until(slow)).toMatchObject({ response: "2" });
    expect(await clock.until(outgoing.advance(of))).toMatchObject({ kind: "committed" });
  });

  test("[MIG1] [TURN3] does not commit under a turn that was let in meanwhile", async () => {
    const { made, from, source, order, atTarget, advance } = await shardOf();
    let inside: Promise<unknown> | undefined;
    atTarget(async (chunk, rest) => {
      const reply = await rest();
      if (chunk.final !== undefined && inside === undefined) {
        const chain = [{ key: "Box/a", turn: "t", readonly: false }];
        const message = made.message("Box", "b", "slow", { ms: 500 });
        inside = made.partition(from).call({ ...message, chain });
        await sleep(1);
      }
      return reply;
    });
    expect(await advance(order(1))).toMatchObject({ kind: "waiting" });
    expect(source.ownership.record(0)?.state.kind).toBe("leaving");
    expect(await clock.until(inside as Promise<unknown>)).toMatchObject({ response: "1" });
    expect(await advance(order(1))).toMatchObject({ kind: "committed" });
    expect(await made.call("Box", "b", "get")).toBe(1);
  });
});
