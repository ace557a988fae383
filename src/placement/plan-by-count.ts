import type { PlanDraft } from "./plan-draft.ts";
import type { PlanMember, PlanShard } from "./plan-types.ts";

/**
 * Evens out numbers of shards by Goverse's rule: act when `max − min ≥ 2` and `max − min > threshold × ideal`, where a
 * member's number counts relative to its weight: `count / weight × mean weight`, which is the plain number when all weigh the same. The
 * member with the most gives to the one with the least until neither holds; one that can give nothing (all pinned, all
 * lately moved) is left aside and the next one gives.
 */
export function balanceByCount(draft: PlanDraft, now: number): void {
  const active = draft.members.flatMap(({ state }, index) => (state === "draining" ? [] : [index]));
  if (active.length < 2) {
    draft.skip("balanced", "there is nobody to share with");
    return;
  }
  const weight = (index: number) => (draft.members[index] as PlanMember).weight;
  const mean = active.reduce((sum, index) => sum + weight(index), 0) / active.length;
  const number = (index: number) => ((draft.counts[index] as number) / weight(index)) * mean;
  const ideal = draft.shards.length / active.length;
  const stock = stockOf(draft);
  const giving = new Set(active);
  const taking = new Set(active.filter((index) => draft.members[index]?.state === "active"));
  let moved = false;
  while (!draft.full) {
    const most = extreme(giving, number, 1);
    const least = extreme(taking, number, -1);
    if (most === undefined || least === undefined || most === least) break;
    const gap = number(most) - number(least);
    const step = mean / weight(most) + mean / weight(least);
    // A move must leave the two closer than they were: with equal weights that is the rule's "at least two".
    if (gap < step || gap <= draft.policy.threshold * ideal) break;
    const shard = pick(draft, stock[most] as PlanShard[], least, now);
    if (shard === undefined) {
      // Nothing of it may go there; perhaps the next one has something.
      if (taking.size > 1 && draft.constraints.any && (stock[most] as PlanShard[]).length > 0) taking.delete(least);
      else giving.delete(most);
      continue;
    }
    draft.move(
      shard,
      least,
      "balance-count",
      `${Math.round(number(most))} shards against ${Math.round(number(least))}`,
    );
    moved = true;
  }
  if (!moved && !draft.full) draft.skip("balanced", "no two partitions differ by more than the threshold");
}

/** Movable shards of each member, those whose base is elsewhere last: they are taken from the end. */
function stockOf(draft: PlanDraft): PlanShard[][] {
  const stock: PlanShard[][] = draft.members.map(() => []);
  for (const pass of [true, false]) {
    for (const shard of draft.shards) {
      const owner = draft.memberOf(shard.owner);
      if (owner !== undefined && (shard.base === shard.owner) === pass && draft.free(shard)) stock[owner]?.push(shard);
    }
  }
  return stock;
}

/** Takes a shard that may go to `to`, one that belongs there by the base assignment if any of the last few does. */
function pick(draft: PlanDraft, stock: PlanShard[], to: number, now: number): PlanShard | undefined {
  const name = draft.members[to]?.name;
  const kept: PlanShard[] = [];
  let found: PlanShard | undefined;
  for (let looks = 0; looks < 64 && found === undefined && stock.length > 0; looks++) {
    let place = stock.length - 1;
    for (let back = 1; back <= Math.min(64, stock.length); back++) {
      if (stock[stock.length - back]?.base !== name) continue;
      place = stock.length - back;
      break;
    }
    const [shard] = stock.splice(place, 1) as [PlanShard];
    if (shard.pinned) draft.skip("pinned");
    else if (draft.cools(shard, now)) draft.skip("cooldown");
    else if (!draft.eligible(shard, to)) kept.push(shard);
    else found = shard;
  }
  if (found === undefined && stock.length > 0 && kept.length < 64) return pick(draft, stock, to, now);
  stock.push(...kept);
  return found;
}

function extreme(members: ReadonlySet<number>, value: (index: number) => number, sign: 1 | -1): number | undefined {
  let best: number | undefined;
  let bestValue = Number.NEGATIVE_INFINITY;
  for (const index of members) {
    const own = sign * value(index);
    if (own <= bestValue) continue;
    best = index;
    bestValue = own;
  }
  return best;
}
