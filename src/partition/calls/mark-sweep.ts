import { FIXED_POSITION } from "../../identity/hash-order.ts";
import { readMeta, writeMeta } from "../../platform/meta.ts";
import type { SqlRow, SqlStorage } from "../../platform/ports.ts";
import type { FinalStatus } from "../../reliable/call-record.ts";
import type { MarkCursor, SweepOrder, SweepReport } from "../../reliable/mark-sweep.ts";
import { NONE_FINAL } from "../../reliable/ports.ts";
import { AMONG_CALLS, CALL_KEY } from "../storage/call-rows.ts";
import { toldAgain } from "../storage/message-rows.ts";

interface Parts {
  readonly storage: SqlStorage;
  readonly now: () => number;
  /** Whether the marks at a position are being copied, to here or from here: their next owner removes them. */
  readonly copied: (position: number) => boolean;
  /** When the oldest outcome that the log has yet to see was reached: its mark stays, or the call might run again. */
  readonly unlogged: () => number;
}

interface MarkRow extends SqlRow {
  position: number;
  type: string;
  id: string;
  call_id: string;
  status: FinalStatus;
  accepted: number;
  finished: number;
}

/** Marks that one step looks at. */
const STEP = 1_000;
/** In `meta`: a {@link Progress}. Not there when marks have come from elsewhere since. */
const SWEEP = "sweep";

/** How far the present sweep is; when the last one has ended, when the oldest mark that it left was finished. */
interface Progress {
  readonly after?: MarkCursor | null;
  readonly oldest?: number;
}

/**
 * Removes the marks of calls that ended long ago ([CALL9]). A sweep goes through the marks in the order of their keys, so that
 * no index has to be kept for it with each call; a step looks at few, and calls run in between. Nothing is looked at while
 * the oldest mark is known to be young.
 */
export class MarkSweep {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Without a cursor, a sweep that was left goes on where it was. */
  step(order: SweepOrder): SweepReport {
    const { dryRun, types = {} } = order;
    const { storage, now } = this.#parts;
    const unlogged = this.#parts.unlogged();
    const beforeOf = (type: string) => Math.min(types[type] ?? order.before, unlogged);
    const before = Math.min(Math.max(order.before, ...Object.values(types)), unlogged);
    let { after } = order;
    if (after === null) {
      const progress = JSON.parse(readMeta(storage, SWEEP) ?? "{}") as Progress;
      if (progress.oldest !== undefined && progress.oldest >= before)
        return { removed: NONE_FINAL, visited: 0, next: null };
      if (!dryRun) {
        after = progress.after ?? null;
        // Should marks come from elsewhere before the end, this is gone.
        writeMeta(storage, SWEEP, JSON.stringify({ after }));
      }
    }
    const keys = CALL_KEY.join(", ");
    const marks = storage.query<MarkRow>(
      `SELECT ${keys}, status, accepted, finished FROM marks WHERE (${keys}) > (?, ?, ?, ?) ORDER BY ${keys} LIMIT ${STEP}`,
      after?.position ?? FIXED_POSITION,
      after?.type ?? "",
      after?.id ?? "",
      after?.callId ?? "",
    );
    const old: MarkRow[] = [];
    // One that is made during the sweep is younger than its beginning.
    let oldest = after?.oldest ?? now();
    const again = toldAgain(storage, marks.map(placeOf));
    for (const [place, mark] of marks.entries()) {
      const time = Math.max(mark.accepted, mark.finished);
      const stays = this.#parts.copied(mark.position) || again.has(place);
      if (time < beforeOf(mark.type) && !stays) old.push(mark);
      else oldest = Math.min(oldest, time);
    }
    const last = marks.length < STEP ? undefined : marks.at(-1);
    const next = last === undefined ? null : cursorAt(last, oldest);
    if (!dryRun) this.#remove(old, next === null ? { oldest } : { after: next });
    const removed = { ...NONE_FINAL };
    for (const { status } of old) removed[status]++;
    return { removed, visited: marks.length, next };
  }

  /** Marks of any age have come from another partition. */
  arrived(): void {
    this.#parts.storage.query("DELETE FROM meta WHERE key = ?", SWEEP);
  }

  #remove(marks: readonly MarkRow[], progress: Progress): void {
    const { storage } = this.#parts;
    storage.transaction(() => {
      if (marks.length > 0) {
        storage.query(`DELETE FROM marks WHERE ${AMONG_CALLS}`, JSON.stringify(marks.map(placeOf)));
      }
      storage.query("UPDATE meta SET value = ? WHERE key = ?", JSON.stringify(progress), SWEEP);
    });
  }
}

function placeOf({ position, type, id, call_id: callId }: MarkRow): [number, string, string, string] {
  return [position, type, id, callId];
}

function cursorAt({ position, type, id, call_id: callId }: MarkRow, oldest: number): MarkCursor {
  return { position, type, id, callId, oldest };
}
