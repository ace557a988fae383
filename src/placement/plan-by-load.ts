import type { PlanDraft } from "./plan-draft.ts";
import type { PlanMember, PlanShard } from "./plan-types.ts";

/** Shards of the most laden member that are tried against the least laden one before it is left aside. */
const TRIES = 64;

/**
 * Evens out load: shares of objects, calls, busy time and bytes, weighed by the policy, relative to the members' weights.
 * While the most laden member is above the ideal by more than the threshold, it gives the largest shard that brings the
 * greater of the two down; a shard that would only change places with the trouble stays ([PLAN1]). Each move lowers the
 * maximum of a pair, so the plan ends and does not swing back.
 */
export function balanceByLoad(draft: PlanDraft, now: number): void {
  const active = draft.members.flatMap(({ state }, index) => (state === "draining" ? [] : [index]));
  const takers = active.filter((index) => draft.members[index]?.state === "active");
  const weight = (index: number) => (draft.members[index] as PlanMember).weight;
  const all = active.reduce((sum, index) => sum + weight(index), 0);
  const total = active.reduce((sum, index) => sum + (draft.memberLoads[index] as number), 0);
  if (active.length < 2 || total <= 0) {
    draft.skip("balanced", total <= 0 ? "no load has been reported" : "there is nobody to share with");
    return;
  }
  const ideal = total / all;
  const load = (index: number) => (draft.memberLoads[index] as number) / weight(index);
  const giving = new Set(active);
  const stocks = new Map<number, PlanShard[]>();
  let moved = false;
  while (!draft.full) {
    const most = highest(giving, load);
    if (most === undefined || load(most) - ideal <= (draft.policy.threshold / 2) * ideal) break;
    const least = takers.reduce(
      (low, index) => (index !== most && (low === most || load(index) < load(low)) ? index : low),
      most,
    );
    const stock = stocks.get(most) ?? stockOf(draft, most, now);
    stocks.set(most, stock);
    const shard = least === most ? undefined : pick(draft, stock, most, least, load, weight);
    if (shard === undefined) {
      giving.delete(most);
      continue;
    }
    const percent = (value: number) => `${Math.round((value / ideal) * 100)} %`;
    draft.move(
      shard,
      least,
      "balance-load",
      `${percent(load(most))} of the ideal load against ${percent(load(least))}`,
    );
    moved = true;
  }
  if (!moved && !draft.full)
    draft.skip("balanced", "no partition's load is above the ideal by more than the threshold");
}

/** Movable shards of a member that have any load, the heaviest first. */
function stockOf(draft: PlanDraft, member: number, now: number): PlanShard[] {
  const name = draft.members[member]?.name;
  const stock: PlanShard[] = [];
  for (const shard of draft.shards) {
    if (shard.owner !== name || !draft.free(shard) || draft.loads[shard.shard] === 0) continue;
    if (shard.pinned) draft.skip("pinned");
    else if (draft.cools(shard, now)) draft.skip("cooldown");
    else stock.push(shard);
  }
  return stock.sort((a, b) => (draft.loads[b.shard] as number) - (draft.loads[a.shard] as number) || a.shard - b.shard);
}

function pick(
  draft: PlanDraft,
  stock: PlanShard[],
  from: number,
  to: number,
  load: (index: number) => number,
  weight: (index: number) => number,
): PlanShard | undefined {
  const before = load(from);
  let tries = 0;
  for (let index = 0; index < stock.length && tries < TRIES; index++) {
    const shard = stock[index] as PlanShard;
    const size = draft.loads[shard.shard] as number;
    // Too large for the other one: the next are smaller.
    if (load(to) + size / weight(to) >= before) continue;
    tries++;
    if (!draft.eligible(shard, to)) continue;
    stock.splice(index, 1);
    return shard;
  }
  return undefined;
}

function highest(members: ReadonlySet<number>, load: (index: number) => number): number | undefined {
  let best: number | undefined;
  for (const index of members) if (best === undefined || load(index) > load(best)) best = index;
  return best;
}
