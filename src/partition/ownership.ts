import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { Placement } from "../identity/object-id.ts";
import { FIXED_RING, ringOf } from "../identity/ring.ts";
import type { Moved } from "../object/message.ts";
import { type Genesis, ShardMap } from "../placement/shard-map.ts";
import type { SqlStorage } from "../platform/ports.ts";
import { readMeta, writeMeta } from "./schema.ts";

/** An owned place: where the object's rows are, and the epoch they are written under. */
export interface Owned {
  readonly kind: "owned";
  /** -1 for an object fixed to its partition. */
  readonly shard: number;
  readonly epoch: number;
  readonly ring: number;
}

/** Epoch of the first owner of a shard. */
const FIRST_EPOCH = 1;

/**
 * What this partition owns, durably ([OWN1]). A shard nobody has claimed belongs to its owner by the genesis document, which
 * never changes; the first call claims it, in a row written before the call's turn starts. Any other shard is refused with
 * the owner it has by the map ([MAP3]).
 */
export class Ownership {
  readonly name: string;
  readonly map: ShardMap;
  readonly #storage: SqlStorage;
  readonly #epochs: Map<number, number>;

  constructor(name: string, genesis: Genesis, storage: SqlStorage) {
    this.name = name;
    this.#storage = storage;
    this.map = new ShardMap({ version: 1, genesis, exceptions: [] });
    const rows = storage.query<{ shard: number; epoch: number }>("SELECT shard, epoch FROM shards");
    this.#epochs = new Map(rows.map((row) => [row.shard, row.epoch]));
  }

  /** What the partition was founded with; undefined in a new one. */
  static stored(storage: SqlStorage): { name: string; genesis: Genesis } | undefined {
    const text = readMeta(storage, "genesis");
    const name = readMeta(storage, "name");
    return text === undefined || name === undefined ? undefined : { name, genesis: JSON.parse(text) as Genesis };
  }

  static found(storage: SqlStorage, name: string, genesis: Genesis): void {
    storage.transaction(() => {
      writeMeta(storage, "genesis", JSON.stringify(genesis));
      writeMeta(storage, "name", name);
    });
  }

  /** Claimed shards and their epochs. */
  get claimed(): ReadonlyMap<number, number> {
    return this.#epochs;
  }

  /** Whether this partition serves the placement; claims the shard if it is its own and new. */
  locate(placement: Placement, now: number): Owned | Moved {
    if (placement.kind === "partition") return this.#fixed(placement.partition);
    const shard = this.map.shard(placement) as number;
    const epoch = this.#epochs.get(shard) ?? this.#claim(shard, now);
    if (epoch !== undefined) return { kind: "owned", shard, epoch, ring: ringOf(placement.hash) };
    return this.#elsewhere(shard, this.map.owner(shard));
  }

  #claim(shard: number, now: number): number | undefined {
    if (this.map.owner(shard) !== this.name) return undefined;
    this.#storage.query("INSERT INTO shards (shard, epoch, claimed) VALUES (?, ?, ?)", shard, FIRST_EPOCH, now);
    this.#epochs.set(shard, FIRST_EPOCH);
    return FIRST_EPOCH;
  }

  #fixed(partition: string): Owned | Moved {
    if (partition === this.name) return { kind: "owned", shard: -1, epoch: FIRST_EPOCH, ring: FIXED_RING };
    if (this.map.partitions.includes(partition)) return this.#elsewhere(-1, partition);
    throw new EdgeverseError("INVALID_ID", `Cannot place the object: there is no partition "${partition}"`);
  }

  #elsewhere(shard: number, partition: string): Moved {
    const { version } = this.map.document;
    return {
      kind: "moved",
      shard,
      shards: this.map.shards,
      partition,
      epoch: this.map.exception(shard)?.epoch ?? FIRST_EPOCH,
      mapVersion: version,
    };
  }
}
