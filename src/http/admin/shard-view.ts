import * as z from "zod";
import type { ShardNote } from "../../coordinator/commands.ts";
import type { ShardMap } from "../../placement/shard-map.ts";
import type { PartitionAnswer } from "../ask-partitions.ts";
import { about, count, moment } from "../schemas.ts";
import type { Known } from "./coordinator.ts";

export const shardSchema = z
  .object({
    shard: z.number().int(),
    partition: z.string(),
    epoch: z
      .number()
      .int()
      .nullable()
      .register(about, { description: "Null while no partition has claimed the shard" }),
    claimed: z.boolean().nullable().register(about, { description: "Null when the partition can't be asked" }),
    why: z.string().register(about, { examples: ["base map"] }),
    pinned: z.boolean().nullable().register(about, { description: "Null when the coordinator can't be asked" }),
    pinnedTo: z.string().nullable(),
    movedAt: moment.nullable(),
    moving: z
      .object({ to: z.string(), phase: z.string(), id: z.number().int() })
      .nullable()
      .register(about, { description: "The move of it that has not ended" }),
  })
  .register(about, { id: "Shard" });

export type ShardView = z.output<typeof shardSchema>;
type ShardAnswers = readonly PartitionAnswer<readonly [shard: number, epoch: number][]>[];

/** Makes views of single shards: the map says who should own one, the partitions say who does. */
export function shardTable(
  map: ShardMap,
  answers: ShardAnswers,
  known: Known | undefined,
): (shard: number) => ShardView {
  const claims = new Map<number, { partition: string; epoch: number }>();
  const silent = new Set<string>();
  for (const answer of answers) {
    if (!answer.ok) {
      silent.add(answer.partition);
      continue;
    }
    for (const [shard, epoch] of answer.value) {
      const other = claims.get(shard);
      if (other === undefined || other.epoch < epoch) claims.set(shard, { partition: answer.partition, epoch });
    }
  }
  return (shard) => {
    const planned = map.owner(shard);
    const claim = claims.get(shard);
    const note = known?.notes.get(shard);
    const move = known?.moves.get(shard);
    const rest = {
      pinned: known === undefined ? null : (note?.pinned ?? false),
      pinnedTo: note?.pinnedTo ?? null,
      movedAt: note?.movedAt == null ? null : new Date(note.movedAt).toISOString(),
      moving: move === undefined ? null : { to: move.to, phase: move.phase, id: move.id },
    };
    if (claim !== undefined && claim.partition !== planned) {
      return { shard, ...claim, claimed: true, why: `claimed; the map says ${planned}`, ...rest };
    }
    const why = note === undefined ? unexplained(map, shard) : whyText(note);
    if (claim !== undefined) return { shard, ...claim, claimed: true, why, ...rest };
    const claimed = silent.has(planned) ? null : false;
    return { shard, partition: planned, epoch: map.exception(shard)?.epoch ?? null, claimed, why, ...rest };
  };
}

/** Why a shard is where the map has it, as far as the map alone tells. */
export function unexplained(map: ShardMap, shard: number): string {
  return map.exception(shard) === undefined ? "base map" : `exception of map version ${map.document.version}`;
}

export const noteSchema = z
  .object({
    shard: count,
    partition: z.string(),
    epoch: count.nullable(),
    why: z.string(),
    pinned: z.boolean(),
    pinnedTo: z.string().nullable(),
    movedAt: moment.nullable(),
  })
  .register(about, { id: "ShardNote" });

export function noteBody(note: ShardNote): z.input<typeof noteSchema> {
  return { ...note, why: whyText(note), movedAt: note.movedAt === null ? null : new Date(note.movedAt).toISOString() };
}

/** Who decided where a shard is ([MAP4]). */
function whyText(note: ShardNote | undefined): string {
  if (note?.pinned === true) return note.pinnedTo === null ? "pinned" : `pinned to ${note.pinnedTo}`;
  switch (note?.why ?? null) {
    case "held":
      return "held: membership changed, a move will correct it";
    case "plan":
      return "moved by plan";
    case "operator":
    case "pin":
      return "moved by an operator";
    case "drain":
      return "moved by a drain";
    case "split":
      return "moved for a change of the shard count";
    default:
      return "base map";
  }
}
