import type { CopyCursor, MoveOrder, TransferChunk } from "../../placement/move.ts";
import type { SqlStorage } from "../../platform/ports.ts";
import type { ChangeTracker } from "../storage/change-tracker.ts";
import type { Ownership } from "../storage/ownership.ts";
import { compareRowKeys, rowKeyOf, scanRows } from "../storage/shard-rows.ts";

interface Parts {
  readonly ownership: Ownership;
  readonly changes: ChangeTracker;
  readonly storage: SqlStorage;
}

/** Bounds of one message of the copy: rows, and characters unless one row has more. */
const CHUNK = { rows: 200, bytes: 128 * 1024 };
/**
 * The rows that follow the cursor: of the first pass over a leaving shard, then of what has changed since. Rows that the
 * first pass reads for the first time join the digest; those it sends again do not.
 *
 * @param final brings the digest with the last of the changes, for the target to compare
 */
export function nextChunk(
  { ownership, changes, storage }: Parts,
  { order, cursor }: { readonly order: MoveOrder; readonly cursor: CopyCursor | null },
  final: boolean,
): TransferChunk {
  const range = ownership.range(order.shard);
  const state = changes.begin(order.shard, range);
  const epoch = (ownership.record(order.shard)?.state.epoch ?? 0) + 1;
  const base = { order, epoch, from: cursor };
  if (cursor === null || cursor.scan !== null) {
    const { rows, next } = scanRows(storage, range, cursor?.scan ?? null, CHUNK);
    if (!state.started || state.scan !== null) {
      const { scan } = state;
      const fresh = scan === null ? rows : rows.filter((row) => compareRowKeys(rowKeyOf(row), scan) > 0);
      if (next === null || scan === null || compareRowKeys(next, scan) > 0) {
        storage.transaction(() => {
          changes.scanned(order.shard, fresh, next);
          changes.save();
        });
      }
    }
    return { ...base, rows, to: { scan: next, change: cursor?.change ?? 0 } };
  }
  const { rows, last } = changes.changes(range, cursor.change, CHUNK);
  const to = { scan: null, change: last };
  // The digest speaks of everything: only the message that carries the last change may bring it.
  const whole = final && changes.left(range, last, 1) === 0;
  return whole ? { ...base, rows, to, final: state.digest } : { ...base, rows, to };
}
