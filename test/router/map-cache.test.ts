import { describe, expect, test } from "vitest";
import type { Moved } from "../../src/object/message.ts";
import { type Genesis, type MapDocument, ShardMap } from "../../src/placement/shard-map.ts";
import { LearnedMap } from "../../src/router/map-cache.ts";

const GUESS: Genesis = { shards: 16, members: ["p0", "p1"].map((name) => ({ name, weight: 1 })) };
const BASE = new ShardMap({ version: 1, genesis: GUESS, exceptions: [] });

function moved(shard: number, partition: string, epoch: number, shards = 16): Moved {
  return { kind: "moved", shard, shards, partition, epoch, mapVersion: 1 };
}

function setup(document?: MapDocument) {
  const fetched = { document, count: 0 };
  const cache = new LearnedMap(GUESS, async () => {
    fetched.count++;
    return fetched.document;
  });
  return { cache, fetched };
}

const other = (shard: number) => (BASE.owner(shard) === "p0" ? "p1" : "p0");

describe("LearnedMap", () => {
  test("[MAP1] begins with the guess and asks nobody", () => {
    const { cache, fetched } = setup();
    for (let shard = 0; shard < 16; shard++) expect(cache.owner(shard)).toBe(BASE.owner(shard));
    expect(fetched.count).toBe(0);
  });

  test("[MAP3] learns one shard at a time", () => {
    const { cache } = setup();
    cache.learn(moved(3, other(3), 2));
    for (let shard = 0; shard < 16; shard++) {
      expect(cache.owner(shard)).toBe(shard === 3 ? other(3) : BASE.owner(shard));
    }
  });

  test("[OWN2] a newer epoch wins; a late word of an older one undoes nothing", () => {
    const { cache } = setup();
    cache.learn(moved(3, "x", 5));
    cache.learn(moved(3, "y", 4));
    expect(cache.owner(3)).toBe("x");
    cache.learn(moved(3, "z", 6));
    expect(cache.owner(3)).toBe("z");
  });

  test("[OWN2] neither does it undo what the coordinator's map says of a newer epoch", async () => {
    const exceptions = [{ shard: 3, partition: other(3), epoch: 5 }];
    const { cache } = setup({ version: 2, genesis: GUESS, exceptions });
    await cache.refresh();
    cache.learn(moved(3, BASE.owner(3), 2));
    expect(cache.owner(3)).toBe(other(3));
  });

  test("[OWN2] of two words of one epoch the later counts", () => {
    const { cache } = setup();
    cache.learn(moved(0, "x", 5));
    cache.learn(moved(0, "y", 5));
    expect(cache.owner(0)).toBe("y");
  });

  test("[MAP3] what names no shard, or counts shards otherwise teaches nothing", () => {
    const { cache } = setup();
    for (const word of [moved(-1, "x", 9), moved(3, "x", 9, 32), moved(16, "x", 9, 32)]) {
      cache.learn(word);
    }
    for (let shard = 0; shard < 16; shard++) expect(cache.owner(shard)).toBe(BASE.owner(shard));
  });

  test("[MAP1] the coordinator's map replaces a wrong guess, the shard count included", async () => {
    const genesis: Genesis = { shards: 64, members: ["a", "b", "c"].map((name) => ({ name, weight: 1 })) };
    const { cache } = setup({ version: 1, genesis, exceptions: [] });
    cache.learn(moved(3, "x", 9));
    await cache.refresh();
    expect(cache.map.shards).toBe(64);
    expect(cache.map.partitions).toEqual(["a", "b", "c"]);
    expect(cache.owner(3)).not.toBe("x");
  });

  test("[MAP1] an older or the same document changes nothing, and forgets nothing", async () => {
    const { cache, fetched } = setup({ version: 3, genesis: GUESS, exceptions: [] });
    await cache.refresh();
    const { map } = cache;
    cache.learn(moved(3, "x", 9));
    for (const version of [3, 2]) {
      fetched.document = { version, genesis: { ...GUESS, shards: 32 }, exceptions: [] };
      await cache.refresh();
      expect(cache.map).toBe(map);
      expect(cache.owner(3)).toBe("x");
    }
  });

  test("[OWN3] a coordinator that is away, or not bootstrapped, leaves the map as it is", async () => {
    const { cache } = setup(undefined);
    await cache.refresh();
    expect(cache.map.document.version).toBe(0);
    const away = new LearnedMap(GUESS, () => Promise.reject(new Error("away")));
    await expect(away.refresh()).resolves.toBeUndefined();
    expect(away.owner(3)).toBe(BASE.owner(3));
  });
});
