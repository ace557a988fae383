import { positionOf } from "../../identity/hash-order.ts";
import type { ReshardReply } from "../../placement/move.ts";
import type { ShardRecord } from "../../placement/shard-state.ts";
import { serves } from "../../placement/shard-state.ts";
import { readMeta, writeMeta } from "../../platform/meta.ts";
import type { SqlStorage } from "../../platform/ports.ts";
import type { Ownership } from "../storage/ownership.ts";
import { writeShard } from "../storage/shard-records.ts";

/** What a reshard must respect beside the shards. */
export interface CountedObjects {
  /** Types of which there is one object for each shard. */
  readonly perShard: readonly string[];
  /** Objects that are in use, or whose write is due. */
  readonly busy: Iterable<{ readonly position: number; readonly id: string }>;
}

/**
 * Doubles or halves the shard count at this partition until it is `target` ([SPLIT1]). Only the table of shards is written
 * anew, in one transaction: rows are where their hash puts them in hash order, whatever the count. `version`, of the map that
 * the order was given under, tells a late order from a new one.
 *
 * Doubling gives both halves the record of the shard they come from. Halving joins two shards: served here, they must be so
 * both; else the record with the higher epoch is kept, which is nearer to the present owner.
 */
export function reshard(
  storage: SqlStorage,
  ownership: Ownership,
  { shards: target, version }: { readonly shards: number; readonly version: number },
  now: number,
  objects: CountedObjects = { perShard: [], busy: [] },
): ReshardReply {
  if (version < Number(readMeta(storage, "counted") ?? 0))
    return { kind: "refused", reason: "the order is out of date" };
  const done = () => {
    writeMeta(storage, "shards", String(target));
    writeMeta(storage, "counted", String(version));
  };
  if (ownership.shards === target) {
    // Written again: a process that has been replaced does not know it, and its write fails here.
    storage.transaction(done);
    return { kind: "done" };
  }
  for (const { state } of ownership.records.values()) {
    if (state.kind === "leaving" || state.kind === "incoming" || state.kind === "ready") {
      return { kind: "refused", reason: "a shard is on its way" };
    }
  }
  let records = new Map(ownership.records);
  let count = ownership.shards;
  while (count !== target) {
    if (count < target) records = doubled(records, count);
    else {
      const misfit = conflictOf(ownership, records, count) ?? namedConflict(storage, count, objects);
      if (misfit !== undefined) return { kind: "refused", reason: misfit };
      records = halved(records, count / 2);
    }
    count = count < target ? count * 2 : count / 2;
  }
  const dirty = storage.query<{ shard: number }>("SELECT shard FROM shards WHERE dirty = 1");
  if (dirty.length > 0)
    return { kind: "refused", reason: "rows of a shard that has left are still being cleared away" };
  storage.transaction(() => {
    if (target < ownership.shards) removePerShard(storage, objects.perShard, target, ownership.shards);
    storage.query("DELETE FROM shards");
    for (const [shard, record] of records) {
      writeShard(storage, shard, record, now);
      storage.query("UPDATE shards SET dirty = 0 WHERE shard = ?", shard);
    }
    done();
  });
  ownership.resharded(target);
  return { kind: "done" };
}

function doubled(records: ReadonlyMap<number, ShardRecord>, count: number): Map<number, ShardRecord> {
  const next = new Map(records);
  for (const [shard, record] of records) next.set(shard + count, record);
  return next;
}

function halved(records: ReadonlyMap<number, ShardRecord>, half: number): Map<number, ShardRecord> {
  const next = new Map<number, ShardRecord>();
  for (const [shard, record] of records) {
    const other = next.get(shard % half);
    next.set(shard % half, other === undefined ? record : joined(other, record));
  }
  return next;
}

/** Both shards are served here, or neither is. */
function joined(left: ShardRecord, right: ShardRecord): ShardRecord {
  const { state } = left.state.epoch >= right.state.epoch ? left : right;
  return { state, seen: Math.max(left.seen, right.seen) };
}

/** Why the shards can't be halved at this partition. */
function conflictOf(
  ownership: Ownership,
  records: ReadonlyMap<number, ShardRecord>,
  count: number,
): string | undefined {
  const half = count / 2;
  const here = (shard: number) => {
    const record = records.get(shard);
    // An unclaimed shard belongs to its first owner.
    return record === undefined ? ownership.firstOwner(shard) === ownership.name : serves(record.state);
  };
  for (let shard = 0; shard < half; shard++) {
    if (here(shard) !== here(shard + half)) {
      return `shards ${shard} and ${shard + half} have different owners`;
    }
  }
  return undefined;
}

/** Why an object named after its shard forbids halving: it is stored, will be stored, has a pending call, something to send, or a reminder. */
function namedConflict(storage: SqlStorage, count: number, { perShard, busy }: CountedObjects): string | undefined {
  const gone = Array.from({ length: count / 2 }, (_, index) => count / 2 + index);
  const positions = gone.map(positionOf);
  const [stored] = storage.query<{ id: string }>(
    `SELECT id FROM objects WHERE id GLOB 'shard#*/*' AND position IN (SELECT value FROM json_each(?1))
       AND NOT (id IN (SELECT value FROM json_each(?2)) AND type IN (SELECT value FROM json_each(?3)))
     UNION SELECT id FROM pending WHERE id GLOB 'shard#*/*'
       AND position IN (SELECT value FROM json_each(?1))
     UNION SELECT id FROM outbox WHERE id GLOB 'shard#*/*'
       AND position IN (SELECT value FROM json_each(?1))
     UNION SELECT id FROM reminders WHERE id GLOB 'shard#*/*'
       AND position IN (SELECT value FROM json_each(?1))
       AND NOT (id IN (SELECT value FROM json_each(?2)) AND type IN (SELECT value FROM json_each(?3))) LIMIT 1`,
    JSON.stringify(positions),
    JSON.stringify(gone.map(autoId)),
    JSON.stringify(perShard),
  );
  if (stored !== undefined) return `object ${stored.id} names a shard that would be no more`;
  const places = new Set(positions);
  for (const { position, id } of busy) {
    if (id.startsWith("shard#") && places.has(position))
      return `object ${id}, which names a shard that would be no more, is in use`;
  }
  return undefined;
}

/** Id of the object that a type with `autoLoad = "shard"` has on a shard ([LIFE4]). */
const autoId = (shard: number) => `shard#${shard}/auto`;

/** Removes the `autoLoad = "shard"` objects of shards that are no more ([LIFE4]). */
function removePerShard(storage: SqlStorage, types: readonly string[], target: number, count: number): void {
  const gone = Array.from({ length: count - target }, (_, index) => target + index);
  for (const table of types.length === 0 ? [] : ["objects", "rows", "pending", "marks", "outbox", "reminders"]) {
    storage.query(
      `DELETE FROM ${table} WHERE position IN (SELECT value FROM json_each(?))
         AND id IN (SELECT value FROM json_each(?)) AND type IN (SELECT value FROM json_each(?))`,
      JSON.stringify(gone.map(positionOf)),
      JSON.stringify(gone.map(autoId)),
      JSON.stringify(types),
    );
  }
}
