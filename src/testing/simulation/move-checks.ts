import { shardsOf } from "./owner-checks.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

type Told = { shard: number; partition: string; epoch: number };

/** When all has ended, no move is under way anywhere, and the coordinator has learned who owns what, under which epoch. */
export function checkSettled(world: World): void {
  const { coordinator, partitions } = world;
  for (const { name, disk } of partitions) {
    for (const [shard, state] of shardsOf(disk)?.states ?? []) {
      if (state === "owned" || state === "gone" || (world.forced && state !== "leaving")) continue;
      throw new Violation(
        `[MIG4] shard ${shard} is left ${state} at ${name}: its move was neither completed nor undone`,
      );
    }
  }
  if (coordinator.disk.query("SELECT 1 FROM sqlite_master WHERE name = 'shards'").length === 0) return;
  const sql = "SELECT shard, partition, epoch FROM shards WHERE epoch IS NOT NULL";
  for (const { shard, partition, epoch } of coordinator.disk.query<Told>(sql)) {
    const { disk } = world.machine(partition);
    const [own] = disk.query<{ epoch: number }>("SELECT epoch FROM shards WHERE shard = ? AND state = 'owned'", shard);
    if (own?.epoch === epoch) continue;
    throw new Violation(
      `[OWN1] [OWN2] the coordinator has shard ${shard} at ${partition} under epoch ${epoch}, its owner has ${own?.epoch}`,
    );
  }
}
