import { FIXED_POSITION, positionOf } from "../identity/hash-order.ts";
import type { Registry } from "../object/registry.ts";
import type { SqlStorage } from "../platform/ports.ts";
import type { Observer } from "./turns/ports.ts";

/** Stored objects that are looked at. */
const SAMPLE = 100;

/** Warns of types whose `shardBy` was changed after objects were stored: nobody can reach those where they are ([ID6]). */
export function warnOfMisplaced(storage: SqlStorage, registry: Registry, observer: Observer): void {
  if (!registry.types.some(({ shardBy }) => shardBy !== undefined)) return;
  const told = new Set<string>();
  const rows = storage.query<{ position: number; type: string; id: string }>(
    "SELECT position, type, id FROM objects WHERE position <> ? LIMIT ?",
    FIXED_POSITION,
    SAMPLE,
  );
  for (const { position, type, id } of rows) {
    if (told.has(type) || isAt(registry, type, id, position)) continue;
    told.add(type);
    observer.warn("stored objects can't be reached: shardBy of their type was changed", { type, id });
  }
}

function isAt(registry: Registry, type: string, id: string, position: number): boolean {
  try {
    const placement = registry.placement(type, id);
    return placement.kind !== "partition" && positionOf(placement.hash) === position;
  } catch {
    return false;
  }
}
