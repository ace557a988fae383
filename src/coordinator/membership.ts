import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { isPartitionName } from "../identity/object-id.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import type { ClusterMap, MemberRow } from "./cluster-map.ts";
import type { AdminCommand, MemberState, MemberView } from "./commands.ts";
import type { MoveJournal } from "./move-journal.ts";

interface Parts {
  readonly map: ClusterMap;
  readonly journal: MoveJournal;
  readonly storage: SqlStorage;
  readonly clock: Clock;
}

type Added = Extract<AdminCommand, { kind: "add-partition" }>;
type Changed = Extract<AdminCommand, { kind: "change-partition" }>;

const MOST = 1_024;
const MOST_WEIGHT = 1_000;
const MOST_LABELS = 32;

/** Who takes part ([MEM1]). Every change keeps owners as they are; moves follow. */
export class Membership {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  add({ name, weight = 1, labels = {}, location }: Added): MemberView {
    const { map } = this.#parts;
    if (!isPartitionName(name)) throw refuse(`"${name.slice(0, 80)}" is not a name for a partition`);
    checkShape(weight, labels);
    if (map.members.some((member) => member.name === name)) throw conflict(`There is a partition "${name}" already`);
    if (map.members.length >= MOST) throw conflict(`A cluster has at most ${MOST} partitions`);
    return this.#write({ name, weight, labels, state: "active", location: location ?? null, since: 0 });
  }

  change({ name, weight, labels }: Changed): MemberView {
    const member = this.#parts.map.member(name);
    const next = { ...member, weight: weight ?? member.weight, labels: labels ?? member.labels };
    checkShape(next.weight, next.labels);
    return this.#write(next);
  }

  setState(name: string, state: MemberState): MemberView {
    const { map } = this.#parts;
    const member = map.member(name);
    if (member.state === state) return this.view(name);
    const others = map.members.filter((other) => other.name !== name && other.state === "active");
    if (state !== "active" && others.length === 0) {
      throw conflict(`Partition "${name}" is the last that takes shards`);
    }
    return this.#write({ ...member, state });
  }

  /** Forgets a drained partition. */
  remove(name: string): MemberView {
    const { map } = this.#parts;
    const member = map.member(name);
    const view = this.view(name);
    if (!view.drained) throw conflict(`Partition "${name}" has to be drained first: it owns ${view.shards} shards`);
    this.#write({ ...member, state: "removed" });
    return view;
  }

  views(): MemberView[] {
    const { map, journal } = this.#parts;
    const owned = new Map<string, number>();
    for (let shard = 0; shard < map.shards; shard++) {
      const owner = map.owner(shard);
      owned.set(owner, (owned.get(owner) ?? 0) + 1);
    }
    const moves = [...journal.open.values()];
    return map.members.map((member) => {
      const shards = owned.get(member.name) ?? 0;
      const outgoing = moves.filter(({ order }) => order.from === member.name).length;
      const incoming = moves.filter(({ order }) => order.to === member.name).length;
      const { name, weight, labels, location, since } = member;
      const state = member.state as MemberState;
      const drained = state === "draining" && shards === 0 && outgoing === 0 && incoming === 0;
      return { name, weight, labels, state, location, shards, incoming, outgoing, drained, since };
    });
  }

  view(name: string): MemberView {
    return this.views().find((member) => member.name === name) as MemberView;
  }

  #write(member: MemberRow): MemberView {
    const { map, storage, clock } = this.#parts;
    storage.transaction(() => map.writeMember({ ...member, since: clock.now() }));
    return this.view(member.name);
  }
}

function checkShape(weight: number, labels: Readonly<Record<string, string>>): void {
  if (!(Number.isFinite(weight) && weight > 0 && weight <= MOST_WEIGHT)) {
    throw refuse(`a weight is above 0 and at most ${MOST_WEIGHT}`);
  }
  const entries = Object.entries(labels);
  const fits = ([key, value]: [string, string]) => /^[A-Za-z0-9_.-]{1,63}$/.test(key) && value.length <= 63;
  if (entries.length > MOST_LABELS || !entries.every(fits)) {
    throw refuse(`labels are at most ${MOST_LABELS} names of letters, digits, "_", "." and "-" with short values`);
  }
}

function refuse(why: string): EdgeverseError {
  return new EdgeverseError("INVALID_ARGUMENT", `Cannot change the partition: ${why}`);
}

function conflict(why: string): EdgeverseError {
  return new EdgeverseError("CONFLICT", why);
}
