import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import type { PartitionCore } from "../../src/partition/core.ts";
import type { MoveOrder, TransferChunk } from "../../src/placement/move.ts";
import { Box, clock, setup as clusterOf } from "./move-fixture.ts";

/** Bugs of the move's drivers that reviews and the exploration of its interleavings found; each lost a write or a shard. */

async function setup(storageOf?: (name: string) => SqliteStorage) {
  const { made } = clusterOf([Box], 1, 2, {}, storageOf);
  await made.call("Box", "a", "add");
  const first = await made.partition("p0").core();
  const [from, to] = [...first.ownership.owned()].length > 0 ? (["p0", "p1"] as const) : (["p1", "p0"] as const);
  const source = await made.partition(from).core();
  const target = await made.partition(to).core();
  const order = (id: number): MoveOrder => ({ id, shard: 0, shards: 1, from, to, mapVersion: 1 });
  return { made, from, to, source, target, order };
}

/** Holds the target's answers to the last rows of a move until they are let go. */
function holdFinals(target: PartitionCore) {
  const { incoming } = target.moves;
  const transfer = incoming.transfer.bind(incoming);
  const gates: (() => void)[] = [];
  incoming.transfer = async (chunk: TransferChunk) => {
    const reply = await transfer(chunk);
    if (chunk.final !== undefined) await new Promise<void>((resolve) => gates.push(resolve));
    return reply;
  };
  return () => {
    for (const gate of gates.splice(0)) gate();
  };
}

describe("late messages", () => {
  test("[MIG4] an empty one does not take back that the target stands ready", async () => {
    const { made, to, target } = await setup();
    for (let index = 0; index < 40; index++) await made.call("Box", `b${index}`, "add");
    const { incoming } = target.moves;
    const [transfer, activate] = [incoming.transfer.bind(incoming), incoming.activate.bind(incoming)];
    let late: TransferChunk | undefined;
    let lost = true;
    incoming.transfer = (chunk) => {
      const { final, ...rest } = structuredClone(chunk);
      if (final !== undefined) late = { ...rest, from: rest.to, rows: [] };
      return transfer(chunk);
    };
    incoming.activate = (order) => (lost ? Promise.reject(new Error("lost")) : activate(order));
    await made.command({ kind: "move-shard", shard: 0, to });
    await clock.advance(300);
    expect(late).toBeDefined();
    await transfer(late as TransferChunk);
    expect(target.ownership.record(0)?.state.kind).toBe("ready");
    lost = false;
    await clock.advance(60_000);
    expect(target.ownership.record(0)?.state.kind).toBe("owned");
    expect(await made.call("Box", "a", "get")).toBe(1);
  });

  test("[TURN3] [OWN1] a drop of an old move does not open the gate of a shard that is being handed off", async () => {
    const { made, from, to, source, target, order } = await setup();
    const release = holdFinals(target);
    const moving = source.moves.outgoing.advance(order(2));
    await clock.advance(20);
    await source.moves.incoming.drop({ ...order(1), from: to, to: from }, 1);
    const slow = made.send("Box", "a", "slow", { ms: 100 }, { timeout: 60_000 });
    await clock.advance(5);
    release();
    await clock.advance(1_000);
    expect(await moving).toMatchObject({ kind: "committed" });
    expect(await slow).toMatchObject({ response: "2" });
    expect(await made.call("Box", "a", "get")).toBe(2);
  });
});

describe("two hand-offs of a shard", () => {
  test("[TURN3] the end of an undone one does not open the gate of the next", async () => {
    const { made, source, target, order } = await setup();
    const release = holdFinals(target);
    const { outgoing } = source.moves;
    const one = outgoing.advance(order(1));
    await clock.advance(5);
    const undone = outgoing.undo(order(1));
    await clock.advance(5);
    await target.moves.incoming.drop(order(1), 1);
    const two = outgoing.advance(order(2));
    await clock.advance(20);
    release();
    expect(await one).toMatchObject({ kind: "refused" });
    expect(await undone).toEqual({ kind: "undone", epoch: 1 });
    const slow = made.send("Box", "a", "slow", { ms: 100 }, { timeout: 60_000 });
    for (let round = 0; round < 30; round++) {
      await clock.advance(50);
      release();
    }
    expect(await two).toMatchObject({ kind: expect.stringMatching(/committed|waiting/) });
    if ((await two).kind === "waiting") {
      const again = outgoing.advance(order(2));
      for (let round = 0; round < 30; round++) {
        await clock.advance(50);
        release();
      }
      expect(await again).toMatchObject({ kind: "committed" });
    }
    expect(await slow).toMatchObject({ response: "2" });
    expect(await made.call("Box", "a", "get")).toBe(2);
  });
});

describe("a commit that is not durable yet", () => {
  test("[MIG4] [OWN1] is told to nobody", async () => {
    let held = false;
    class Slow extends SqliteStorage {
      override barrier(): Promise<void> {
        return held ? new Promise(() => undefined) : Promise.resolve();
      }
    }
    const storages = new Map<string, SqliteStorage>();
    const { source, target, order } = await setup((name) => {
      const storage = name === "coordinator" ? new SqliteStorage() : new Slow();
      storages.set(name, storage);
      return storage;
    });
    const { incoming } = target.moves;
    const transfer = incoming.transfer.bind(incoming);
    incoming.transfer = async (chunk) => {
      const reply = await transfer(chunk);
      held ||= chunk.final !== undefined;
      return reply;
    };
    void source.moves.outgoing.advance(order(1));
    await clock.advance(20);
    expect(source.ownership.record(0)?.state.kind).toBe("gone");
    const told = [source.moves.outgoing.inquire(order(1)), source.moves.outgoing.undo(order(1))];
    const first = await Promise.race([...told, clock.advance(5).then(() => "nothing")]);
    expect(first).toBe("nothing");
    expect(target.ownership.record(0)?.state.kind).toBe("ready");
  });
});
