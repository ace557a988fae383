import type { SqlStorage } from "../../platform/ports.ts";
import type { PendingCounts } from "../../router/owner-counters.ts";

/** Calls that one question looks at. */
const MOST = 50_000;
/** Shards that are named. */
const SHARDS = 100;

/** Counts the calls that have not ended. @param shardAt the shard of a position in hash order */
export function pendingCounts(storage: SqlStorage, shardAt: (position: number) => number, most = MOST): PendingCounts {
  const rows = storage.query<{ position: number; status: string; accepted: number }>(
    "SELECT position, status, accepted FROM pending LIMIT ?",
    most + 1,
  );
  const open = rows.slice(0, most).filter(({ status }) => status === "pending");
  const shards = [...Map.groupBy(open, ({ position }) => shardAt(position))].map(([shard, calls]) => ({
    shard,
    pending: calls.length,
    oldest: oldestOf(calls),
  }));
  return {
    pending: open.length,
    parked: Math.min(rows.length, most) - open.length,
    oldest: open.length === 0 ? null : oldestOf(open),
    shards: shards.sort((a, b) => b.pending - a.pending || a.shard - b.shard).slice(0, SHARDS),
    complete: rows.length <= most,
  };
}

function oldestOf(calls: readonly { readonly accepted: number }[]): number {
  return calls.reduce((oldest, { accepted }) => Math.min(oldest, accepted), Number.POSITIVE_INFINITY);
}
