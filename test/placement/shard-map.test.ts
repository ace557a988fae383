import { describe, expect, test } from "vitest";
import { placementOf } from "../../src/identity/object-id.ts";
import { rendezvousTable } from "../../src/placement/rendezvous.ts";
import { type MapDocument, ShardMap } from "../../src/placement/shard-map.ts";

const MEMBERS = [
  { name: "p0", weight: 1, location: "weur" },
  { name: "p1", weight: 2 },
  { name: "p2", weight: 1, location: "enam" },
];
const DOCUMENT: MapDocument = {
  version: 3,
  genesis: { shards: 256, members: MEMBERS },
  exceptions: [
    { shard: 7, partition: "p2", epoch: 4 },
    { shard: 9, partition: "p9", epoch: 2 },
  ],
};

describe("ShardMap", () => {
  const map = new ShardMap(DOCUMENT);

  test("[MAP1] owners are the base assignment, save for the exceptions", () => {
    const base = rendezvousTable(256, MEMBERS);
    for (let shard = 0; shard < 256; shard++) {
      expect(map.baseOwner(shard)).toBe(base[shard]);
      expect(map.owner(shard)).toBe(shard === 7 ? "p2" : shard === 9 ? "p9" : base[shard]);
    }
    expect(map.exception(7)).toEqual({ shard: 7, partition: "p2", epoch: 4 });
    expect(map.exception(8)).toBeUndefined();
  });

  test("[MAP1] a document that crossed a wire as JSON gives the same map", () => {
    const other = new ShardMap(JSON.parse(JSON.stringify(DOCUMENT)) as MapDocument);
    for (let shard = 0; shard < 256; shard++) expect(other.owner(shard)).toBe(map.owner(shard));
  });

  test("[MAP5] knows its partitions and their location hints", () => {
    expect(map.shards).toBe(256);
    expect(map.partitions).toEqual(["p0", "p1", "p2"]);
    expect(map.partitions.map((name) => map.location(name))).toEqual(["weur", undefined, "enam"]);
    expect(map.location("nobody")).toBeUndefined();
  });

  test("[ID2] [ID3] [ID4] gives the shard of a placement; none for an object fixed to a partition", () => {
    expect(map.shard(placementOf("foobar"))).toBe(0xbf9cf968 % 256);
    expect(map.shard(placementOf("shard#255/x"))).toBe(255);
    expect(map.shard(placementOf("partition#p1/x"))).toBeUndefined();
    expect(() => map.shard(placementOf("shard#256/x"))).toThrow(expect.objectContaining({ code: "INVALID_ID" }));
  });

  test.each([-1, 256, 1.5, Number.NaN])("a shard out of range is a mistake, not an owner: %d", (shard) => {
    expect(() => map.owner(shard)).toThrow(RangeError);
  });

  test("[MAP1] a shard count of one works", () => {
    const tiny = new ShardMap({ version: 1, genesis: { shards: 1, members: MEMBERS }, exceptions: [] });
    expect(tiny.shard(placementOf("anything"))).toBe(0);
    expect(tiny.partitions).toContain(tiny.owner(0));
  });
});
