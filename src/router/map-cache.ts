import type { Moved } from "../object/message.ts";
import { type Genesis, type MapDocument, ShardMap } from "../placement/shard-map.ts";
import type { MapCache } from "./ports.ts";

/**
 * The map of one process. It begins as a guess from the environment, which is right unless the cluster was bootstrapped with
 * other settings, so that the first call asks nobody; a partition that knows better makes it ask the coordinator. Between
 * documents it remembers what partitions said: a newer epoch of a shard wins, at most one entry a shard.
 */
export class LearnedMap implements MapCache {
  map: ShardMap;
  readonly #ask: () => Promise<MapDocument | undefined>;
  readonly #learned = new Map<number, { partition: string; epoch: number }>();

  /** @param ask the coordinator's map */
  constructor(guess: Genesis, ask: () => Promise<MapDocument | undefined>) {
    this.map = new ShardMap({ version: 0, genesis: guess, exceptions: [] });
    this.#ask = ask;
  }

  async refresh(): Promise<void> {
    try {
      const document = await this.#ask();
      if (document === undefined || document.version <= this.map.document.version) return;
      this.map = new ShardMap(document);
      this.#learned.clear();
    } catch {
      // Calls go on with the map there is, as far as it goes ([OWN3]).
    }
  }

  owner(shard: number): string {
    return this.#learned.get(shard)?.partition ?? this.map.owner(shard);
  }

  learn({ shard, shards, partition, epoch }: Moved): void {
    if (shards !== this.map.shards) return;
    const known = this.#learned.get(shard) ?? this.map.exception(shard);
    if (known === undefined || epoch >= known.epoch) this.#learned.set(shard, { partition, epoch });
  }
}
