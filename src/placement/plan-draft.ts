import { Constraints } from "./plan-constraints.ts";
import type {
  MemberStats,
  MoveReason,
  Plan,
  PlanInput,
  PlanMember,
  PlannedMove,
  PlanShard,
  Policy,
  Skip,
  SkipReason,
} from "./plan-types.ts";

/** A plan as it takes shape: who would own what after the moves so far. Members are known by their place in the list. */
export class PlanDraft {
  readonly members: readonly PlanMember[];
  readonly shards: readonly PlanShard[];
  readonly policy: Policy;
  readonly constraints: Constraints;
  /** Shards of each member, moves under way and planned ones counted at their targets. */
  readonly counts: Int32Array;
  /** Load of each shard, all shards together 1; and of each member. */
  readonly loads: Float64Array;
  readonly memberLoads: Float64Array;
  readonly #index: ReadonlyMap<string, number>;
  readonly #moves: PlannedMove[] = [];
  readonly #moved: Uint8Array;
  /** Shards of each member by the input. */
  readonly #owned: readonly PlanShard[][];
  readonly #skips = new Map<SkipReason, { count: number; detail: string | undefined }>();
  /** By reason, shards that were counted: one is left alone for one reason once, however often it is looked at. */
  readonly #counted = new Map<SkipReason, Uint8Array>();
  readonly #batch: number;

  constructor({ members, shards }: PlanInput, policy: Policy) {
    this.members = members;
    this.shards = shards;
    this.policy = policy;
    this.#batch = policy.batch ?? Math.max(1, Math.floor(shards.length / 128));
    this.#index = new Map(members.map(({ name }, index) => [name, index]));
    this.constraints = new Constraints(members, policy.rules);
    this.counts = new Int32Array(members.length);
    this.memberLoads = new Float64Array(members.length);
    this.loads = loadsOf(shards, policy);
    this.#moved = new Uint8Array(shards.length);
    this.#owned = members.map(() => []);
    for (const shard of shards) {
      const from = this.memberOf(shard.owner);
      if (from !== undefined) this.#owned[from]?.push(shard);
      // Counted where it will be, or the next plan would send as many again.
      const owner = (shard.moving ? this.memberOf(shard.movingTo ?? shard.owner) : undefined) ?? from;
      if (owner === undefined) continue;
      this.counts[owner] = (this.counts[owner] as number) + 1;
      this.memberLoads[owner] = (this.memberLoads[owner] as number) + (this.loads[shard.shard] as number);
      this.constraints.place(shard, owner);
    }
  }

  /** Whether the batch is used up. */
  get full(): boolean {
    return this.#moves.length >= this.#batch;
  }

  memberOf(name: string): number | undefined {
    return this.#index.get(name);
  }

  /** Not on its way, nor planned to be. */
  free({ shard, moving }: PlanShard): boolean {
    return !moving && this.#moved[shard] === 0;
  }

  /** Moved so lately that it should stay. */
  cools({ lastMoved }: PlanShard, now: number): boolean {
    return lastMoved !== null && now - lastMoved < this.policy.cooldown;
  }

  /** Whether a plan may put the shard at the member. */
  eligible(shard: PlanShard, member: number): boolean {
    return this.members[member]?.state === "active" && this.constraints.allows(shard, member);
  }

  /** Shards a member may give when balancing; the others are counted by why not. */
  movable(member: number, now: number): PlanShard[] {
    return (this.#owned[member] ?? []).filter((shard) => {
      if (shard.moving) this.skip("moving", undefined, shard);
      else if (shard.pinned) this.skip("pinned", undefined, shard);
      else if (this.cools(shard, now)) this.skip("cooldown", undefined, shard);
      else return this.free(shard);
      return false;
    });
  }

  /** Whether shards were left alone that might have been moved otherwise. */
  get held(): boolean {
    return this.#skips.has("moving") || this.#skips.has("pinned") || this.#skips.has("cooldown");
  }

  /** For a shard that must leave: the base owner if it may have it, else who suits best, of those who has most room. */
  suitable(shard: PlanShard): number | undefined {
    const base = this.memberOf(shard.base);
    // Its owner is no candidate: it drains, or the rules are against it.
    if (base !== undefined && this.eligible(shard, base)) return base;
    return this.constraints.best(
      shard,
      (member) => (this.counts[member] as number) / (this.members[member] as PlanMember).weight,
    );
  }

  move(shard: PlanShard, to: number, reason: MoveReason, detail: string): void {
    const from = this.memberOf(shard.owner);
    this.#moves.push({
      shard: shard.shard,
      from: shard.owner,
      to: (this.members[to] as PlanMember).name,
      reason,
      detail,
    });
    this.#moved[shard.shard] = 1;
    const load = this.loads[shard.shard] as number;
    if (from !== undefined) {
      this.counts[from] = (this.counts[from] as number) - 1;
      this.memberLoads[from] = (this.memberLoads[from] as number) - load;
      this.constraints.place(shard, from, -1);
    }
    this.counts[to] = (this.counts[to] as number) + 1;
    this.memberLoads[to] = (this.memberLoads[to] as number) + load;
    this.constraints.place(shard, to);
  }

  /** @param shard counted once for the reason */
  skip(reason: SkipReason, detail?: string, shard?: PlanShard): void {
    if (shard !== undefined) {
      const counted = this.#counted.get(reason) ?? new Uint8Array(this.shards.length);
      if (counted[shard.shard] === 1) return;
      counted[shard.shard] = 1;
      this.#counted.set(reason, counted);
    }
    const known = this.#skips.get(reason);
    if (known === undefined) this.#skips.set(reason, { count: 1, detail });
    else known.count++;
  }

  finish(): Plan {
    if (this.full) this.skip("batch", `at most ${this.#batch} moves a plan`);
    const skipped: Skip[] = [...this.#skips].map(([reason, { count, detail }]) => ({
      reason,
      count,
      ...(detail === undefined ? {} : { detail }),
    }));
    const ideals = this.ideals();
    const members: MemberStats[] = this.members.map(({ name }, index) => ({
      name,
      shards: this.counts[index] as number,
      ideal: Math.round((ideals[index] as number) * 100) / 100,
      load: Math.round((this.memberLoads[index] as number) * 10_000) / 10_000,
    }));
    const ratios = members.filter(({ ideal }) => ideal > 0).map(({ shards, ideal }) => shards / ideal);
    const imbalance = ratios.length === 0 ? 1 : Math.round(Math.max(...ratios) * 1_000) / 1_000;
    return { moves: this.#moves, skipped, stats: { members, imbalance } };
  }

  /** Shards each member would have by weight; a draining one none. */
  ideals(): Float64Array {
    const weights = this.members.map(({ weight, state }) => (state === "draining" ? 0 : weight));
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    return Float64Array.from(weights, (weight) => (all === 0 ? 0 : (this.shards.length * weight) / all));
  }
}

/** Each shard's share of every kind of load, weighed by the policy; all shards together 1. */
function loadsOf(shards: readonly PlanShard[], { loadWeights: weights }: Policy): Float64Array {
  const loads = new Float64Array(shards.length);
  const kinds = ["objects", "calls", "busy", "bytes"] as const;
  let used = 0;
  for (const kind of kinds) {
    const total = shards.reduce((sum, { load }) => sum + (load?.[kind] ?? 0), 0);
    if (total <= 0 || weights[kind] <= 0) continue;
    used += weights[kind];
    for (const { shard, load } of shards) {
      loads[shard] = (loads[shard] as number) + (weights[kind] * (load?.[kind] ?? 0)) / total;
    }
  }
  if (used > 0) for (let shard = 0; shard < loads.length; shard++) loads[shard] = (loads[shard] as number) / used;
  return loads;
}
