import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { FIXED_POSITION, hashRange, positionOf } from "../../identity/hash-order.ts";
import { MAX_SHARDS, type Placement } from "../../identity/object-id.ts";
import type { Moved } from "../../object/message.ts";
import type { MoveOrder } from "../../placement/move.ts";
import { rendezvousOwner } from "../../placement/rendezvous.ts";
import { type Genesis, ShardMap } from "../../placement/shard-map.ts";
import {
  FIRST_EPOCH,
  type ShardEvent,
  type ShardRecord,
  type ShardStep,
  serves,
  shardTransition,
} from "../../placement/shard-state.ts";
import { readMeta, writeMeta } from "../../platform/meta.ts";
import type { SqlStorage } from "../../platform/ports.ts";
import type { Gated, Owned, Places } from "./places.ts";
import { readShards, writeShard } from "./shard-records.ts";
import type { HashRange } from "./shard-rows.ts";

export type { Gated, Owned } from "./places.ts";

type Gate = Set<(moved: Moved | undefined) => void>;

/**
 * What this partition owns, durably ([OWN1]). A shard nobody has claimed belongs to its owner by the genesis document, which
 * never changes; the first call claims it, in a row written before the call's turn starts. From then on a shard changes
 * hands by moves alone. Any other shard is refused with the owner it is known to have ([MAP3]).
 */
export class Ownership {
  readonly name: string;
  /** Says where objects live. */
  readonly registry: Places;
  readonly #genesis: Genesis;
  readonly #storage: SqlStorage;
  #map: ShardMap;
  #records: Map<number, ShardRecord>;
  /** The newest version of the cluster's map that moves have told of. */
  #mapVersion: number;
  readonly #gates = new Map<number, Gate>();
  /** Told of a shard that this partition is the first to own. */
  onClaimed: ((shard: number) => void) | undefined;
  /** Told of a call for a shard that is ready and waits for the source's commit. */
  onReadyAsked: ((shard: number) => void) | undefined;

  constructor(name: string, genesis: Genesis, storage: SqlStorage, registry: Places) {
    this.registry = registry;
    this.name = name;
    this.#genesis = genesis;
    this.#storage = storage;
    this.#map = mapOf(genesis, Number(readMeta(storage, "shards") ?? genesis.shards));
    this.#records = readShards(storage);
    this.#mapVersion = storage.query<{ v: number | null }>("SELECT max(map_version) AS v FROM shards")[0]?.v ?? 1;
  }

  /** The partition's name and genesis; undefined in a new one. */
  static stored(storage: SqlStorage): { name: string; genesis: Genesis } | undefined {
    const text = readMeta(storage, "genesis");
    const name = readMeta(storage, "name");
    return text === undefined || name === undefined ? undefined : { name, genesis: JSON.parse(text) as Genesis };
  }

  static bootstrap(storage: SqlStorage, name: string, genesis: Genesis, shards: number): void {
    storage.transaction(() => {
      writeMeta(storage, "genesis", JSON.stringify(genesis));
      writeMeta(storage, "name", name);
      writeMeta(storage, "shards", String(shards));
    });
  }

  /** The genesis by the present shard count. */
  get map(): ShardMap {
    return this.#map;
  }

  get shards(): number {
    return this.#map.shards;
  }

  /** Why an order that is meant for another shard count can't be followed. */
  get otherCount(): string {
    return `the shard count at ${this.name} is ${this.shards}`;
  }

  get records(): ReadonlyMap<number, ShardRecord> {
    return this.#records;
  }

  /** Shards this partition serves, claimed ones only, with their epochs. */
  *owned(): Generator<[shard: number, epoch: number]> {
    for (const [shard, { state }] of this.#records) if (serves(state)) yield [shard, state.epoch];
  }

  /** The partition that may claim the shard, whatever the shard count. */
  firstOwner(shard: number): string {
    return rendezvousOwner(shard % this.#genesis.shards, this.#genesis.members);
  }

  /** Epoch of a shard that is served here; undefined of any other. */
  servedEpoch(shard: number): number | undefined {
    const state = this.#records.get(shard)?.state;
    return serves(state) ? state.epoch : undefined;
  }

  /** Epoch of what is served at a position in hash order; undefined where nothing is. */
  epochAt(position: number): number | undefined {
    return position === FIXED_POSITION ? FIRST_EPOCH : this.servedEpoch(this.shardAt(position));
  }

  record(shard: number): ShardRecord | undefined {
    return this.#records.get(shard);
  }

  range(shard: number): HashRange {
    if (shard >= this.shards) throw new RangeError(`shard ${shard} is not below ${this.shards}`);
    return hashRange(shard, this.shards);
  }

  /** Positions whose rows are being copied here. */
  staged(): HashRange[] {
    const ranges: HashRange[] = [];
    for (const [shard, { state }] of this.#records) {
      if (state.kind === "incoming" || state.kind === "ready") ranges.push(this.range(shard));
    }
    return ranges;
  }

  /** The shard of a position in hash order; -1 for objects fixed to the partition. */
  shardAt(position: number): number {
    return position === FIXED_POSITION ? -1 : positionOf(position) % this.shards;
  }

  /** Whether the object is on the shard. */
  isOn(type: string, id: string, shard: number): boolean {
    const placement = this.registry.placement(type, id);
    return placement.kind !== "partition" && placement.hash % this.shards === shard;
  }

  /** Whether one of these objects (`type/id`) is on a shard whose calls wait at the gate. */
  anyGated(keys: Iterable<string>): boolean {
    if (this.#gates.size === 0) return false;
    for (const key of keys) {
      const slash = key.indexOf("/");
      const placement = this.registry.placement(key.slice(0, slash), key.slice(slash + 1));
      if (placement.kind !== "partition" && this.#gates.has(placement.hash % this.shards)) return true;
    }
    return false;
  }

  /**
   * Whether this partition serves the placement. Without `now` it only looks: a new shard of its own is "moved" to it; else
   * it is claimed. A shard that an id names (`shard#n/…`) and that this partition does not count is refused here only if it
   * would be its own: while the count changes, another may count it yet.
   *
   * @throws EdgeverseError `INVALID_ID`
   */
  locate(placement: Placement, now?: number): Owned | Moved | Gated {
    if (placement.kind === "partition") return this.#fixed(placement.partition);
    const shard = placement.hash % this.shards;
    if (placement.kind === "shard" && placement.hash >= this.shards) {
      const mine = this.#records.get(shard)?.state;
      const served = mine === undefined ? this.#map.baseOwner(shard) === this.name : serves(mine);
      return served ? this.#uncounted(placement.hash) : this.moved(shard);
    }
    const record = this.#records.get(shard) ?? (now === undefined ? undefined : this.claim(shard, now));
    const state = record?.state;
    if (!serves(state)) {
      if (state?.kind === "ready") {
        this.onReadyAsked?.(shard);
        return { kind: "gated", shard, owned: undefined, wait: this.#waiting(this.closeGate(shard)) };
      }
      return this.moved(shard);
    }
    const owned: Owned = { kind: "owned", shard, epoch: state.epoch, position: positionOf(placement.hash) };
    if (this.#gates.size === 0) return owned;
    const gate = this.#gates.get(shard);
    return gate === undefined ? owned : { kind: "gated", shard, owned, wait: this.#waiting(gate) };
  }

  /** Takes the shard if it is this partition's by the genesis and nobody has. */
  claim(shard: number, now: number): ShardRecord | undefined {
    if (this.#records.has(shard) || this.#map.baseOwner(shard) !== this.name) return undefined;
    this.apply(shard, { kind: "claim" }, now);
    this.onClaimed?.(shard);
    return this.#records.get(shard);
  }

  /** Applies an event to a shard. The new record is written at once, inside the caller's transaction if there is one. */
  apply(shard: number, event: ShardEvent, now: number, order?: MoveOrder): ShardStep {
    const step = shardTransition(this.#records.get(shard), event);
    if (step.kind === "next") {
      writeShard(this.#storage, shard, step.record, now, order?.mapVersion);
      this.#records.set(shard, step.record);
      this.#mapVersion = Math.max(this.#mapVersion, order?.mapVersion ?? 0);
    }
    return step;
  }

  /** Closes the gate: calls of the shard wait from now on. */
  closeGate(shard: number): Gate {
    const known = this.#gates.get(shard);
    if (known !== undefined) return known;
    const gate: Gate = new Set();
    this.#gates.set(shard, gate);
    return gate;
  }

  /** Lets a caller wait at the gate; the function it gets takes the caller out again. */
  #waiting(gate: Gate): Gated["wait"] {
    return (callback) => {
      gate.add(callback);
      return () => gate.delete(callback);
    };
  }

  /** Whether calls of the shard wait at the gate. */
  gated(shard: number): boolean {
    return this.#gates.has(shard);
  }

  /**
   * The fence of every write of an object or a call: it must be on a shard that is served here.
   * @throws EdgeverseError `UNAVAILABLE`; the transaction it is in must not commit
   */
  fence(position: number): void {
    if (this.epochAt(position) !== undefined) return;
    throw new EdgeverseError(
      "UNAVAILABLE",
      `Shard ${this.shardAt(position)} is another partition's: nothing is written to it`,
    );
  }

  /** Opens the gate: those who wait call again, or go where `moved` says. */
  release(shard: number, moved?: Moved): void {
    const gate = this.#gates.get(shard);
    this.#gates.delete(shard);
    for (const callback of gate ?? []) queueMicrotask(() => callback(moved));
  }

  /** The answer for a shard that is not served here. */
  moved(shard: number): Moved {
    const state = this.#records.get(shard)?.state;
    const answer = (partition: string, epoch: number): Moved => ({
      kind: "moved",
      shard,
      shards: this.shards,
      partition,
      epoch,
      mapVersion: this.#mapVersion,
    });
    if (state?.kind === "gone") return answer(state.to, state.epoch);
    if (state?.kind === "incoming" || state?.kind === "ready") return answer(state.from, state.epoch - 1);
    return answer(this.#map.baseOwner(shard), FIRST_EPOCH);
  }

  /** Takes the records from the database again: a transaction that changed them was rolled back. */
  reread(): void {
    this.#records = readShards(this.#storage);
  }

  /** Counts shards anew ([SPLIT1]); the caller has written the table and reads it back here. */
  resharded(shards: number): void {
    this.#map = mapOf(this.#genesis, shards);
    this.#records = readShards(this.#storage);
  }

  #uncounted(shard: number): never {
    throw new EdgeverseError("INVALID_ID", `Cannot use shard ${shard}: the cluster has ${this.shards} shards`);
  }

  #fixed(partition: string): Owned | Moved {
    if (partition === this.name) return { kind: "owned", shard: -1, epoch: FIRST_EPOCH, position: FIXED_POSITION };
    return {
      kind: "moved",
      shard: -1,
      shards: this.shards,
      partition,
      epoch: FIRST_EPOCH,
      mapVersion: this.#mapVersion,
    };
  }
}

function mapOf(genesis: Genesis, shards: number): ShardMap {
  if (!(shards >= 1 && shards <= MAX_SHARDS)) throw new EdgeverseError("INTERNAL", `bad shard count ${shards}`);
  return new ShardMap({ version: 1, genesis, shards, exceptions: [] });
}
