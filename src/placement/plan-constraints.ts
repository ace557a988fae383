import type { PlanMember, PlanShard, TypeRule } from "./plan-types.ts";

const NONE: readonly string[] = [];

/**
 * Which members a shard may be at, by the rules of the types that have objects on it. `on`, `avoid` and `antiAffinity` bind;
 * `prefer` and `affinity` only score. Who holds which types is kept up as a plan takes shape.
 */
export class Constraints {
  readonly #members: readonly PlanMember[];
  readonly #rules: ReadonlyMap<string, readonly TypeRule[]>;
  /** Shards with a type at each member: `type` → count by member. */
  readonly #held = new Map<string, Int32Array>();
  readonly #against = new Map<string, Set<string>>();

  constructor(members: readonly PlanMember[], rules: readonly TypeRule[]) {
    this.#members = members;
    const byType = new Map<string, TypeRule[]>();
    for (const rule of rules) byType.set(rule.type, [...(byType.get(rule.type) ?? []), rule]);
    this.#rules = byType;
    // Who keeps away from whom goes both ways.
    for (const { type, antiAffinity } of rules) {
      for (const other of antiAffinity ?? NONE) {
        for (const [one, two] of [[type, other] as const, [other, type] as const]) {
          this.#against.set(one, (this.#against.get(one) ?? new Set()).add(two));
        }
      }
    }
  }

  /** Whether there is any rule at all. */
  get any(): boolean {
    return this.#rules.size > 0;
  }

  /** Notes that a shard is at a member, or (`by` -1) no longer. */
  place({ load }: PlanShard, member: number, by = 1): void {
    if (!this.any) return;
    for (const type of load?.types ?? NONE) {
      let counts = this.#held.get(type);
      if (counts === undefined) {
        counts = new Int32Array(this.#members.length);
        this.#held.set(type, counts);
      }
      counts[member] = (counts[member] ?? 0) + by;
    }
  }

  /** Whether the shard may be at the member. */
  allows({ load }: PlanShard, member: number): boolean {
    if (!this.any) return true;
    const types = load?.types ?? NONE;
    const { labels } = this.#members[member] as PlanMember;
    for (const rule of this.#rulesOf(types)) {
      for (const [key, value] of Object.entries(rule.on ?? {})) if (labels[key] !== value) return false;
      for (const [key, value] of Object.entries(rule.avoid ?? {})) if (labels[key] === value) return false;
    }
    for (const type of types) {
      for (const other of this.#against.get(type) ?? NONE) {
        // Types that share a shard can't be kept apart: shards hold whatever hashes to them.
        if (types.includes(other)) continue;
        if ((this.#held.get(other)?.[member] ?? 0) > 0) return false;
      }
    }
    return true;
  }

  /** How well a member suits beyond what binds: a point for each wish it grants. */
  score({ load }: PlanShard, member: number): number {
    if (!this.any) return 0;
    const { labels } = this.#members[member] as PlanMember;
    let score = 0;
    for (const { prefer, affinity } of this.#rulesOf(load?.types ?? NONE)) {
      for (const [key, value] of Object.entries(prefer ?? {})) if (labels[key] === value) score++;
      for (const type of affinity ?? NONE) if ((this.#held.get(type)?.[member] ?? 0) > 0) score++;
    }
    return score;
  }

  *#rulesOf(types: readonly string[]): Generator<TypeRule> {
    yield* this.#rules.get("*") ?? [];
    for (const type of types) yield* this.#rules.get(type) ?? [];
  }
}
