import type { CopyDigest, RowKey } from "../../placement/move.ts";

export const EMPTY_DIGEST: CopyDigest = { rows: 0, high: 0, low: 0 };

type Value = string | number | null;

/**
 * A digest with one row added (`sign` 1) or taken away (-1). Sums of row hashes, so that the order does not matter and a
 * change costs one row: a multiset hash (AdHash; Bellare & Micciancio 1997). It finds faults, not forgeries.
 */
export function withRow(digest: CopyDigest, rowKey: RowKey, values: readonly Value[] | null, sign: 1 | -1): CopyDigest {
  if (values === null) return digest;
  const { high, low } = rowHash(rowKey, values);
  return {
    rows: digest.rows + sign,
    high: (digest.high + sign * high) >>> 0,
    low: (digest.low + sign * low) >>> 0,
  };
}

export function sameDigest(left: CopyDigest, right: CopyDigest): boolean {
  return left.rows === right.rows && left.high === right.high && left.low === right.low;
}

/** 64 bits in two words, by the multiply-and-xor mixing of cyrb53 (bryc, public domain). */
function rowHash({ kind, position, type, id, key }: RowKey, values: readonly Value[]): { high: number; low: number } {
  let high = 0xdeadbeef ^ kind;
  let low = 0x41c6ce57 ^ kind;
  const mix = (unit: number) => {
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  };
  const mixText = (text: string) => {
    for (let index = 0; index < text.length; index++) mix(text.charCodeAt(index));
    // Outside any code unit, so that "a","b" and "ab","" differ.
    mix(0x1_0000 + text.length);
  };
  mix(position);
  for (const text of [type, id, key]) mixText(text);
  for (const value of values) {
    if (value === null) mix(0x2_0000);
    else mixText(typeof value === "string" ? value : `#${value}`);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return { high: high >>> 0, low: low >>> 0 };
}
