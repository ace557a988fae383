import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { FIXED_POSITION, hashRange, positionOf } from "../../src/identity/hash-order.ts";
import { placementOf } from "../../src/identity/object-id.ts";
import type { Moved } from "../../src/object/message.ts";
import { Registry } from "../../src/object/registry.ts";
import { Ownership } from "../../src/partition/storage/ownership.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import type { MoveOrder } from "../../src/placement/move.ts";
import { type Genesis, ShardMap } from "../../src/placement/shard-map.ts";

const SHARDS = 8;
const GENESIS: Genesis = { shards: SHARDS, members: ["p0", "p1"].map((name) => ({ name, weight: 1 })) };
const MAP = new ShardMap({ version: 1, genesis: GENESIS, exceptions: [] });
const shardsOf = (owner: string) => Array.from({ length: SHARDS }, (_, n) => n).filter((n) => MAP.owner(n) === owner);
const [MINE = 0, OTHER = 0] = shardsOf("p0");
const [THEIRS = 0] = shardsOf("p1");
const at = (shard: number, name = "a") => placementOf(`shard#${shard}/${name}`);
const order = (mapVersion: number): MoveOrder => ({ id: 5, shard: 0, shards: SHARDS, from: "", to: "", mapVersion });

function setup() {
  const storage = new SqliteStorage();
  migrate(storage);
  Ownership.bootstrap(storage, "p0", GENESIS, SHARDS);
  const open = () => new Ownership("p0", GENESIS, storage, new Registry([]));
  const ownership = open();
  const leave = (shard: number, move = 5) => {
    ownership.apply(shard, { kind: "claim" }, 1);
    return ownership.apply(shard, { kind: "offer", move, to: "p1" }, 2);
  };
  const go = (shard: number, move = 5) => {
    leave(shard, move);
    ownership.apply(shard, { kind: "commit", move }, 3, order(6));
  };
  const stage = (shard: number, move = 5) =>
    ownership.apply(shard, { kind: "stage", move, from: "p1", epoch: 4 }, 2, order(3));
  const ready = (shard: number, move = 5) => {
    stage(shard, move);
    ownership.apply(shard, { kind: "verify", move }, 3, order(3));
  };
  return { storage, ownership, open, leave, go, stage, ready };
}

describe("[MAP3] a call for a shard that is not served here", () => {
  const moved = (shard: number, partition: string, epoch: number, mapVersion: number): Moved => ({
    kind: "moved",
    shard,
    shards: SHARDS,
    partition,
    epoch,
    mapVersion,
  });

  test("goes to the partition that it has left for, with the new epoch", () => {
    const { ownership, go } = setup();
    go(MINE);
    expect(ownership.locate(at(MINE), 9)).toEqual(moved(MINE, "p1", 2, 6));
    expect(ownership.epochAt(positionOf(MINE))).toBeUndefined();
  });

  test("goes to the source while its rows are on their way", () => {
    const { ownership, stage } = setup();
    stage(THEIRS);
    expect(ownership.locate(at(THEIRS), 9)).toEqual(moved(THEIRS, "p1", 3, 3));
  });

  test("goes to the owner by the genesis if it was never here; without a time, also if that is this partition", () => {
    const { ownership } = setup();
    expect(ownership.locate(at(THEIRS), 9)).toEqual(moved(THEIRS, "p1", 1, 1));
    expect(ownership.locate(at(MINE))).toEqual(moved(MINE, "p0", 1, 1));
    expect([...ownership.records]).toEqual([]);
    ownership.locate(at(MINE), 9);
    expect(ownership.locate(at(MINE))).toMatchObject({ kind: "owned", shard: MINE });
  });

  test("says the newest map that moves have told of, also to the next process", () => {
    const { ownership, go, stage, open } = setup();
    go(MINE);
    stage(THEIRS);
    ownership.locate(at(OTHER), 9);
    const asked = () => [ownership, open()].map((some) => some.locate(placementOf("partition#p1/a"), 9));
    expect(asked()).toEqual([moved(-1, "p1", 1, 6), moved(-1, "p1", 1, 6)]);
  });

  test("that is ready waits at its gate, and the source's commit is asked for", () => {
    const { ownership, ready } = setup();
    ready(THEIRS);
    expect(ownership.moved(THEIRS)).toEqual(moved(THEIRS, "p1", 3, 3));
    const asked: number[] = [];
    const first = ownership.locate(at(THEIRS), 9);
    ownership.onReadyAsked = (shard) => asked.push(shard);
    const second = ownership.locate(at(THEIRS), 9);
    for (const located of [first, second])
      expect(located).toMatchObject({ kind: "gated", shard: THEIRS, owned: undefined });
    expect([asked, ownership.gated(THEIRS), ownership.gated(MINE)]).toEqual([[THEIRS], true, false]);
  });
});

describe("[OWN1] what is served here", () => {
  test("is what is owned, and what is leaving until it has left", () => {
    const { ownership, leave, go, stage, ready } = setup();
    ownership.claim(MINE, 9);
    leave(OTHER);
    const [ahead = 0, gone = 0] = shardsOf("p0").slice(2);
    go(gone);
    stage(THEIRS);
    ready(ahead);
    expect([...ownership.owned()]).toEqual([
      [MINE, 1],
      [OTHER, 1],
    ]);
    const shards = [MINE, OTHER, gone, THEIRS, ahead];
    expect(shards.map((shard) => ownership.servedEpoch(shard))).toEqual([1, 1, undefined, undefined, undefined]);
    expect(ownership.staged()).toEqual([ownership.range(THEIRS), ownership.range(ahead)]);
    expect(ownership.locate(at(OTHER), 9)).toEqual({
      kind: "owned",
      shard: OTHER,
      epoch: 1,
      position: positionOf(OTHER),
    });
  });

  test("is fenced: nothing is written elsewhere, whatever is being done", () => {
    const { ownership, leave } = setup();
    leave(MINE);
    expect(() => ownership.fence(positionOf(MINE))).not.toThrow();
    expect(() => ownership.fence(FIXED_POSITION)).not.toThrow();
    expect(ownership.epochAt(FIXED_POSITION)).toBe(1);
    for (const shard of [OTHER, THEIRS]) {
      const write = () => ownership.fence(positionOf(shard));
      expect(write).toThrow(EdgeverseError);
      expect(write).toThrow(expect.objectContaining({ code: "UNAVAILABLE" }));
    }
  });

  test("is told of once, when this partition is the first to own it", () => {
    const { ownership } = setup();
    const claimed: number[] = [];
    expect(ownership.claim(OTHER, 9)?.state).toEqual({ kind: "owned", epoch: 1 });
    ownership.onClaimed = (shard) => claimed.push(shard);
    expect(ownership.claim(MINE, 9)?.state).toEqual({ kind: "owned", epoch: 1 });
    expect([ownership.claim(MINE, 9), ownership.claim(THEIRS, 9), claimed]).toEqual([undefined, undefined, [MINE]]);
  });

  test("stays as it is when an event is refused", () => {
    const { ownership, open } = setup();
    ownership.claim(MINE, 9);
    expect(ownership.apply(MINE, { kind: "commit", move: 5 }, 9).kind).toBe("refused");
    for (const some of [ownership, open()])
      expect(some.record(MINE)).toEqual({ state: { kind: "owned", epoch: 1 }, seen: 0 });
  });

  test("is read again when a transaction was rolled back", () => {
    const { storage, ownership } = setup();
    expect(() =>
      storage.transaction(() => {
        ownership.claim(MINE, 9);
        throw new Error("no");
      }),
    ).toThrow("no");
    ownership.reread();
    expect([...ownership.records]).toEqual([]);
  });
});

describe("[MIG1] the gate of a shard", () => {
  test("keeps those who come until it opens; then they call again, or go where it says", async () => {
    const { ownership } = setup();
    ownership.claim(MINE, 9);
    ownership.claim(OTHER, 9);
    const gate = ownership.closeGate(MINE);
    expect(ownership.closeGate(MINE)).toBe(gate);
    const heard: unknown[] = [];
    const wait = (name: string) => {
      const located = ownership.locate(at(MINE), 9);
      if (located.kind !== "gated") return expect.fail(located.kind);
      expect(located).toMatchObject({ shard: MINE, owned: { kind: "owned", shard: MINE, epoch: 1 } });
      return located.wait((moved) => heard.push([name, moved?.partition]));
    };
    wait("a");
    const cancel = wait("b");
    wait("c");
    cancel();
    expect(ownership.locate(at(OTHER), 9).kind).toBe("owned");
    ownership.release(OTHER);
    ownership.release(MINE, ownership.moved(THEIRS));
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(heard).toEqual([
      ["a", "p1"],
      ["c", "p1"],
    ]);
    expect([ownership.gated(MINE), ownership.locate(at(MINE), 9).kind]).toEqual([false, "owned"]);
    ownership.closeGate(MINE);
    wait("d");
    ownership.release(MINE);
    await Promise.resolve();
    expect(heard.slice(2)).toEqual([["d", undefined]]);
  });

  test("says whether one of many objects waits there", () => {
    const { ownership } = setup();
    const key = (shard: number) => `T/shard#${shard}/a`;
    expect(ownership.anyGated([key(MINE)])).toBe(false);
    ownership.closeGate(MINE);
    expect(ownership.anyGated([])).toBe(false);
    expect(ownership.anyGated([key(OTHER), "T/partition#p0/a"])).toBe(false);
    expect(ownership.anyGated([key(OTHER), key(MINE)])).toBe(true);
    const ids = Array.from({ length: 100 }, (_, n) => `o${n}`);
    const on = ids.filter((id) => ownership.isOn("T", id, MINE));
    expect(on.length).toBeGreaterThan(0);
    expect(ids.filter((id) => ownership.anyGated([`T/${id}`]))).toEqual(on);
  });
});

describe("[SPLIT1] the shard count", () => {
  test("says which shard an object is on, and where its rows are", () => {
    const { ownership } = setup();
    expect([ownership.shardAt(positionOf(13)), ownership.shardAt(FIXED_POSITION)]).toEqual([5, -1]);
    expect([ownership.isOn("T", `shard#${MINE}/a`, MINE), ownership.isOn("T", "partition#p0/a", -1)]).toEqual([
      true,
      false,
    ]);
    expect(ownership.isOn("T", `shard#${MINE}/a`, OTHER)).toBe(false);
    expect(ownership.range(SHARDS - 1)).toEqual(hashRange(SHARDS - 1, SHARDS));
    expect(() => ownership.range(SHARDS)).toThrow(RangeError);
    expect(ownership.otherCount).toContain("p0 is 8");
  });

  test("can change: unclaimed shards stay with the first owner of the one they came from", () => {
    const { ownership, open, storage } = setup();
    ownership.resharded(2 * SHARDS);
    expect([ownership.shards, ownership.map.shards]).toEqual([16, 16]);
    const owners = Array.from({ length: 2 * SHARDS }, (_, shard) => MAP.owner(shard % SHARDS));
    expect(owners.map((_, shard) => ownership.firstOwner(shard))).toEqual(owners);
    expect(ownership.locate(at(MINE + SHARDS), 9)).toMatchObject({ kind: "owned", shard: MINE + SHARDS });
    storage.query("UPDATE meta SET value = '16' WHERE key = 'shards'");
    expect(open().shards).toBe(16);
    for (const bad of [0, 65_537, Number.NaN])
      expect(() => ownership.resharded(bad)).toThrow(expect.objectContaining({ code: "INTERNAL" }));
    for (const good of [1, 65_536]) expect(() => ownership.resharded(good)).not.toThrow();
  });

  test("reads the shards again", () => {
    const { ownership, storage } = setup();
    ownership.claim(MINE, 9);
    storage.query("DELETE FROM shards");
    ownership.resharded(SHARDS);
    expect([...ownership.records]).toEqual([]);
  });

  test("[ID3] an id with a shard that is not counted is refused by who would own it, and goes there from others", () => {
    const { ownership, go, leave } = setup();
    const invalid = expect.objectContaining({ code: "INVALID_ID" });
    expect(() => ownership.locate(at(MINE + SHARDS), 9)).toThrow(invalid);
    expect(ownership.locate(at(THEIRS + SHARDS), 9)).toMatchObject({ kind: "moved", shard: THEIRS, partition: "p1" });
    leave(OTHER);
    expect(() => ownership.locate(at(OTHER + SHARDS), 9)).toThrow(invalid);
    go(MINE);
    expect(ownership.locate(at(MINE + SHARDS), 9)).toMatchObject({ kind: "moved", shard: MINE, partition: "p1" });
  });
});

describe("what a partition was told when it was new", () => {
  test("[OWN3] is stored whole or not at all", () => {
    const storage = new SqliteStorage();
    migrate(storage);
    const meta = () => storage.query("SELECT key FROM meta WHERE key <> 'schema'");
    expect(Ownership.stored(storage)).toBeUndefined();
    let writes = 0;
    storage.onQuery = (sql) => {
      if (sql.startsWith("INSERT INTO meta") && ++writes === 3) throw new Error("disk full");
    };
    expect(() => Ownership.bootstrap(storage, "p0", GENESIS, SHARDS)).toThrow("disk full");
    storage.onQuery = undefined;
    expect(meta()).toEqual([]);
    storage.query("INSERT INTO meta VALUES ('name', 'p0')");
    expect(Ownership.stored(storage)).toBeUndefined();
    storage.query("UPDATE meta SET key = 'genesis', value = '{}' WHERE key = 'name'");
    expect(Ownership.stored(storage)).toBeUndefined();
  });
});
