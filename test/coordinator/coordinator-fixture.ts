import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import type { MoveVote, ShardMove } from "../../src/object/shard-move.ts";
import { ShardMap } from "../../src/placement/shard-map.ts";

/** What `Thing` says to moves. */
export const votes: { all: MoveVote; vetoed: number } = { all: "allow", vetoed: -1 };

export class Thing extends VirtualObject {
  static override readonly type = "Thing";
  static override readonly methods = { touch: method() };
  static override onMove({ shard }: ShardMove): MoveVote {
    return shard === votes.vetoed ? "veto" : votes.all;
  }
  touch() {}
}

/** A cluster of 64 shards whose coordinator plans at once. */
export function setup(config: Record<string, string | number> = {}, partitions = 2) {
  votes.all = "allow";
  votes.vetoed = -1;
  const made = new TestCluster({
    objects: [Thing],
    partitions,
    config: { shards: 64, stableFor: "10ms", moveCooldown: "1ms", ...config },
  });
  const clock = made.clock;
  const map = () => new ShardMap(made.coordinator.map() as never);
  const counts = () => {
    const sums: Record<string, number> = {};
    for (let shard = 0; shard < map().shards; shard++) sums[map().owner(shard)] = (sums[map().owner(shard)] ?? 0) + 1;
    return sums;
  };
  const shardsOf = (name: string) =>
    Array.from({ length: map().shards }, (_, shard) => shard).filter((shard) => map().owner(shard) === name);
  const start = () => made.call("Thing", "a", "touch");
  return { made, clock, map, counts, shardsOf, start };
}
