import { type Placement, shardOf } from "../identity/object-id.ts";
import { type Member, rendezvousTable } from "./rendezvous.ts";

/**
 * What a cluster was founded with. It never changes once the coordinator has stored it: an unclaimed shard belongs to its
 * owner by this document, whatever the environment says today, so a changed setting can't make a second owner.
 */
export interface Genesis {
  readonly shards: number;
  readonly members: readonly Member[];
}

/** A shard that is not where the base map puts it. */
export interface MapException {
  readonly shard: number;
  readonly partition: string;
  readonly epoch: number;
}

/** The shard map as the coordinator publishes it: the genesis, and what differs from it. */
export interface MapDocument {
  readonly version: number;
  readonly genesis: Genesis;
  readonly exceptions: readonly MapException[];
}

/** Answers "who owns it" for one map document. Lookups are O(1); building costs shards × members. */
export class ShardMap {
  readonly document: MapDocument;
  readonly #base: readonly string[];
  readonly #exceptions: ReadonlyMap<number, MapException>;

  constructor(document: MapDocument) {
    this.document = document;
    this.#base = rendezvousTable(document.genesis.shards, document.genesis.members);
    this.#exceptions = new Map(document.exceptions.map((exception) => [exception.shard, exception]));
  }

  get shards(): number {
    return this.document.genesis.shards;
  }

  get partitions(): readonly string[] {
    return this.document.genesis.members.map((member) => member.name);
  }

  /** Location hint of a partition ([MAP5]). */
  location(partition: string): string | undefined {
    return this.document.genesis.members.find((member) => member.name === partition)?.location;
  }

  /** Shard of a placement, or undefined for an object fixed to a partition. */
  shard(placement: Placement): number | undefined {
    return placement.kind === "partition" ? undefined : shardOf(placement, this.shards);
  }

  baseOwner(shard: number): string {
    const owner = this.#base[shard];
    if (owner === undefined) throw new RangeError(`shard ${shard} is not below ${this.shards}`);
    return owner;
  }

  owner(shard: number): string {
    return this.#exceptions.get(shard)?.partition ?? this.baseOwner(shard);
  }

  exception(shard: number): MapException | undefined {
    return this.#exceptions.get(shard);
  }
}
