import type { ShardRecord, ShardState } from "../../placement/shard-state.ts";
import type { SqlRow, SqlStorage } from "../../platform/ports.ts";

interface ShardRow extends SqlRow {
  shard: number;
  epoch: number;
  state: string;
  move: number;
  seen: number;
  peer: string | null;
}

/** Every shard this partition has a record of. */
export function readShards(storage: SqlStorage): Map<number, ShardRecord> {
  const rows = storage.query<ShardRow>("SELECT shard, epoch, state, move, seen, peer FROM shards");
  return new Map(rows.map((row) => [row.shard, fromRow(row)]));
}

/**
 * Writes a shard's record. Its rows are to be cleared once it is gone or dropped (`dirty`), and a copy ends with the state
 * that made it.
 */
export function writeShard(
  storage: SqlStorage,
  shard: number,
  { state, seen }: ShardRecord,
  now: number,
  mapVersion = 1,
): void {
  const copying = state.kind === "leaving" || state.kind === "incoming" || state.kind === "ready";
  storage.query(
    `INSERT INTO shards (shard, epoch, claimed, state, move, seen, peer, dirty, map_version)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (shard) DO UPDATE SET
       claimed = CASE WHEN shards.epoch = ?2 AND (shards.state IN ('owned', 'leaving')) = (?4 IN ('owned', 'leaving'))
         THEN shards.claimed ELSE ?3 END,
       epoch = ?2, state = ?4, move = ?5, seen = ?6, peer = ?7, dirty = max(shards.dirty AND ?4 <> 'owned', ?8),
       map_version = ?9, copy = CASE WHEN ?10 AND shards.move = ?5 THEN copy ELSE NULL END`,
    shard,
    state.epoch,
    now,
    state.kind,
    "move" in state ? state.move : 0,
    seen,
    peerOf(state),
    state.kind === "gone" ? 1 : 0,
    mapVersion,
    copying ? 1 : 0,
  );
}

function peerOf(state: ShardState): string | null {
  if (state.kind === "owned") return null;
  return state.kind === "gone" || state.kind === "leaving" ? state.to : state.from;
}

function fromRow({ epoch, state, move, seen, peer }: ShardRow): ShardRecord {
  const other = peer ?? "";
  switch (state) {
    case "leaving":
      return { state: { kind: "leaving", epoch, move, to: other }, seen };
    case "gone":
      return { state: { kind: "gone", epoch, move, to: other }, seen };
    case "incoming":
      return { state: { kind: "incoming", epoch, move, from: other }, seen };
    case "ready":
      return { state: { kind: "ready", epoch, move, from: other }, seen };
    default:
      return { state: { kind: "owned", epoch }, seen };
  }
}
