import { isPartitionName, MAX_SHARDS, type Placement, shardOf } from "../identity/object-id.ts";
import { type Member, rendezvousOwner } from "./rendezvous.ts";

/**
 * What a cluster was bootstrapped with. It never changes once the coordinator has stored it: an unclaimed shard belongs to its
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

/** The shard map as the coordinator publishes it: who takes part, and which shards are not where that would put them. */
export interface MapDocument {
  readonly version: number;
  readonly genesis: Genesis;
  /** Present shard count; default: the genesis's ([SPLIT1]). */
  readonly shards?: number;
  /** Partitions of the base assignment; default: the genesis's ([MEM1]). */
  readonly members?: readonly Member[];
  readonly exceptions: readonly MapException[];
}

/**
 * Answers "who owns it" for one map document. The first lookup of a shard costs as many steps as there are members, later
 * ones O(1); building costs the number of exceptions.
 */
export class ShardMap {
  readonly document: MapDocument;
  readonly members: readonly Member[];
  readonly #base = new Map<number, string>();
  readonly #exceptions: ReadonlyMap<number, MapException>;

  constructor(document: MapDocument) {
    this.document = document;
    this.members = document.members ?? document.genesis.members;
    this.#exceptions = new Map(document.exceptions.map((exception) => [exception.shard, exception]));
  }

  get shards(): number {
    return this.document.shards ?? this.document.genesis.shards;
  }

  get partitions(): readonly string[] {
    return this.members.map((member) => member.name);
  }

  /** Location hint of a partition ([MAP5]). */
  location(partition: string): string | undefined {
    return this.members.find((member) => member.name === partition)?.location;
  }

  /** Shard of a placement, or undefined for an object fixed to a partition. */
  shard(placement: Placement): number | undefined {
    return placement.kind === "partition" ? undefined : shardOf(placement, this.shards);
  }

  /** Owner by the base assignment. Shards that a doubling made stay with the one they came from. */
  baseOwner(shard: number): string {
    if (!(Number.isInteger(shard) && shard >= 0 && shard < this.shards))
      throw new RangeError(`shard ${shard} is not below ${this.shards}`);
    const seed = shard % this.document.genesis.shards;
    const known = this.#base.get(seed);
    if (known !== undefined) return known;
    const owner = rendezvousOwner(seed, this.members);
    this.#base.set(seed, owner);
    return owner;
  }

  owner(shard: number): string {
    return this.#exceptions.get(shard)?.partition ?? this.baseOwner(shard);
  }

  exception(shard: number): MapException | undefined {
    return this.#exceptions.get(shard);
  }
}

/** @throws Error when no cluster can be bootstrapped from it */
export function checkGenesis({ shards, members }: Genesis): void {
  const names = new Set(members.map((member) => member.name));
  const fine =
    Number.isInteger(shards) &&
    shards >= 1 &&
    shards <= MAX_SHARDS &&
    (shards & (shards - 1)) === 0 &&
    members.length > 0 &&
    names.size === members.length &&
    members.every((member) => isPartitionName(member.name) && member.weight > 0);
  if (!fine) throw new Error("Cannot bootstrap a cluster from a malformed proposal");
}
