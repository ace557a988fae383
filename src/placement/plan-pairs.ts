import type { PlanDraft } from "./plan-draft.ts";
import type { MoveReason, PlanShard } from "./plan-types.ts";

/** What one way of balancing measures, when it acts, and what it moves. */
export interface Scale {
  readonly reason: MoveReason;
  /** How laden a member is, relative to its weight; as it is after the moves so far. */
  value(member: number): number;
  /**
   * Whether the one should give to the other: `no` when something about this taker speaks against it, `stop` when nobody
   * more laden than it should be given to either.
   */
  rule(from: number, to: number): "yes" | "no" | "stop";
  /** What to give, or undefined when nothing of it may or need go there. */
  pick(from: number, to: number): PlanShard | undefined;
  detail(from: number, to: number): string;
}

/**
 * Moves shards from the most laden member to the least laden one, until no pair should. A pair that has nothing to give is
 * passed over for the next taker, and then the giver for the next giver: what is stuck stops only itself ([PLAN2]). Costs
 * O(members) per move and O(members × log) per giver that is stuck.
 *
 * @returns moves made, and whether any two should have shared at the start
 */
export function balancePairs(draft: PlanDraft, scale: Scale): { readonly moves: number; readonly wanted: boolean } {
  const values = Float64Array.from(draft.members, (_, member) => scale.value(member));
  const givers = draft.members.flatMap(({ state }, member) => (state === "draining" ? [] : [member]));
  const takers = givers.filter((member) => draft.members[member]?.state === "active");
  const gives = Uint8Array.from(draft.members, ({ state }) => (state === "draining" ? 0 : 1));
  /** By giver, takers that had nothing to get from it. */
  const refused = new Map<number, Uint8Array>();
  const value = (member: number) => values[member] as number;

  const give = (from: number, to: number): boolean => {
    const shard = scale.pick(from, to);
    if (shard === undefined) return false;
    draft.move(shard, to, scale.reason, scale.detail(from, to));
    values[from] = scale.value(from);
    values[to] = scale.value(to);
    return true;
  };
  /** The least laden taker first: nearly always it. Only when it is not, the others in order. */
  const share = (from: number): "moved" | "stuck" | "even" => {
    const memo = refused.get(from);
    const least = lowest(takers, values, memo);
    if (least === undefined) return memo === undefined ? "even" : "stuck";
    const verdict = scale.rule(from, least);
    if (verdict === "stop") return memo === undefined ? "even" : "stuck";
    if (verdict === "yes" && give(from, least)) return "moved";
    const not = memo ?? new Uint8Array(values.length);
    let wanted = memo !== undefined || verdict === "yes";
    if (verdict === "yes") {
      not[least] = 1;
      refused.set(from, not);
    }
    for (const to of takers.filter((taker) => not[taker] === 0).sort((a, b) => value(a) - value(b) || a - b)) {
      const next = scale.rule(from, to);
      if (next === "stop") break;
      if (next === "no") continue;
      wanted = true;
      if (give(from, to)) return "moved";
      not[to] = 1;
      refused.set(from, not);
    }
    return wanted ? "stuck" : "even";
  };

  let moves = 0;
  let wanted = false;
  while (!draft.full) {
    const most = highest(givers, values, gives);
    if (most === undefined) break;
    const outcome = share(most);
    if (outcome !== "even") wanted = true;
    if (outcome === "moved") moves++;
    else gives[most] = 0;
  }
  return { moves, wanted };
}

function highest(members: readonly number[], values: Float64Array, open: Uint8Array): number | undefined {
  let best: number | undefined;
  let most = Number.NEGATIVE_INFINITY;
  for (const member of members) {
    if (open[member] === 0 || (values[member] as number) <= most) continue;
    best = member;
    most = values[member] as number;
  }
  return best;
}

function lowest(members: readonly number[], values: Float64Array, not: Uint8Array | undefined): number | undefined {
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const member of members) {
    if ((values[member] as number) >= least || not?.[member] === 1) continue;
    best = member;
    least = values[member] as number;
  }
  return best;
}
