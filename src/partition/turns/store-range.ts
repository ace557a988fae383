import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { compareUtf8, prefixEnd } from "../../identity/utf8-order.ts";
import type { StorePageRange } from "../../object/store.ts";

const DEFAULT_ROWS = 1_000;
const MAX_ROWS = 10_000;

/** A range of keys as the database is asked for it. */
export interface KeyRange {
  readonly lower: string;
  /** Whether `lower` itself is in the range. */
  readonly inclusive: boolean;
  /** The first key behind the range; null when there is none. */
  readonly upper: string | null;
  readonly reverse: boolean;
  readonly limit: number;
}

/** @throws EdgeverseError `INVALID_ARGUMENT` */
export function keyRange(range: StorePageRange): KeyRange {
  const { prefix = "", start, startAfter, end, reverse = false, limit = DEFAULT_ROWS, cursor } = range;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_ROWS) {
    throw invalid(`Cannot list ${limit} rows: the limit is 1 to ${MAX_ROWS}`);
  }
  for (const [name, text] of Object.entries({ prefix, start, startAfter, end, cursor })) {
    if (text !== undefined && typeof text !== "string") throw invalid(`Cannot list rows: ${name} must be a text`);
  }
  if (start !== undefined && startAfter !== undefined) {
    throw invalid("Cannot list rows by start and startAfter at once: they are the same bound");
  }
  const from = cursor === undefined ? undefined : keyOfCursor(cursor, reverse);
  const after = reverse ? startAfter : greatest(startAfter, from);
  const lower = greatest(greatest(prefix, start), after) as string;
  return {
    lower,
    inclusive: after === undefined || compareUtf8(lower, after) > 0,
    upper: least(least(prefixEnd(prefix), end), reverse ? from : undefined) ?? null,
    reverse,
    limit,
  };
}

export function isInRange(key: string, { lower, inclusive, upper }: KeyRange): boolean {
  const order = compareUtf8(key, lower);
  return (order > 0 || (order === 0 && inclusive)) && (upper === null || compareUtf8(key, upper) < 0);
}

/** Where a page goes on that ended with `key`. A cursor is only good for its own direction. */
export function cursorAfter(key: string, reverse: boolean): string {
  return `${reverse ? "<" : ">"}${key}`;
}

function keyOfCursor(cursor: string, reverse: boolean): string {
  const key = cursor.slice(1);
  if (key !== "" && cursorAfter(key, reverse) === cursor) return key;
  throw invalid("Cannot use the cursor: it must be that of the page before, and of the same direction");
}

function greatest(left: string | undefined, right: string | undefined): string | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return compareUtf8(left, right) >= 0 ? left : right;
}

function least(left: string | undefined, right: string | undefined): string | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return compareUtf8(left, right) <= 0 ? left : right;
}

function invalid(message: string): EdgeverseError {
  return new EdgeverseError("INVALID_ARGUMENT", message);
}
