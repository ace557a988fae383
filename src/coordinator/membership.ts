import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { isPartitionName } from "../identity/object-id.ts";
import { isLabelName, MOST_LABEL_TEXT, MOST_LABELS } from "../placement/labels.ts";
import { assertNever } from "../placement/shard-state.ts";
import type { Clock, SqlStorage } from "../platform/ports.ts";
import type { ClusterMap, MemberRow } from "./cluster-map.ts";
import type { MemberCommand, MemberState, MemberView } from "./commands.ts";
import type { MoveJournal } from "./move-journal.ts";

interface Parts {
  readonly map: ClusterMap;
  readonly journal: MoveJournal;
  readonly storage: SqlStorage;
  readonly clock: Clock;
}

type Added = Extract<MemberCommand, { kind: "add-partition" }>;
type Changed = Extract<MemberCommand, { kind: "change-partition" }>;

const MOST = 1_024;
const MOST_WEIGHT = 1_000;

/** Who takes part ([MEM1]). Every change keeps owners as they are; moves follow. */
export class Membership {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The member as the command would have it. @throws EdgeverseError when that may not be */
  next(command: MemberCommand): MemberRow {
    switch (command.kind) {
      case "add-partition":
        return this.#added(command);
      case "change-partition":
        return this.#changed(command);
      case "cordon":
        return this.#inState(command.name, "cordoned");
      case "uncordon":
        return this.#inState(command.name, "active");
      case "drain":
        return this.#inState(command.name, "draining");
      default:
        return assertNever(command);
    }
  }

  write(member: MemberRow): MemberView {
    const { map, storage } = this.#parts;
    storage.transaction(() => map.writeMember(member));
    return this.view(member.name);
  }

  #added({ name, weight = 1, labels = {}, location }: Added): MemberRow {
    const { map, clock } = this.#parts;
    if (!isPartitionName(name)) throw refuse(`"${name.slice(0, 80)}" is not a name for a partition`);
    checkShape(weight, labels);
    if (map.members.some((member) => member.name === name)) throw conflict(`There is a partition "${name}" already`);
    if (map.members.length >= MOST) throw conflict(`A cluster has at most ${MOST} partitions`);
    return { name, weight, labels, state: "active", location: location ?? null, since: clock.now() };
  }

  #changed({ name, weight, labels }: Changed): MemberRow {
    const member = this.#parts.map.member(name);
    const next = { ...member, weight: weight ?? member.weight, labels: labels ?? member.labels };
    checkShape(next.weight, next.labels);
    return { ...next, since: this.#parts.clock.now() };
  }

  #inState(name: string, state: MemberState): MemberRow {
    const { map, clock } = this.#parts;
    const member = map.member(name);
    if (member.state === state) return member;
    const others = map.members.filter((other) => other.name !== name && other.state === "active");
    if (state !== "active" && others.length === 0) {
      throw conflict(`Partition "${name}" is the last that takes shards`);
    }
    return { ...member, state, since: clock.now() };
  }

  /** Forgets a drained partition. */
  remove(name: string): MemberView {
    const { map, storage, clock } = this.#parts;
    const member = map.member(name);
    const view = this.view(name);
    if (!view.drained) throw conflict(`Partition "${name}" has to be drained first: it owns ${view.shards} shards`);
    storage.transaction(() => map.writeMember({ ...member, state: "removed", since: clock.now() }));
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
}

function checkShape(weight: number, labels: Readonly<Record<string, string>>): void {
  if (!(Number.isFinite(weight) && weight > 0 && weight <= MOST_WEIGHT)) {
    throw refuse(`a weight is above 0 and at most ${MOST_WEIGHT}`);
  }
  const entries = Object.entries(labels);
  const fits = ([key, value]: [string, string]) => isLabelName(key) && value.length <= MOST_LABEL_TEXT;
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
