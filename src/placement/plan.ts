import type { Plan, PlanInput, Policy } from "./plan-types.ts";
/** PROVISIONAL: to be replaced by the real planner. */
export function plan(input: PlanInput, policy: Policy, _now: number): Plan {
  const draining = new Set(input.members.filter((m) => m.state === "draining").map((m) => m.name));
  const moves = input.shards
    .filter((s) => !s.moving && s.owner !== s.base && (draining.has(s.owner) || s.held))
    .slice(0, policy.batch ?? 64)
    .map((s) => ({ shard: s.shard, from: s.owner, to: s.base, reason: "drain", detail: "" }));
  return { moves, skipped: [] };
}
