import type { PlanMember, PlanShard, TypeRule } from "./plan-types.ts";

/** Groups remembered; beyond it they are made anew, so that odd mixtures of types can't fill the memory. */
const MAX_GROUPS = 4_096;
const NOTHING: readonly string[] = [];

/** Shards that are alike to the rules: the same types of those that any rule names. */
interface Group {
  /** By member: 1 where labels allow it. */
  readonly allowed: Uint8Array;
  /** By member: preferred labels that it has. */
  readonly wishes: Uint16Array;
  /** Members that may be given shards and whose labels allow it. */
  readonly candidates: Int32Array;
  /** By member, shards with a type that must not be there too. */
  readonly against: readonly Int32Array[];
  /** By member, shards with a type that had better be there. */
  readonly near: readonly Int32Array[];
  /** State of `#freed` when it was found that no member may have it; nothing but a freed member changes that. */
  hopelessAt: number;
}

/**
 * Which members a shard may be at, by the rules of the types that have objects on it. `on`, `avoid` and `antiAffinity` bind;
 * `prefer` and `affinity` only score. Who holds which types is kept up as a plan takes shape. Labels are compared once per
 * group of like shards, rule and member; every later question costs the group's anti-affine types at most.
 */
export class Constraints {
  readonly #members: readonly PlanMember[];
  readonly #rules = new Map<string, TypeRule[]>();
  readonly #against = new Map<string, Set<string>>();
  /** Types that a rule is of or names as another's company: the others make no difference. */
  readonly #relevant = new Set<string>();
  /** Shards with a relevant type: type → count by member. */
  readonly #held = new Map<string, Int32Array>();
  readonly #groups = new Map<string, Group>();
  #freed = 0;

  constructor(members: readonly PlanMember[], rules: readonly TypeRule[]) {
    this.#members = members;
    for (const rule of rules) {
      this.#rules.set(rule.type, [...(this.#rules.get(rule.type) ?? []), rule]);
      for (const type of [rule.type, ...(rule.affinity ?? NOTHING), ...(rule.antiAffinity ?? NOTHING)])
        this.#relevant.add(type);
      // Who keeps away from whom goes both ways.
      for (const other of rule.antiAffinity ?? NOTHING) {
        this.#against.set(rule.type, (this.#against.get(rule.type) ?? new Set()).add(other));
        this.#against.set(other, (this.#against.get(other) ?? new Set()).add(rule.type));
      }
    }
    for (const type of this.#relevant) this.#held.set(type, new Int32Array(members.length));
  }

  /** Whether there is any rule at all. */
  get any(): boolean {
    return this.#rules.size > 0;
  }

  /** Notes that a shard is at a member, or (`by` -1) no longer. */
  place({ load }: PlanShard, member: number, by = 1): void {
    if (!this.any) return;
    for (const type of load?.types ?? NOTHING) {
      const counts = this.#held.get(type);
      if (counts === undefined) continue;
      counts[member] = (counts[member] as number) + by;
      if (counts[member] === 0) this.#freed++;
    }
  }

  /** What the rules tell shards apart by; equal for shards that may be at the same members. */
  keyOf({ load }: PlanShard): string {
    if (!this.any || load === undefined) return "";
    const types = load.types.filter((type) => this.#relevant.has(type));
    return types.length < 2 ? (types[0] ?? "") : types.sort().join(" ");
  }

  /** Whether the shard may be at the member. */
  allows(shard: PlanShard, member: number): boolean {
    if (!this.any) return true;
    const group = this.#groupOf(shard);
    return group.allowed[member] === 1 && apart(group, member);
  }

  /** How well a member fits: one point for each `prefer` or `affinity` that it satisfies. */
  score(shard: PlanShard, member: number): number {
    if (!this.any) return 0;
    const { wishes, near } = this.#groupOf(shard);
    let score = wishes[member] as number;
    for (const counts of near) if ((counts[member] as number) > 0) score++;
    return score;
  }

  /**
   * The active member that suits best, of those the one for which `room` is smallest; undefined when none may have it.
   * The answer for one shard holds for its whole group.
   */
  best(shard: PlanShard, room: (member: number) => number): number | undefined {
    const group = this.#groupOf(shard);
    if (group.hopelessAt === this.#freed) return undefined;
    let best: number | undefined;
    let bestScore = -1;
    let bestRoom = Number.POSITIVE_INFINITY;
    for (const member of group.candidates) {
      if (!apart(group, member)) continue;
      let score = group.wishes[member] as number;
      for (const counts of group.near) if ((counts[member] as number) > 0) score++;
      if (score < bestScore) continue;
      const own = room(member);
      if (score === bestScore && own >= bestRoom) continue;
      best = member;
      bestScore = score;
      bestRoom = own;
    }
    if (best === undefined) group.hopelessAt = this.#freed;
    return best;
  }

  #groupOf(shard: PlanShard): Group {
    const key = this.keyOf(shard);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    if (this.#groups.size >= MAX_GROUPS) this.#groups.clear();
    const made = this.#group(key === "" ? [] : key.split(" "));
    this.#groups.set(key, made);
    return made;
  }

  #group(types: readonly string[]): Group {
    const rules = ["*", ...types].flatMap((type) => this.#rules.get(type) ?? []);
    const allowed = new Uint8Array(this.#members.length);
    const wishes = new Uint16Array(this.#members.length);
    for (const [index, { labels }] of this.#members.entries()) {
      const has = ([key, value]: [string, string]) => labels[key] === value;
      if (rules.every(({ on, avoid }) => Object.entries(on ?? {}).every(has) && !Object.entries(avoid ?? {}).some(has)))
        allowed[index] = 1;
      for (const { prefer } of rules) wishes[index] = (wishes[index] as number) + wishesOf(prefer).filter(has).length;
    }
    const held = (type: string) => this.#held.get(type) ?? [];
    // Types that share a shard can't be kept apart: the hash decides what a shard holds.
    const others = types.flatMap((type) => [...(this.#against.get(type) ?? NOTHING)]);
    const enemies = [...new Set(others)].filter((type) => !types.includes(type));
    return {
      allowed,
      wishes,
      hopelessAt: -1,
      candidates: Int32Array.from(this.#members.keys()).filter(
        (member) => allowed[member] === 1 && this.#members[member]?.state === "active",
      ),
      against: enemies.flatMap(held),
      near: rules.flatMap(({ affinity }) => (affinity ?? NOTHING).flatMap(held)),
    };
  }
}

const wishesOf = (prefer: TypeRule["prefer"]) => Object.entries(prefer ?? {});

/** Whether no type is there that must not be. */
function apart({ against }: Group, member: number): boolean {
  for (const counts of against) if ((counts[member] as number) > 0) return false;
  return true;
}
