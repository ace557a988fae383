import { beforeEach, describe, expect, test } from "vitest";
import { Registry } from "../../src/object/registry.ts";
import type { MapDocument } from "../../src/placement/shard-map.ts";
import { Directory } from "../../src/router/directory.ts";
import { LearnedMap } from "../../src/router/map-cache.ts";
import { ManualClock } from "../../src/testing/clocks.ts";
import { GENESIS, ID, moved, OTHER, OWNER, THIRD } from "./router-fixture.ts";

const REAL: MapDocument = { version: 1, genesis: GENESIS, exceptions: [] };
const NEW = "partition#p9/a";
const WITH_NEW: MapDocument = {
  version: 2,
  genesis: GENESIS,
  members: [...GENESIS.members, { name: "p9", weight: 1 }],
  exceptions: [],
};

let clock: ManualClock;
/** The coordinator's map; undefined while it can't be had. */
let document: MapDocument | undefined;
/** How often the coordinator was asked. */
let asked: number;
let directory: Directory;

beforeEach(() => {
  clock = new ManualClock();
  document = REAL;
  asked = 0;
  const cache = new LearnedMap(GENESIS, async () => {
    asked++;
    return document;
  });
  directory = new Directory(cache, clock, new Registry([]));
});

/** What a call does that one partition has sent on to another. */
const sentOn = (changes: Partial<Parameters<typeof moved>[1]> = {}, redirects = 1) =>
  directory.redirect(moved(OTHER, { mapVersion: directory.map.document.version, ...changes }), OWNER, redirects);

describe("a guessed map", () => {
  test("[MAP1] is replaced for a question, and looked at once a second until it is", async () => {
    document = undefined;
    for (let count = 0; count < 3; count++) await directory.refreshGuess();
    expect(asked).toBe(1);
    await clock.advance(999);
    await directory.refreshGuess();
    expect(asked).toBe(1);
    document = REAL;
    await clock.advance(1);
    await directory.refreshGuess();
    expect([asked, directory.map.document.version]).toEqual([2, 1]);
    await clock.advance(60_000);
    await directory.refreshGuess();
    expect(asked).toBe(2);
  });

  test("[ID1] a malformed id is refused without a look at the coordinator's", async () => {
    expect(() => directory.ownerOrRefresh({ type: "T", id: "a/b" })).toThrow(
      expect.objectContaining({ code: "INVALID_ID" }),
    );
    await clock.advance(1);
    expect(asked).toBe(0);
  });

  test("[MAP3] calls no id impossible on its own", async () => {
    document = undefined;
    await expect(directory.ownerOrRefresh({ type: "T", id: NEW })).rejects.toMatchObject({ code: "INVALID_ID" });
    document = WITH_NEW;
    expect(await directory.ownerOrRefresh({ type: "T", id: NEW })).toBe("p9");
  });
});

describe("the coordinator's map", () => {
  test("[MAP3] is fetched before an id is called impossible, at most once a second", async () => {
    await directory.refresh();
    await clock.advance(1_000);
    await expect(directory.ownerOrRefresh({ type: "T", id: NEW })).rejects.toMatchObject({ code: "INVALID_ID" });
    expect(asked).toBe(2);
    document = WITH_NEW;
    await clock.advance(999);
    expect(() => directory.ownerOrRefresh({ type: "T", id: NEW })).toThrow(
      expect.objectContaining({ code: "INVALID_ID" }),
    );
    expect(asked).toBe(2);
    await clock.advance(1);
    expect(await directory.ownerOrRefresh({ type: "T", id: NEW })).toBe("p9");
    expect(await directory.ownerOrRefresh({ type: "T", id: ID })).toBe(OWNER);
    expect(asked).toBe(3);
  });

  test.each([
    ["the first redirection", {}, 1, 0],
    ["the second one", {}, 2, 1],
    ["a partition that knows a newer map", { mapVersion: 2 }, 1, 1],
    ["one that knows an older map", { mapVersion: 0 }, 1, 0],
    ["one with another shard count", { shards: 32 }, 1, 1],
  ])("[MAP3] after %s", async (_, changes, redirects, looks) => {
    await directory.refresh();
    asked = 0;
    await clock.advance(1_000);
    expect(await sentOn(changes, redirects)).toBe(OTHER);
    expect(asked).toBe(looks);
  });

  test("[OWN3] is fetched once a second, however many calls are sent on", async () => {
    for (let count = 0; count < 5; count++) await sentOn({ mapVersion: 7 }, 3);
    expect(asked).toBe(1);
    await clock.advance(1_000);
    await sentOn({ mapVersion: 7 });
    expect(asked).toBe(2);
  });
});

describe("a redirection", () => {
  test("[MAP3] is followed and learnt, also where the map was fetched for it", async () => {
    expect(await sentOn({}, 2)).toBe(OTHER);
    expect(asked).toBe(1);
    expect(directory.owner({ type: "T", id: ID })).toBe(OTHER);
  });

  test("[MIG1] to the partition that gave it is not followed at once", async () => {
    expect(await directory.redirect(moved(OWNER), OWNER, 1)).toBeUndefined();
    expect(await directory.redirect(moved(THIRD), OWNER, 1)).toBe(THIRD);
  });
});
