import type { Moved } from "../object/message.ts";
import { type MapDocument, ShardMap } from "../placement/shard-map.ts";
import type { MapCache } from "./ports.ts";

/**
 * The map of one process: a document, and what partitions said since. A newer epoch of a shard wins, so a late MOVED can't
 * undo a later one. Holds at most one entry a shard.
 */
export class LearnedMap implements MapCache {
  map: ShardMap;
  readonly #learned = new Map<number, { partition: string; epoch: number }>();

  constructor(document: MapDocument) {
    this.map = new ShardMap(document);
  }

  /** Takes a newer document from the coordinator. */
  replace(document: MapDocument): void {
    if (document.version <= this.map.document.version && document.genesis.shards === this.map.shards) return;
    this.map = new ShardMap(document);
    this.#learned.clear();
  }

  owner(shard: number): string {
    return this.#learned.get(shard)?.partition ?? this.map.owner(shard);
  }

  learn({ shard, partition, epoch }: Moved): void {
    if (partition === null || shard < 0 || shard >= this.map.shards) return;
    const known = this.#learned.get(shard);
    if (known === undefined || epoch >= known.epoch) this.#learned.set(shard, { partition, epoch });
  }
}
