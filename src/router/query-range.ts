import { EdgeverseError } from "../errors/edgeverse-error.ts";
import { prefixEnd } from "../identity/utf8-order.ts";
import { type IndexValue, RANK, storedValue, valueFault } from "../object/object-index.ts";
import type { IndexRange } from "./index-query.ts";

interface Bounds {
  readonly value?: unknown;
  readonly from?: unknown;
  readonly to?: unknown;
  readonly prefix?: unknown;
}

/** The range that a query asks for. @throws EdgeverseError `INVALID_ARGUMENT` */
export function queryRange({ value, from, to, prefix }: Bounds): IndexRange {
  const ways = [value, from === undefined ? to : from, prefix].filter((bound) => bound !== undefined);
  if ((value !== undefined && (from !== undefined || to !== undefined)) || ways.length > 1) {
    throw invalid("Cannot query by value, by from and to, and by prefix at once: choose one");
  }
  if (prefix !== undefined) return prefixRange(prefix);
  if (value !== undefined) {
    const [rank, stored] = storedValue(checked("value", value));
    return { rank, value: stored };
  }
  if (from === undefined && to === undefined) return {};
  const lower = from === undefined ? undefined : storedValue(checked("from", from));
  const upper = to === undefined ? undefined : storedValue(checked("to", to));
  const rank = (lower ?? upper)?.[0] as number;
  if (upper !== undefined && upper[0] !== rank) {
    throw invalid("Cannot query from and to: both must be texts, numbers, or true or false");
  }
  return {
    rank,
    ...(lower === undefined ? {} : { from: lower[1] }),
    ...(upper === undefined ? {} : { to: upper[1] }),
  };
}

function prefixRange(prefix: unknown): IndexRange {
  const text = checked("prefix", prefix);
  if (typeof text !== "string") throw invalid("Cannot query by prefix: it must be a text");
  const to = prefixEnd(text);
  return to === undefined ? { rank: RANK.string, from: text } : { rank: RANK.string, from: text, to };
}

function checked(name: string, value: unknown): IndexValue {
  const fault = valueFault(value);
  if (fault !== undefined) throw invalid(`Cannot query by ${name}: ${fault}`);
  return value as IndexValue;
}

function invalid(message: string): EdgeverseError {
  return new EdgeverseError("INVALID_ARGUMENT", message);
}
