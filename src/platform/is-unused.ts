import type { SqlStorage } from "./ports.ts";

/** Whether nobody has ever used a partition's or coordinator's database. Looking at a cluster must leave nothing in it. */
export function isUnused(storage: SqlStorage): boolean {
  return storage.query("SELECT 1 AS there FROM sqlite_master WHERE type = 'table' AND name = 'meta'").length === 0;
}
