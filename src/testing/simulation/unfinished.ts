import type { SimDisk } from "./sim-storage.ts";

/** What the coordinator has begun and not ended, by its database; undefined when it rests. */
export function unfinished(disk: SimDisk): string | undefined {
  if (disk.query("SELECT 1 FROM sqlite_master WHERE name = 'moves'").length === 0) return undefined;
  const [move] = disk.query("SELECT * FROM moves WHERE phase NOT IN ('done', 'undone') LIMIT 1");
  if (move !== undefined) return `move ${JSON.stringify(move)}`;
  const [reshard] = disk.query<{ value: string }>("SELECT value FROM meta WHERE key = 'resize'");
  return reshard === undefined ? undefined : `the change of the shard count ${reshard.value}`;
}
