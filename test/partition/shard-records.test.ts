import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { migrate } from "../../src/partition/storage/schema.ts";
import { readShards, writeShard } from "../../src/partition/storage/shard-records.ts";
import type { ShardState } from "../../src/placement/shard-state.ts";

const SHARD = 3;
const owned: ShardState = { kind: "owned", epoch: 4 };
const leaving: ShardState = { kind: "leaving", epoch: 4, move: 7, to: "p1" };
const gone: ShardState = { kind: "gone", epoch: 5, move: 7, to: "p1" };
const incoming: ShardState = { kind: "incoming", epoch: 5, move: 7, from: "p2" };
const ready: ShardState = { kind: "ready", epoch: 5, move: 7, from: "p2" };

function setup() {
  const storage = new SqliteStorage();
  migrate(storage);
  let now = 100;
  /** Writes each state, one ms after the other, and gives a column of the row as it is after each. */
  const write = (column: string, ...states: ShardState[]) =>
    states.map((state) => {
      writeShard(storage, SHARD, { state, seen: 7 }, now++);
      return storage.query(`SELECT ${column} FROM shards WHERE shard = ${SHARD}`)[0]?.[column];
    });
  return { storage, write };
}

describe("the record of a shard", () => {
  test.each([owned, leaving, gone, incoming, ready])("[OWN2] is read as it was written: $kind", (state) => {
    const { storage } = setup();
    writeShard(storage, SHARD, { state, seen: 9 }, 0);
    writeShard(storage, 4, { state: owned, seen: 0 }, 0);
    expect([...readShards(storage)]).toEqual([
      [SHARD, { state, seen: 9 }],
      [4, { state: owned, seen: 0 }],
    ]);
    const after: ShardState = { kind: "owned", epoch: 9 };
    writeShard(storage, SHARD, { state: after, seen: 10 }, 0);
    expect(readShards(storage).get(SHARD)).toEqual({ state: after, seen: 10 });
  });

  test("[OWN1] says since when its state is claimed: the same for as long as one owner serves it", () => {
    const { write } = setup();
    expect(write("claimed", owned, leaving, owned)).toEqual([100, 100, 100]);
    expect(write("claimed", leaving, gone)).toEqual([100, 104]);
    expect(write("claimed", { ...incoming, epoch: 6 }, { ...owned, epoch: 6 })).toEqual([105, 106]);
    expect(write("claimed", { ...owned, epoch: 8 })).toEqual([107]);
    expect(setup().write("claimed", ready, gone, incoming)).toEqual([100, 100, 100]);
  });

  test("[MIG4] has rows to clear once it is gone, until they are cleared or it is owned again", () => {
    const { storage, write } = setup();
    expect(write("dirty", owned, leaving, gone, { ...gone, move: 8 }, incoming)).toEqual([0, 0, 1, 1, 1]);
    expect(write("dirty", ready, { ...owned, epoch: 5 }, leaving)).toEqual([1, 0, 0]);
    write("dirty", gone);
    storage.query("UPDATE shards SET dirty = 0");
    expect(write("dirty", incoming, ready)).toEqual([0, 0]);
  });

  test("[MIG2] keeps its copy as long as the move goes on", () => {
    const { storage, write } = setup();
    const copying = (before: ShardState) => {
      write("copy", before);
      storage.query("UPDATE shards SET copy = 'c'");
    };
    copying(leaving);
    expect(write("copy", leaving, { ...leaving, epoch: 5 }, owned)).toEqual(["c", "c", null]);
    copying(leaving);
    expect(write("copy", { ...leaving, move: 8 })).toEqual([null]);
    copying(leaving);
    expect(write("copy", gone)).toEqual([null]);
    copying(incoming);
    expect(write("copy", ready, incoming, { ...owned, epoch: 5 })).toEqual(["c", "c", null]);
  });

  test("[MAP3] has the version of the map that the move was decided on, else the first", () => {
    const { storage } = setup();
    const version = () => storage.query("SELECT map_version AS v, move, peer FROM shards")[0];
    writeShard(storage, SHARD, { state: leaving, seen: 7 }, 0, 12);
    expect(version()).toEqual({ v: 12, move: 7, peer: "p1" });
    writeShard(storage, SHARD, { state: owned, seen: 7 }, 0);
    expect(version()).toEqual({ v: 1, move: 0, peer: null });
  });
});
