import { inWindow } from "./maintenance-window.ts";
import { balanceByCount } from "./plan-by-count.ts";
import { balanceByLoad } from "./plan-by-load.ts";
import { PlanDraft } from "./plan-draft.ts";
import type { Plan, PlanInput, PlanShard, Policy } from "./plan-types.ts";

/**
 * Which shards should move where, and why the others should not ([PLAN1]). Pure: the same input gives the same plan, and
 * nothing is changed. In order, each up to what is left of the batch:
 *
 * | purpose    | shards                            | to                          | waits for                        |
 * |------------|-----------------------------------|-----------------------------|----------------------------------|
 * | drain      | all of a draining member          | base owner, else most room  | nothing                          |
 * | pin        | pinned to a member elsewhere      | that member                 | nothing                          |
 * | constraint | where a rule forbids them to be   | a member that suits         | window                           |
 * | membership | held since membership changed     | base owner                  | stability, window, cooldown      |
 * | balance    | of the most laden members         | the least laden             | stability, window, cooldown      |
 *
 * A pin that names no member is to wherever the shard is, and gives way to a drain alone; one that names the draining member
 * stands in its way. Costs O(shards + members) to look, O(members) per move, and with rules O(rules × members) per mixture of
 * types that they tell apart; shards that no member may have cost no more than others.
 *
 * @param now ms since the epoch
 */
export function plan(input: PlanInput, policy: Policy, now: number): Plan {
  const draft = new PlanDraft(input, policy);
  if (input.inFlight >= policy.maxConcurrent) {
    draft.skip("concurrency", `${input.inFlight} moves are under way`);
    return draft.finish();
  }
  for (const shard of input.shards) {
    if (draft.full) break;
    if (!shard.moving) must(draft, shard);
  }
  const open = inWindow(policy.windows, now);
  if (draft.constraints.any && open) {
    for (const shard of input.shards) {
      if (draft.full) break;
      obey(draft, shard);
    }
  }
  if (!mayBalance(draft, input, policy, now, open)) return draft.finish();
  for (const shard of input.shards) {
    if (draft.full) break;
    if (shard.held && draft.free(shard)) correct(draft, shard, now);
  }
  if (policy.strategy === "count") balanceByCount(draft, now);
  if (policy.strategy === "load") balanceByLoad(draft, now);
  return draft.finish();
}

/** Drains and pins to a named member. */
function must(draft: PlanDraft, shard: PlanShard): void {
  const owner = draft.memberOf(shard.owner);
  if (shard.pinned && shard.pinnedTo !== undefined && shard.pinnedTo !== shard.owner) {
    const target = draft.memberOf(shard.pinnedTo);
    if (target === undefined || draft.members[target]?.state === "draining")
      draft.skip("no-target", `pin of shard ${shard.shard}`, shard);
    else draft.move(shard, target, "pin", `pinned to ${shard.pinnedTo}`);
    return;
  }
  if (owner !== undefined && draft.members[owner]?.state !== "draining") return;
  if (shard.pinned && shard.pinnedTo !== undefined) {
    draft.skip("pinned", `shard ${shard.shard} is pinned to ${shard.owner}, which is being drained`, shard);
    return;
  }
  const target = draft.suitable(shard);
  if (target === undefined) draft.skip("no-target", `shard ${shard.shard} of ${shard.owner}`, shard);
  else draft.move(shard, target, "drain", `${shard.owner} is being drained`);
}

/** Moves a shard from where a rule forbids it to be. */
function obey(draft: PlanDraft, shard: PlanShard): void {
  const owner = draft.memberOf(shard.owner);
  if (owner === undefined || draft.members[owner]?.state === "draining") return;
  if (!draft.free(shard) || draft.constraints.allows(shard, owner)) return;
  if (shard.pinned) {
    draft.skip("pinned", undefined, shard);
    return;
  }
  const target = draft.suitable(shard);
  if (target === undefined) draft.skip("no-target", `no partition may have shard ${shard.shard} by the rules`, shard);
  else draft.move(shard, target, "constraint", `${shard.owner} may not have it by the rules`);
}

/** Back to where the base assignment has it. */
function correct(draft: PlanDraft, shard: PlanShard, now: number): void {
  const target = draft.memberOf(shard.base);
  if (shard.base === shard.owner) return;
  if (shard.pinned) draft.skip("pinned", undefined, shard);
  else if (target === undefined || !draft.eligible(shard, target))
    draft.skip("no-target", `shard ${shard.shard}`, shard);
  else if (draft.cools(shard, now)) draft.skip("cooldown", undefined, shard);
  else draft.move(shard, target, "membership", `the base assignment has it at ${shard.base}`);
}

function mayBalance(draft: PlanDraft, input: PlanInput, policy: Policy, now: number, open: boolean): boolean {
  if (draft.full) return false;
  if (policy.strategy === "off") draft.skip("off");
  else if (!open) draft.skip("window", "outside the maintenance windows");
  else {
    const newest = input.members.reduce((latest, { since }) => Math.max(latest, since), 0);
    if (now - newest >= policy.stableFor) return true;
    draft.skip("unstable", "membership has changed lately");
  }
  return false;
}
