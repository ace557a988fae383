import type { Clock, SqlRow, SqlStorage } from "../../platform/ports.ts";
import { CALL_KEY } from "../storage/call-rows.ts";
import type { CallPlace } from "../storage/stored-call.ts";

export interface MarkWalkParts {
  readonly storage: SqlStorage;
  readonly clock: Pick<Clock, "soon">;
  /** Marks that one question may look at. */
  readonly most?: number;
}

/** The key of a call, as a row. */
export interface KeyRow extends SqlRow {
  position: number;
  type: string;
  id: string;
  call_id: string;
}

/** Marks that are looked at in one go; then calls have their turn. */
export const STEP = 5_000;
/** Marks that one question may look at, by default: it takes seconds. */
export const MOST = 1_000_000;
/** Columns of the key. */
export const KEYS = CALL_KEY.join(", ");

interface Walk<Row extends KeyRow> {
  /** With the key. */
  readonly columns: string;
  readonly after: CallPlace;
  /** The last position. */
  readonly last: number;
  /** Whether the walk may go on behind this row. */
  readonly within?: (row: Row) => boolean;
  readonly visit: (row: Row) => void;
}

/** Visits marks in the order of their keys, in steps between which calls run. @returns whether these were all */
export async function walkMarks<Row extends KeyRow>(
  { storage, clock, most = MOST }: MarkWalkParts,
  { columns, after, last, within = () => true, visit }: Walk<Row>,
): Promise<boolean> {
  for (let looked = 0, place = after; looked < most; looked += STEP) {
    const rows = storage.query<Row>(
      `SELECT ${columns} FROM marks WHERE (${KEYS}) > (?, ?, ?, ?) AND position <= ? ORDER BY ${KEYS} LIMIT ${STEP}`,
      ...place,
      last,
    );
    rows.forEach(visit);
    const row = rows.at(-1);
    if (row === undefined || rows.length < STEP || !within(row)) return true;
    place = [row.position, row.type, row.id, row.call_id];
    await otherEvents(clock);
  }
  return false;
}

/** Lets calls have their turn. */
export function otherEvents(clock: Pick<Clock, "soon">): Promise<void> {
  return new Promise((resolve) => clock.soon(resolve));
}
