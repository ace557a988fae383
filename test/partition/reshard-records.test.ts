import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { positionOf } from "../../src/identity/hash-order.ts";
import { Registry } from "../../src/object/registry.ts";
import { type CountedObjects, reshard } from "../../src/partition/moves/reshard.ts";
import { Ownership } from "../../src/partition/storage/ownership.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import type { ShardState } from "../../src/placement/shard-state.ts";

const OWNED: ShardState = { kind: "owned", epoch: 1 };
const gone = (epoch: number, move: number): ShardState => ({ kind: "gone", epoch, move, to: "p1" });

/** The partition of a cluster of one, by the states of its shards; `null` is a shard that nobody has called. */
function setup(states: readonly (ShardState | null)[], seen: readonly number[] = []) {
  const storage = new SqliteStorage();
  migrate(storage);
  const genesis = { shards: states.length, members: [{ name: "p0", weight: 1 }] };
  Ownership.bootstrap(storage, "p0", genesis, states.length);
  states.forEach((state, shard) => {
    if (state === null) return;
    const peer = "to" in state ? state.to : "from" in state ? state.from : null;
    const move = "move" in state ? state.move : 0;
    storage.query(
      "INSERT INTO shards (shard, epoch, claimed, state, move, seen, peer) VALUES (?, ?, 0, ?, ?, ?, ?)",
      shard,
      state.epoch,
      state.kind,
      move,
      seen[shard] ?? move,
      peer,
    );
  });
  const ownership = new Ownership("p0", genesis, storage, new Registry([]));
  let version = 1;
  const to = (shards: number, objects?: CountedObjects) =>
    reshard(storage, ownership, { shards, version: ++version }, 5, objects);
  return { storage, ownership, to };
}
const refused = (reason: string) => ({ kind: "refused", reason: expect.stringContaining(reason) });

describe("counting shards anew", () => {
  test.each(["leaving", "incoming", "ready"] as const)("[SPLIT1] waits while one of them is %s", (kind) => {
    const { ownership, to } = setup([OWNED, { kind, epoch: 1, move: 1, to: "p1", from: "p1" } as ShardState]);
    for (const count of [1, 4]) expect(to(count)).toEqual(refused("on its way"));
    expect(ownership.shards).toBe(2);
    // The count that there is needs no wait.
    expect(to(2)).toEqual({ kind: "done" });
  });

  test("[SPLIT1] waits while rows are cleared away", () => {
    const { storage, to } = setup([OWNED, gone(2, 1)]);
    storage.query("UPDATE shards SET dirty = 1 WHERE shard = 1");
    expect(to(4)).toEqual(refused("cleared away"));
    storage.query("UPDATE shards SET dirty = 0");
    expect(to(4)).toEqual({ kind: "done" });
  });

  test("[SPLIT1] gives both halves of a shard its record", () => {
    const { ownership, to } = setup([OWNED, gone(2, 1), null, null]);
    expect(to(8)).toEqual({ kind: "done" });
    const states = Array.from({ length: 8 }, (_, shard) => ownership.record(shard)?.state);
    expect(states).toEqual([OWNED, gone(2, 1), undefined, undefined, OWNED, gone(2, 1), undefined, undefined]);
  });

  test("[SPLIT1] [OWN2] joins two shards into one with the newest of what both know", () => {
    const owned = (epoch: number): ShardState => ({ kind: "owned", epoch });
    const states = [owned(3), gone(2, 1), gone(6, 4), null, owned(5), gone(4, 2), gone(6, 3), owned(7)];
    const { ownership, to } = setup(states, [9, 5, 6, 0, 2, 3, 7, 1]);
    expect(to(4)).toEqual({ kind: "done" });
    expect([0, 1, 2, 3].map((shard) => ownership.record(shard))).toEqual([
      { state: owned(5), seen: 9 },
      { state: gone(4, 2), seen: 5 },
      { state: gone(6, 4), seen: 7 },
      { state: owned(7), seen: 1 },
    ]);
    expect(ownership.shards).toBe(4);
  });

  test("[SPLIT1] does not join shards of different owners, at any step", () => {
    for (const shard of [0, 3]) {
      const states = Array.from({ length: 8 }, (_, other) => (other === shard ? gone(2, 1) : OWNED));
      const { ownership, to } = setup(states);
      expect(to(2)).toEqual(refused(`shards ${shard} and ${shard + 4} have different owners`));
      expect(ownership.shards).toBe(8);
    }
    const halves = setup([OWNED, gone(2, 1), gone(2, 1), gone(2, 1), OWNED, gone(2, 1), gone(2, 1), gone(2, 1)]);
    expect(halves.to(4)).toEqual({ kind: "done" });
    expect(halves.to(2)).toEqual(refused("shards 0 and 2 have different owners"));
  });

  test("[SPLIT1] does not take a shard from an object in use that names it", () => {
    const { to } = setup([null, null, null, null]);
    const busy = (...ids: [number, string][]) => ({
      perShard: [],
      busy: ids.map(([shard, id]) => ({ position: positionOf(shard), id })),
    });
    expect(to(2, busy([3, "shard#3/x"]))).toEqual(refused("shard#3/x"));
    // Others whose hash is the same, or whose shard stays.
    expect(to(2, busy([3, "other"], [1, "shard#1/x"]))).toEqual({ kind: "done" });
  });

  test("[SPLIT1] [LIFE4] removes the objects that autoLoad has made for shards that are no more, with all they have", () => {
    const { storage, to } = setup([null, null, null, null]);
    for (const [type, id, shard] of [
      ["Auto", "shard#3/auto", 3],
      ["Auto", "shard#1/auto", 1],
      ["Auto", "b", 3],
    ] as const) {
      storage.query(
        "INSERT INTO objects (position, type, id, version, state, created, updated) VALUES (?, ?, ?, 1, '{}', 0, 0)",
        positionOf(shard),
        type,
        id,
      );
      storage.query("INSERT INTO rows VALUES (?, ?, ?, 'k', '1')", positionOf(shard), type, id);
    }
    expect(to(2)).toEqual(refused("shard#3/auto"));
    expect(to(2, { perShard: ["Auto"], busy: [] })).toEqual({ kind: "done" });
    for (const table of ["objects", "rows"])
      expect(storage.query(`SELECT id FROM ${table} ORDER BY id`)).toEqual([{ id: "b" }, { id: "shard#1/auto" }]);
  });
});
