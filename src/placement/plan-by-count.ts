import type { PlanDraft } from "./plan-draft.ts";
import { balancePairs } from "./plan-pairs.ts";
import type { PlanMember, PlanShard } from "./plan-types.ts";

/** A giver's shards that are alike to the rules, each list taken from the end. A shard may be in two of them. */
interface Stock {
  readonly sample: PlanShard;
  /** By base, those whose base is another member. */
  readonly byBase: Map<number, PlanShard[]>;
  readonly away: PlanShard[];
  readonly home: PlanShard[];
}

/**
 * Evens out numbers of shards by Goverse's rule: act when `max − min ≥ 2` and `max − min > threshold × ideal`, where a
 * member's number counts relative to its weight: `count / weight × mean weight`. The 2 is then what one move brings the two
 * closer by, `mean / weight` of the one and of the other: with equal weights the number is the plain count and this is
 * exactly the rule. No move turns the order of two members round, so Σ count² / weight falls with each and the plans end.
 * What is moved: a shard that gains by `prefer` and `affinity` first, then one whose base is the taker, then one that is
 * away from its base already. Costs O(shards) to look and O(members) per move.
 */
export function balanceByCount(draft: PlanDraft, now: number): void {
  const active = draft.members.flatMap(({ state }, member) => (state === "draining" ? [] : [member]));
  if (active.length < 2) {
    draft.skip("balanced", "there is nobody to share with");
    return;
  }
  const weight = (member: number) => (draft.members[member] as PlanMember).weight;
  const mean = active.reduce((sum, member) => sum + weight(member), 0) / active.length;
  const number = (member: number) => ((draft.counts[member] as number) / weight(member)) * mean;
  const ideal = draft.shards.length / active.length;
  const stocks = new Map<number, Stock[]>();
  const { moves, wanted } = balancePairs(draft, {
    reason: "balance-count",
    value: number,
    rule: (from, to) => {
      const gap = number(from) - number(to);
      if (from === to || gap <= draft.policy.threshold * ideal || gap < mean / weight(from)) return "stop";
      return gap < mean / weight(from) + mean / weight(to) ? "no" : "yes";
    },
    pick: (from, to) => {
      const stock = stocks.get(from) ?? stockOf(draft, from, now);
      stocks.set(from, stock);
      return pick(draft, stock, from, to);
    },
    detail: (from, to) => `${Math.round(number(from))} shards against ${Math.round(number(to))}`,
  });
  if (moves === 0 && !wanted && !draft.full)
    draft.skip("balanced", "no two partitions differ by more than the threshold");
}

function stockOf(draft: PlanDraft, from: number, now: number): Stock[] {
  const stocks = new Map<string, Stock>();
  // From the last to the first: what is taken from the end is the first.
  for (const shard of draft.movable(from, now).reverse()) {
    const key = draft.constraints.keyOf(shard);
    let stock = stocks.get(key);
    if (stock === undefined) {
      stock = { sample: shard, byBase: new Map(), away: [], home: [] };
      stocks.set(key, stock);
    }
    const base = draft.memberOf(shard.base);
    if (base === from) stock.home.push(shard);
    else {
      stock.away.push(shard);
      if (base === undefined) continue;
      const same = stock.byBase.get(base);
      if (same === undefined) stock.byBase.set(base, [shard]);
      else same.push(shard);
    }
  }
  return [...stocks.values()];
}

function pick(draft: PlanDraft, stocks: readonly Stock[], from: number, to: number): PlanShard | undefined {
  const { constraints } = draft;
  let best: PlanShard[] | undefined;
  let bestRank = Number.NEGATIVE_INFINITY;
  let forbidden: PlanShard | undefined;
  for (const { sample, byBase, away, home } of stocks) {
    const lists = [home, away, byBase.get(to)].map((list) => (list === undefined ? undefined : trim(draft, list)));
    if (lists.every((list) => list === undefined)) continue;
    if (!draft.eligible(sample, to)) {
      forbidden = sample;
      continue;
    }
    // Three kinds of shards: what the rules wish for counts more than all of them.
    const gain = 3 * (constraints.score(sample, to) - constraints.score(sample, from));
    for (const [kind, list] of lists.entries()) {
      if (list === undefined || gain + kind <= bestRank) continue;
      best = list;
      bestRank = gain + kind;
    }
  }
  if (best === undefined && forbidden !== undefined)
    draft.skip("constraint", `no shard of ${draft.members[from]?.name} may go to ${draft.members[to]?.name}`);
  return best?.pop();
}

/** The list without what was taken by way of another one; undefined when nothing is left. */
function trim(draft: PlanDraft, list: PlanShard[]): PlanShard[] | undefined {
  let last = list.at(-1);
  while (last !== undefined && !draft.free(last)) {
    list.pop();
    last = list.at(-1);
  }
  return last === undefined ? undefined : list;
}
