import { parseDuration } from "../../config/duration.ts";
import type { Registry } from "../../object/registry.ts";
import type { MoveOrder } from "../../placement/move.ts";
import type { SqlStorage } from "../../platform/ports.ts";
import type { HashRange } from "../storage/shard-rows.ts";

export type Vote =
  | { readonly kind: "allow" }
  | { readonly kind: "veto"; readonly reason: string }
  | { readonly kind: "delay"; readonly reason: string; readonly delay: number };

const DEFAULT_DELAY = 60_000;

/** Asks each type with objects on the shard and an `onMove` ([MIG7]). The first objection counts. */
export function moveVote(registry: Registry, storage: SqlStorage, range: HashRange, order: MoveOrder): Vote {
  const { shard, from, to } = order;
  for (const { type, objectClass } of registry.types) {
    if (objectClass.onMove === undefined || !hasObjects(storage, range, type)) continue;
    const vote = objectClass.onMove({ shard, from, to });
    if (vote === undefined || vote === "allow") continue;
    if (vote === "veto") return { kind: "veto", reason: `${type} vetoes the move` };
    const delay = parseDuration(vote.delay) ?? DEFAULT_DELAY;
    return { kind: "delay", reason: `${type} asks for a delay of ${vote.delay}`, delay };
  }
  return { kind: "allow" };
}

function hasObjects(storage: SqlStorage, { first, last }: HashRange, type: string): boolean {
  const found = storage.query(
    "SELECT 1 AS there FROM objects WHERE position BETWEEN ? AND ? AND type = ? LIMIT 1",
    first,
    last,
    type,
  );
  return found.length > 0;
}
