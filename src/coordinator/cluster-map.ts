import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { type Member, rendezvousOwner } from "../placement/rendezvous.ts";
import type { Genesis, MapDocument } from "../placement/shard-map.ts";
import { readMeta } from "../platform/meta.ts";
import type { Clock, SqlRow, SqlStorage } from "../platform/ports.ts";
import type { MemberState, ShardNote, ShardWhy } from "./commands.ts";
import { setMeta } from "./tables.ts";

export interface MemberRow {
  readonly name: string;
  readonly weight: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: MemberState | "removed";
  readonly location: string | null;
  readonly since: number;
}

interface ShardRow extends SqlRow {
  shard: number;
  partition: string;
  epoch: number | null;
  why: string | null;
  pinned: number;
  pinned_to: string | null;
  moved_at: number | null;
  retry_at: number;
}

export interface ShardState extends ShardNote {
  /** Not to be moved by plan before this time: the last attempt was undone. */
  readonly retryAt: number;
}

/**
 * The shard map at the coordinator: who takes part, and what differs from the base assignment ([MAP1]). A change of members
 * changes the base, never an owner: a shard whose base owner is now another stays as an exception, "held" until a move corrects
 * them ([MEM1]).
 */
export class ClusterMap {
  readonly #storage: SqlStorage;
  readonly #clock: Clock;
  #members: readonly MemberRow[] | undefined;
  #notes: Map<number, ShardState> | undefined;
  #base: string[] | undefined;
  #genesis: Genesis | undefined;
  #shards: number | undefined;
  #version: number | undefined;

  constructor(storage: SqlStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** Takes everything from the database again: a transaction was rolled back. */
  forget(): void {
    this.#members = undefined;
    this.#notes = undefined;
    this.#base = undefined;
    this.#shards = undefined;
    this.#version = undefined;
  }

  /** The genesis; undefined before the bootstrap. */
  get genesis(): Genesis | undefined {
    if (this.#genesis !== undefined) return this.#genesis;
    const rows = this.#storage.query<{ document: string }>("SELECT document FROM map ORDER BY version LIMIT 1");
    if (rows[0] !== undefined) this.#genesis = (JSON.parse(rows[0].document) as MapDocument).genesis;
    return this.#genesis;
  }

  get bootstrappedAt(): number | null {
    return this.#storage.query<{ at: number }>("SELECT at FROM map ORDER BY version LIMIT 1")[0]?.at ?? null;
  }

  bootstrap(genesis: Genesis): void {
    const now = this.#clock.now();
    this.#storage.transaction(() => {
      const document: MapDocument = { version: 1, genesis, exceptions: [] };
      this.#storage.query("INSERT INTO map VALUES (1, ?, ?)", JSON.stringify(document), now);
      this.adopt(genesis);
    });
  }

  /** Writes the members of the genesis, also of one that an older version of the code has stored. */
  adopt(genesis: Genesis): void {
    for (const { name, weight, location } of genesis.members) {
      this.#storage.query(
        "INSERT INTO members VALUES (?, ?, '{}', 'active', ?, ?) ON CONFLICT (name) DO NOTHING",
        name,
        weight,
        location ?? null,
        this.#clock.now(),
      );
    }
    this.forget();
  }

  get version(): number {
    this.#version ??= Number(readMeta(this.#storage, "version") ?? 1);
    return this.#version;
  }

  get shards(): number {
    this.#shards ??= Number(readMeta(this.#storage, "shards") ?? this.genesis?.shards ?? 0);
    return this.#shards;
  }

  /** Members, and those that once were: their partitions still know where shards went. */
  get everyone(): readonly MemberRow[] {
    this.#members ??= this.#storage
      .query<SqlRow>("SELECT name, weight, labels, state, location, since FROM members ORDER BY name")
      .map((row) => ({ ...row, labels: JSON.parse(row["labels"] as string) }) as unknown as MemberRow);
    return this.#members;
  }

  get members(): readonly MemberRow[] {
    return this.everyone.filter((member) => member.state !== "removed");
  }

  member(name: string): MemberRow {
    const found = this.members.find((member) => member.name === name);
    if (found !== undefined) return found;
    throw new EdgeverseError("NOT_FOUND", `There is no partition "${name.slice(0, 80)}"`);
  }

  /** Owner by the base assignment. */
  base(shard: number): string {
    this.#base ??= this.#assign(this.everyone);
    return this.#base[shard % this.#base.length] as string;
  }

  /** Owners by the base assignment as if a member were as given; element n is shard n modulo their number. */
  baseIf(member: MemberRow): readonly string[] {
    return this.#assign([...this.everyone.filter(({ name }) => name !== member.name), member]);
  }

  owner(shard: number): string {
    return this.notes.get(shard)?.partition ?? this.base(shard);
  }

  /** What is known of single shards. */
  get notes(): ReadonlyMap<number, ShardState> {
    this.#notes ??= new Map(this.#storage.query<ShardRow>("SELECT * FROM shards").map((row) => [row.shard, note(row)]));
    return this.#notes;
  }

  document(): MapDocument | undefined {
    const { genesis } = this;
    if (genesis === undefined) return undefined;
    const members: Member[] = this.members.map(({ name, weight, state, location }) => ({
      name,
      weight: state === "draining" ? 0 : weight,
      ...(location === null ? {} : { location }),
    }));
    const exceptions = [...this.notes.values()]
      .filter(({ shard, partition }) => partition !== this.base(shard))
      .map(({ shard, partition, epoch }) => ({ shard, partition, epoch: epoch ?? 0 }));
    return { version: this.version, genesis, shards: this.shards, members, exceptions };
  }

  /** Changes a member, in the caller's transaction. No owner changes. */
  writeMember(member: MemberRow): void {
    const owners = Array.from({ length: this.shards }, (_, shard) => this.owner(shard));
    this.#storage.query(
      `INSERT INTO members VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO UPDATE SET
         weight = ?2, labels = ?3, state = ?4, location = ?5, since = ?6`,
      member.name,
      member.weight,
      JSON.stringify(member.labels),
      member.state,
      member.location,
      member.since,
    );
    this.#members = undefined;
    this.#base = undefined;
    this.#keep(owners);
    this.raise();
  }

  /** Keeps every shard at its owner although the base assignment has changed. */
  #keep(owners: readonly string[]): void {
    for (let shard = 0; shard < owners.length; shard++) {
      const owner = owners[shard] as string;
      const known = this.notes.get(shard);
      if (known === undefined) {
        if (this.base(shard) !== owner) this.write({ ...blank(shard, owner), why: "held" });
      } else if (known.why === "held" && this.base(shard) === owner && !known.pinned) this.#remove(shard);
      else if (known.partition === owner && known.why === null && this.base(shard) !== owner) {
        this.write({ ...known, why: "held" });
      }
    }
  }

  /** Writes what is known of a shard, in the caller's transaction. */
  write(state: ShardState): void {
    this.#storage.query(
      `INSERT INTO shards VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (shard) DO UPDATE SET
         partition = ?2, epoch = ?3, why = ?4, pinned = ?5, pinned_to = ?6, moved_at = ?7, retry_at = ?8`,
      state.shard,
      state.partition,
      state.epoch,
      state.why,
      state.pinned ? 1 : 0,
      state.pinnedTo,
      state.movedAt,
      state.retryAt,
    );
    (this.notes as Map<number, ShardState>).set(state.shard, state);
  }

  /** What is known of a shard, or what would be. */
  note(shard: number): ShardState {
    return this.notes.get(shard) ?? blank(shard, this.owner(shard));
  }

  /** A new version of the map is out. */
  raise(): void {
    const next = this.version + 1;
    setMeta(this.#storage, "version", String(next));
    this.#version = next;
  }

  /** The count has changed at every partition: notes go with their shards. */
  reshard(shards: number): void {
    const before = this.shards;
    // Below the genesis' shard count, a doubled shard's base owner differs from that of the shard it comes from.
    const owners = Array.from({ length: shards }, (_, shard) => this.owner(shard % before));
    const notes = [...this.notes.values()];
    this.#storage.query("DELETE FROM shards");
    this.#notes = new Map();
    this.#base = undefined;
    setMeta(this.#storage, "shards", String(shards));
    this.#shards = shards;
    for (const state of notes) {
      if (shards > before)
        for (let shard = state.shard; shard < shards; shard += before) this.write({ ...state, shard });
      else this.write(joined(this.notes.get(state.shard % shards), { ...state, shard: state.shard % shards }));
    }
    this.#keep(owners);
    this.raise();
  }

  #remove(shard: number): void {
    this.#storage.query("DELETE FROM shards WHERE shard = ?", shard);
    (this.notes as Map<number, ShardState>).delete(shard);
  }

  #assign(everyone: readonly MemberRow[]): string[] {
    const members = everyone
      .filter(({ state }) => state === "active" || state === "cordoned")
      .map(({ name, weight }) => ({ name, weight }));
    const count = this.genesis?.shards ?? 0;
    return Array.from({ length: Math.min(count, Math.max(this.shards, 1)) }, (_, shard) =>
      rendezvousOwner(shard, members),
    );
  }
}

function blank(shard: number, partition: string): ShardState {
  const pin = { pinned: false, pinnedTo: null };
  return { shard, partition, epoch: null, why: null, ...pin, movedAt: null, retryAt: 0 };
}

function note(row: ShardRow): ShardState {
  return {
    shard: row.shard,
    partition: row.partition,
    epoch: row.epoch,
    why: row.why as ShardWhy | null,
    pinned: row.pinned === 1,
    pinnedTo: row.pinned_to,
    movedAt: row.moved_at,
    retryAt: row.retry_at,
  };
}

function joined(left: ShardState | undefined, right: ShardState): ShardState {
  if (left === undefined) return right;
  const [first, second] = (left.epoch ?? 0) >= (right.epoch ?? 0) ? [left, right] : [right, left];
  return { ...first, pinned: left.pinned || right.pinned, pinnedTo: first.pinnedTo ?? second.pinnedTo };
}
