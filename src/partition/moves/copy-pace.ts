import type { CopyCursor } from "../../placement/move.ts";
import type { ChangeTracker } from "../storage/change-tracker.ts";
import type { HashRange } from "../storage/shard-rows.ts";

/** Callers are stopped when at most this many changes are left. */
const FEW = 32;
/** After this many rounds over the changes, callers are stopped anyway. */
const ROUNDS = 12;

/** A round over the changes that there were when it began. */
interface Round {
  readonly number: number;
  /** Number of the last of them. */
  readonly until: number;
  /** Rows it has sent so far, and those the round before it sent. */
  readonly rows: number;
  readonly before: number;
}

/**
 * Says when a copy can't come nearer while callers are served ([MIG2]): few changes are left, or the
 * rounds over them do not get shorter, because more is written than is sent.
 */
export class CopyPace {
  /** Undefined before the first pass is through. */
  #round: Round | undefined;

  /** To be asked after each message. @param sent rows that it had */
  isTime(
    changes: Pick<ChangeTracker, "left" | "last">,
    range: HashRange,
    cursor: CopyCursor | null,
    sent: number,
  ): boolean {
    if (cursor === null || cursor.scan !== null) return false;
    if (changes.left(range, cursor.change, FEW + 1) <= FEW) return true;
    const round = this.#round;
    const next = (before: number) => ({ number: (round?.number ?? 0) + 1, until: changes.last, rows: 0, before });
    if (round === undefined) {
      this.#round = next(Number.POSITIVE_INFINITY);
      return false;
    }
    const rows = round.rows + sent;
    const over = cursor.change >= round.until;
    this.#round = over ? next(rows) : { ...round, rows };
    return over && (rows >= round.before || round.number >= ROUNDS);
  }
}
