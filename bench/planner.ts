import { parseArgs } from "node:util";
import { plan } from "../src/placement/plan.ts";
import type { PlanInput, PlanMember, PlanShard } from "../src/placement/plan-types.ts";
import { policySchema } from "../src/placement/policy.ts";
import { rendezvousOwner, rendezvousTable } from "../src/placement/rendezvous.ts";

/**
 * How long a plan takes, and how many shards a new partition moves against the ideal.
 * `node bench/planner.ts [--json]`
 */
const RUNS = 9;
const NOW = Date.now();

function input(shards: number, members: number, kind: string): PlanInput {
  const list: PlanMember[] = Array.from({ length: members }, (_, index) => ({
    name: `p${index}`,
    weight: 1 + (index % 3),
    labels: { zone: `z${index % 4}` },
    since: 0,
    state: kind === "drain" && index % 4 === 0 ? "draining" : "active",
  }));
  const base =
    kind === "drain" ? list.map((member) => (member.state === "draining" ? { ...member, weight: 0 } : member)) : list;
  const bases = shards * members > 2 ** 24 ? undefined : rendezvousTable(shards, base);
  const rows = Array.from({ length: shards }, (_, shard): PlanShard => {
    const target = bases?.[shard] ?? `p${(shard * 7919) % members}`;
    const owner = kind === "even" ? target : kind.startsWith("one") ? "p0" : `p${(shard * shard) % members}`;
    return {
      shard,
      owner,
      base: target,
      held: kind === "held" && owner !== target,
      pinned: shard % 97 === 0,
      moving: false,
      lastMoved: null,
      load: {
        objects: shard % 100,
        calls: (shard * 31) % 1_000,
        busy: shard % 50,
        bytes: shard * 10,
        types: ["Counter", `T${shard % 5}`],
      },
    };
  });
  return { members: list, shards: rows, inFlight: 0 };
}

const RULES = {
  none: [],
  some: [
    { type: "T1", avoid: { zone: "z1" } },
    { type: "T2", antiAffinity: ["T3"] },
  ],
  hopeless: [{ type: "*", on: { moon: "full" } }],
};

function time(shards: number, members: number, kind: string, rules: keyof typeof RULES): number {
  const given = input(shards, members, kind);
  const policy = policySchema.parse({
    strategy: kind.endsWith("load") ? "load" : "count",
    // The worst there is: every shard at one member, and no limit to what a plan moves.
    batch: kind.startsWith("one") ? shards : null,
    rules: RULES[rules],
  });
  const took = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    plan(given, policy, NOW);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return Math.round((took[Math.floor(RUNS / 2)] as number) * 100) / 100;
}

/** Shards that move when a partition is added, over the ideal share. */
function movement(shards: number, before: number): number {
  const members = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `p${index}`, weight: 1 }));
  const [from, to] = [members(before), members(before + 1)];
  let moved = 0;
  for (let shard = 0; shard < shards; shard++) if (rendezvousOwner(shard, from) !== rendezvousOwner(shard, to)) moved++;
  return Math.round((moved / (shards / (before + 1))) * 1_000) / 1_000;
}

const { json } = parseArgs({ options: { json: { type: "boolean", default: false } } }).values;

const times = [
  { shards: 8_192, members: 64, targetMs: 20 },
  { shards: 65_536, members: 1_024, targetMs: 1_000 },
].flatMap(({ shards, members, targetMs }) =>
  ["even", "uneven", "load", "drain", "held", "one", "one-load"].flatMap((kind) =>
    (["none", "some", "hopeless"] as const).map((rules) => ({
      shards,
      members,
      kind,
      rules,
      medianMs: time(shards, members, kind, rules),
      targetMs,
    })),
  ),
);
const moves = [1, 2, 4, 8, 16, 32].map((partitions) => ({
  shards: 8_192,
  partitions,
  ratio: movement(8_192, partitions),
}));
if (json) console.log(JSON.stringify({ times, moves }, null, 2));
else {
  console.table(times);
  console.table(moves);
}
