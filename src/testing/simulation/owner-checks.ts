import { rendezvousOwner } from "../../placement/rendezvous.ts";
import type { SimDisk } from "./sim-storage.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

/** The most shards a simulated cluster ever has: one hash for each stands for the position. */
export const MOST_SHARDS = 16;

interface Shards {
  readonly count: number;
  readonly states: ReadonlyMap<number, string>;
}

/**
 * At most one partition serves a position in hash order, or would claim it if it were asked ([OWN1], [OWN2]). Looks at the
 * databases, which hold what partitions go by, and only after something was written there.
 */
export function checkOwners(world: World): void {
  const { partitions } = world;
  if (!partitions.some(({ disk }) => disk.written.has("shards"))) return;
  const known = new Map(partitions.map(({ name, disk }) => [name, shardsOf(disk)]));
  for (const { disk } of partitions) disk.written.delete("shards");
  for (let hash = 0; hash < MOST_SHARDS; hash++) {
    const owners = [...known].filter(([name, shards]) => shards !== undefined && mayServe(world, name, shards, hash));
    if (owners.length < 2) continue;
    const who = owners.map(([name, shards]) => `${name} (${describe(shards as Shards, hash)})`);
    throw new Violation(`[OWN2] two partitions may serve hash ${hash}: ${who.join(" and ")}`);
  }
}

function mayServe({ genesis }: World, name: string, { count, states }: Shards, hash: number): boolean {
  const shard = hash % count;
  const state = states.get(shard);
  if (state === undefined) return rendezvousOwner(shard % genesis.shards, genesis.members) === name;
  return state === "owned" || state === "leaving";
}

/** Undefined for a partition that is not bootstrapped yet. */
export function shardsOf(disk: SimDisk): Shards | undefined {
  if (disk.query("SELECT 1 FROM sqlite_master WHERE name = 'changes'").length === 0) return undefined;
  const [meta] = disk.query<{ value: string }>("SELECT value FROM meta WHERE key = 'shards'");
  if (meta === undefined) return undefined;
  const rows = disk.query<{ shard: number; state: string }>("SELECT shard, state FROM shards");
  return { count: Number(meta.value), states: new Map(rows.map(({ shard, state }) => [shard, state])) };
}

function describe({ count, states }: Shards, hash: number): string {
  return `shard ${hash % count} of ${count}: ${states.get(hash % count) ?? "to be claimed"}`;
}
