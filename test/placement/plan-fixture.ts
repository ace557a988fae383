import { plan } from "../../src/placement/plan.ts";
import type { Plan, PlanInput, PlanMember, PlanShard, Policy, ShardLoad } from "../../src/placement/plan-types.ts";
import { policySchema } from "../../src/placement/policy.ts";

export const NOW = Date.UTC(2026, 10, 21, 12, 0);
export const POLICY: Policy = policySchema.parse({});

export const member = (name: string, rest: Partial<PlanMember> = {}): PlanMember => ({
  name,
  weight: 1,
  labels: {},
  state: "active",
  since: 0,
  ...rest,
});
export const names = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`);

/** Shards at `owner(n)`; the base is where they are unless it is said. */
export function cluster(
  members: readonly PlanMember[],
  count: number,
  of: (shard: number) => Partial<PlanShard>,
): PlanInput {
  const shards = Array.from({ length: count }, (_, shard): PlanShard => {
    const given = of(shard);
    const owner = given.owner ?? "p0";
    return { shard, owner, base: owner, held: false, pinned: false, moving: false, lastMoved: null, ...given };
  });
  return { members, shards, inFlight: 0 };
}

export function apply(input: PlanInput, made: Plan): PlanInput {
  const shards = [...input.shards];
  for (const { shard, to } of made.moves) {
    const before = shards[shard] as PlanShard;
    shards[shard] = { ...before, owner: to, held: false };
  }
  return { ...input, shards };
}

/** Plans and applies until nothing moves. */
export function settle(
  input: PlanInput,
  policy: Policy,
  rounds = 2_000,
): { input: PlanInput; moves: number; last: Plan } {
  let now = input;
  let moves = 0;
  for (let round = 0; round < rounds; round++) {
    const made = plan(now, policy, NOW);
    if (made.moves.length === 0) return { input: now, moves, last: made };
    moves += made.moves.length;
    now = apply(now, made);
  }
  throw new Error("the plans do not come to an end");
}

export const countsOf = ({ members, shards }: PlanInput) =>
  members.map(({ name }) => shards.filter(({ owner }) => owner === name).length);
export const reasons = (made: Plan) => made.skipped.map(({ reason }) => reason);
export const load = (value: number, types: string[] = []): ShardLoad => ({
  objects: value,
  calls: value,
  busy: value,
  bytes: value,
  types,
});
