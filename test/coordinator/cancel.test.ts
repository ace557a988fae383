import { describe, expect, test } from "vitest";
import type { MoveView } from "../../src/coordinator/commands.ts";
import { setup } from "./coordinator-fixture.ts";

/** A cluster of which nothing moves by itself, and a shard of `p0` with an object. */
async function cluster(config: Record<string, string | number> = {}) {
  const made = setup({ rebalance: "off", moveCooldown: "60s", ...config }, 3);
  await made.start();
  const [shard] = made.shardsOf("p0") as [number];
  const touch = () => made.made.call("Thing", `shard#${shard}/x`, "touch");
  await touch();
  const command = <T = MoveView>(order: Parameters<typeof made.made.command>[0]) =>
    made.made.command(order) as Promise<T>;
  const move = (to: string, which = shard) => command({ kind: "move-shard", shard: which, to });
  const cancel = (id: number, force = false) => command({ kind: "cancel-move", move: id, force });
  const present = async (id: number) =>
    (await made.made.coordinator.moves({ limit: 100 })).find((view) => view.id === id) as MoveView;
  return { ...made, shard, touch, command, move, cancel, present };
}

describe("a move that an operator cancels", () => {
  test("[MIG8] ends at once when it has not begun, and plans leave its shard alone for a while", async () => {
    const { made, clock, map, shardsOf, command, move, cancel } = await cluster({ moves: 1, stableFor: "10ms" });
    await move("p1");
    const planned = await move("p1", shardsOf("p0")[1]);
    expect(planned).toMatchObject({ phase: "planned" });
    expect(await cancel(planned.id)).toMatchObject({ phase: "undone", trouble: "cancelled by an operator" });
    await command({ kind: "drain", name: "p0" });
    await clock.advance(30_000);
    expect(shardsOf("p0")).toEqual([planned.shard]);
    await clock.advance(60_000);
    expect(map().owner(planned.shard)).not.toBe("p0");
    expect((await made.coordinator.audit({ limit: 2 }))[1]).toMatchObject({ command: "cancel-move", outcome: "done" });
  });

  test("[MIG8] [MEM2] makes no plan until its shard may move again", async () => {
    const { made, clock, shardsOf, move, cancel } = await cluster({ moves: 1, stableFor: "10ms" });
    await move("p1");
    const planned = await move("p1", shardsOf("p0")[1]);
    await cancel(planned.id);
    await clock.advance(20_000);
    const plans = async () => (await made.coordinator.view()).decisions[0]?.at;
    const before = await plans();
    await clock.advance(30_000);
    expect(await plans()).toBe(before);
    await clock.advance(30_000);
    expect(await plans()).toBeGreaterThan(before ?? 0);
  });

  test("[MIG8] [MIG1] is taken back without waiting for what its source is about, and fails no call", async () => {
    const { made, clock, map, shard, touch, move, cancel, present } = await cluster();
    const target = await made.partition("p1").core();
    target.moves.incoming.transfer = () => new Promise(() => undefined);
    const { id } = await move("p1");
    await clock.advance(100);
    expect(await present(id)).toMatchObject({ phase: "copying" });
    expect(await cancel(id)).toMatchObject({ phase: "undoing" });
    await touch();
    await clock.advance(12_000);
    expect(await present(id)).toMatchObject({ phase: "undone", trouble: "cancelled by an operator" });
    expect(map().owner(shard)).toBe("p0");
    await touch();
  });

  test("[MIG8] [MIG4] is done all the same when its source had committed", async () => {
    const { made, clock, map, shard, touch, move, cancel, present } = await cluster();
    const { outgoing } = (await made.partition("p0").core()).moves;
    const advance = outgoing.advance.bind(outgoing);
    outgoing.advance = async (order) => {
      await advance(order);
      return new Promise(() => undefined);
    };
    const { id } = await move("p1");
    await clock.advance(1_000);
    expect(await present(id)).toMatchObject({ phase: "copying" });
    await cancel(id);
    await clock.advance(5_000);
    expect(await present(id)).toMatchObject({ phase: "done" });
    expect(map().owner(shard)).toBe("p1");
    await touch();
  });
});

describe("a move that can't be cancelled", () => {
  test("[MIG8] says that it is committed, has ended, or never was", async () => {
    const { made, clock, touch, move, cancel, present } = await cluster();
    const { incoming } = (await made.partition("p1").core()).moves;
    const activate = incoming.activate.bind(incoming);
    incoming.activate = () => Promise.reject(new Error("lost"));
    const { id } = await move("p1");
    await clock.advance(1_000);
    for (const force of [false, true])
      await expect(cancel(id, force)).rejects.toMatchObject({
        code: "CONFLICT",
        message: expect.stringContaining("p1's already"),
        details: { move: id, phase: "committed" },
      });
    incoming.activate = activate;
    await clock.advance(5_000);
    expect(await present(id)).toMatchObject({ phase: "done" });
    await expect(cancel(id)).rejects.toMatchObject({ code: "CONFLICT", message: expect.stringContaining("is done") });
    await expect(cancel(id + 1)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await touch();
  });

  test("[MIG8] [MIG4] can't be forced to its end while only its source knows which", async () => {
    const { made, clock, move, cancel, present } = await cluster();
    made.unreachable.add("p0");
    const { id } = await move("p1");
    await clock.advance(1_000);
    expect(await cancel(id)).toMatchObject({ phase: "undoing" });
    await clock.advance(10_000);
    await expect(cancel(id, true)).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("only p0"),
    });
    made.unreachable.delete("p0");
    await clock.advance(20_000);
    expect(await present(id)).toMatchObject({ phase: "undone" });
  });
});

describe("a target that is away and has yet to drop its copy", () => {
  /** A move to p1 that was taken back, while p1 holds a part of it. */
  async function dropping() {
    const made = await cluster();
    const { incoming } = (await made.made.partition("p1").core()).moves;
    const transfer = incoming.transfer.bind(incoming);
    incoming.transfer = async (chunk) => {
      await transfer(chunk);
      return new Promise(() => undefined);
    };
    const { id } = await made.move("p1");
    await made.clock.advance(100);
    made.made.unreachable.add("p1");
    await made.cancel(id);
    await made.clock.advance(15_000);
    expect(await made.present(id)).toMatchObject({ phase: "dropping" });
    incoming.transfer = transfer;
    return { ...made, id };
  }

  test("[MIG8] [MIG5] does not keep the shard from moving elsewhere, and drops it when it is back", async () => {
    const { made, clock, map, shard, touch, move, present, id } = await dropping();
    const next = await move("p2");
    await clock.advance(10_000);
    expect(await present(next.id)).toMatchObject({ phase: "done" });
    expect(map().owner(shard)).toBe("p2");
    await touch();
    made.unreachable.delete("p1");
    await clock.advance(30_000);
    expect(await present(id)).toMatchObject({ phase: "undone" });
    expect(made.storage("p1").query("SELECT id FROM objects WHERE id LIKE '%/x'")).toEqual([]);
    await touch();
  });

  test("[MIG8] need not be waited for: forced, it ends, and the copy goes with the next move there", async () => {
    const { made, clock, map, shard, touch, move, cancel, present, id } = await dropping();
    expect(await cancel(id)).toMatchObject({ phase: "dropping" });
    expect(await cancel(id, true)).toMatchObject({ phase: "undone" });
    expect(await made.coordinator.moves({ limit: 9, active: true })).toEqual([]);
    made.unreachable.delete("p1");
    await touch();
    // Nobody asks it any more, so it is not known to be back: it gets another chance.
    await clock.advance(60_000);
    const next = await move("p1");
    await clock.advance(20_000);
    expect(await present(next.id)).toMatchObject({ phase: "done", trouble: null });
    expect(map().owner(shard)).toBe("p1");
    await touch();
  });
});
