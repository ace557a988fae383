import { describe, expect, test } from "vitest";
import { EMPTY_DIGEST, sameDigest, withRow } from "../../src/partition/storage/row-digest.ts";
import type { CopyDigest, RowKey } from "../../src/placement/move.ts";

type Values = readonly (string | number | null)[];
type Row = readonly [RowKey, Values];

const KEY: RowKey = { kind: 1, position: 7, type: "T", id: "a", key: "k" };
const digestOf = (rows: readonly Row[]) =>
  rows.reduce<CopyDigest>((digest, [key, values]) => withRow(digest, key, values, 1), EMPTY_DIGEST);

/** Rows that differ from each other in one thing. */
const ROWS: readonly Row[] = [
  [KEY, ["v", 1, null]],
  [{ ...KEY, kind: 2 }, ["v", 1, null]],
  [{ ...KEY, position: 2 ** 32 - 1 }, ["v", 1, null]],
  [{ ...KEY, type: "U" }, ["v", 1, null]],
  [{ ...KEY, id: "b" }, ["v", 1, null]],
  [{ ...KEY, key: "" }, ["v", 1, null]],
  [{ ...KEY, id: "ak", key: "" }, ["v", 1, null]],
  [{ ...KEY, type: "Ta", id: "" }, ["v", 1, null]],
  [KEY, ["w", 1, null]],
  [KEY, ["v", 2, null]],
  [KEY, ["v", 1, ""]],
  [KEY, ["v", null, null]],
  [KEY, ["v1", null]],
  [KEY, ["v", "1", null]],
  [KEY, ["v", 1]],
];

describe("[MIG3] the digest of a shard's rows", () => {
  test("is pinned: both sides of a move compare it, and they may run different versions", () => {
    expect(digestOf([[KEY, ["v", 1, null]]])).toEqual({ rows: 1, high: 1533142847, low: 2990974547 });
    expect(digestOf([[{ kind: 0, position: 0, type: "", id: "", key: "" }, []]])).toEqual({
      rows: 1,
      high: 4114313224,
      low: 2165409939,
    });
    expect(digestOf(ROWS)).toEqual({ rows: 15, high: 1916991793, low: 1826585926 });
  });

  test("is another one for rows that differ in anything", () => {
    const digests = ROWS.map((row) => digestOf([row]));
    for (const half of ["high", "low"] as const)
      expect(new Set(digests.map((digest) => digest[half])).size).toBe(ROWS.length);
    digests.forEach((left, index) => {
      for (const [other, right] of digests.entries()) expect(sameDigest(left, right)).toBe(index === other);
    });
  });

  test("does not depend on the order, and forgets a row that is taken away", () => {
    const [first, ...rest] = ROWS as [Row, ...Row[]];
    expect(digestOf(ROWS.toReversed())).toEqual(digestOf(ROWS));
    expect(withRow(digestOf(ROWS), ...first, -1)).toEqual(digestOf(rest));
    // Also below zero: a row may be taken away before it is added.
    expect(withRow(withRow(EMPTY_DIGEST, ...first, -1), ...first, 1)).toEqual(EMPTY_DIGEST);
  });

  test("counts no row that is not there", () => {
    expect(withRow(EMPTY_DIGEST, KEY, null, 1)).toEqual(EMPTY_DIGEST);
    expect(withRow(EMPTY_DIGEST, KEY, null, -1)).toEqual(EMPTY_DIGEST);
  });

  test("differs when one of its three numbers does", () => {
    const digest = { rows: 1, high: 2, low: 3 };
    expect(sameDigest(digest, { ...digest })).toBe(true);
    for (const other of [{ rows: 9 }, { high: 9 }, { low: 9 }])
      expect(sameDigest(digest, { ...digest, ...other })).toBe(false);
  });
});
