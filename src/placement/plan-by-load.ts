import type { PlanDraft } from "./plan-draft.ts";
import { balancePairs } from "./plan-pairs.ts";
import type { PlanMember, PlanShard } from "./plan-types.ts";
import { SortedStock } from "./sorted-stock.ts";

/** A move must lower the greater of two loads by more than rounding does. */
const LEAST_GAIN = 1e-9;

/**
 * Evens out load: shares of objects, calls, busy time and bytes, weighed by the policy, relative to the members' weights.
 * While the most and the least laden differ by more than `threshold × ideal`, the one gives the other the shard that makes
 * the greater of the two least: about half the difference, as far as shards allow. A shard that would only change places with the
 * trouble stays ([PLAN1]). Both end below what the greater was, so the loads, sorted from the greatest down, fall in
 * lexicographic order with each move: plans end and never swing back while the loads stay. Costs O(shards) to look, a sort
 * of each giver's shards, and O(members + kinds of shards × log shards) per move.
 */
export function balanceByLoad(draft: PlanDraft, now: number): void {
  const active = draft.members.flatMap(({ state }, member) => (state === "draining" ? [] : [member]));
  const weight = (member: number) => (draft.members[member] as PlanMember).weight;
  const total = active.reduce((sum, member) => sum + (draft.memberLoads[member] as number), 0);
  if (active.length < 2 || total <= 0) {
    draft.skip("balanced", total <= 0 ? "no load has been reported" : "there is nobody to share with");
    return;
  }
  const ideal = total / active.reduce((sum, member) => sum + weight(member), 0);
  const load = (member: number) => (draft.memberLoads[member] as number) / weight(member);
  const percent = (value: number) => `${Math.round((value / ideal) * 100)} %`;
  const stocks = new Map<number, SortedStock[]>();
  let forbidden = 0;
  const pick = (from: number, to: number): PlanShard | undefined => {
    const stock = stocks.get(from) ?? stockOf(draft, from, now);
    stocks.set(from, stock);
    const [high, low] = [load(from), load(to)];
    const after = (size: number) => Math.max(high - size / weight(from), low + size / weight(to));
    const wish = (high - low) / (1 / weight(from) + 1 / weight(to));
    let best: { readonly stock: SortedStock; readonly place: number } | undefined;
    let bestAfter = high * (1 - LEAST_GAIN);
    let refused = false;
    for (const kind of stock) {
      if (kind.empty) continue;
      if (!draft.eligible(kind.sample, to)) {
        refused = true;
        continue;
      }
      for (const place of kind.around(wish)) {
        const size = after(kind.size(place));
        if (size >= bestAfter) continue;
        best = { stock: kind, place };
        bestAfter = size;
      }
    }
    if (best === undefined && refused) {
      forbidden++;
      draft.skip("constraint", `no shard of ${draft.members[from]?.name} may go to ${draft.members[to]?.name}`);
    }
    return best?.stock.take(best.place, draft.members[to]?.name);
  };
  const { moves, wanted } = balancePairs(draft, {
    reason: "balance-load",
    value: load,
    rule: (from, to) =>
      from === to || load(from) - load(to) <= draft.policy.threshold * ideal + LEAST_GAIN * ideal ? "stop" : "yes",
    pick,
    detail: (from, to) => `${percent(load(from))} of the ideal load against ${percent(load(to))}`,
  });
  if (moves > 0 || draft.full) return;
  if (!wanted) draft.skip("balanced", "no two partitions' loads differ by more than the threshold");
  else if (forbidden === 0 && !draft.held) draft.skip("balanced", "no shard's move would lower the greatest load");
}

/** What a member may give of what has any load, by kind. */
function stockOf(draft: PlanDraft, from: number, now: number): SortedStock[] {
  const kinds = new Map<string, PlanShard[]>();
  for (const shard of draft.movable(from, now)) {
    if ((draft.loads[shard.shard] as number) <= 0) continue;
    const key = draft.constraints.keyOf(shard);
    const same = kinds.get(key);
    if (same === undefined) kinds.set(key, [shard]);
    else same.push(shard);
  }
  return [...kinds.values()].map((shards) => new SortedStock(shards, draft.loads));
}
