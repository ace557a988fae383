import type { RowKey } from "../../placement/move.ts";
import type { ChangeTracker } from "./change-tracker.ts";

interface Parts {
  readonly changes: ChangeTracker;
  /** Throws when nothing may be written at a position in hash order. */
  fence(position: number): void;
}

/** Writes rows together, behind the fence, but those of leaving shards one by one, each with its note. */
export function writeNoted<Row>(
  parts: Parts,
  rows: readonly Row[],
  rowKeyOf: (row: Row) => RowKey,
  write: (some: readonly Row[]) => void,
): void {
  const rest: Row[] = [];
  for (const row of rows) {
    const rowKey = rowKeyOf(row);
    parts.fence(rowKey.position);
    if (parts.changes.covers(rowKey.position)) parts.changes.row(rowKey, () => write([row]));
    else rest.push(row);
  }
  if (rest.length > 0) write(rest);
}
