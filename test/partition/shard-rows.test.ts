import { SqliteStorage } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { migrate } from "../../src/partition/storage/schema.ts";
import {
  clearRows,
  comparedValues,
  compareRowKeys,
  insertRows,
  readRow,
  replaceRow,
  rowKeyOf,
  rowsOfObject,
  scanRows,
  sizeOfRow,
  underEpoch,
} from "../../src/partition/storage/shard-rows.ts";
import type { MovedRow, RowKey } from "../../src/placement/move.ts";
import { COLUMNS, callRow } from "./moved-call-fixture.ts";

const RANGE = { first: 10, last: 20 };
const ALL = { rows: 10_000, bytes: 2 ** 30 };

const object = (position: number, id: string, state = "{}"): MovedRow => ({
  kind: 0,
  position,
  type: "T",
  id,
  key: "",
  values: [1, state, 5, 6],
});
const storeRow = (position: number, id: string, key: string, value = "v"): MovedRow => ({
  kind: 1,
  position,
  type: "T",
  id,
  key,
  values: [value],
});

function setup(rows: readonly MovedRow[] = []) {
  const storage = new SqliteStorage();
  migrate(storage);
  insertRows(storage, rows);
  /** Rows of a range, a page at a time. */
  const pages = (limits: { rows: number; bytes: number }, range = RANGE) => {
    const found: MovedRow[][] = [];
    let after: RowKey | null = null;
    do {
      const page = scanRows(storage, range, after, limits);
      if (page.next !== null) expect(page.rows.length).toBeGreaterThan(0);
      found.push(page.rows);
      after = page.next;
    } while (after !== null && found.length < 1_000);
    return found;
  };
  return { storage, pages };
}

/** Rows of all kinds in the order of a scan: 40 of each. */
const FORTY = Array.from({ length: 40 }, (_, n) => [10 + (n >> 2), `o${n % 4}`] as const);
const MIXED: MovedRow[] = [
  ...FORTY.map(([position, id]) => object(position, id)),
  ...FORTY.map(([position, id]) => storeRow(position, id, "k")),
  ...FORTY.map(([position, id], n) => callRow({ position, id, status: n % 2 === 0 ? "pending" : "success" })),
];

describe("[MIG2] the rows of a shard", () => {
  test("are read in order, whatever the size of a page, and none beside them", () => {
    const outside = [object(9, "z"), object(21, "a"), storeRow(9, "z", "k"), callRow({ position: 21, id: "a" })];
    const { pages } = setup([...MIXED.toReversed(), ...outside]);
    for (const rows of [1, 7, 32, 33, 40, 64, 120, 121, 1_000])
      expect(pages({ ...ALL, rows }).flat(), `pages of ${rows}`).toEqual(MIXED);
    for (const bytes of [1, 1_000, 5_000]) expect(pages({ ...ALL, bytes }).flat(), `${bytes} bytes`).toEqual(MIXED);
  });

  test("come at most so many at a time, or until so many characters are reached", () => {
    const { pages } = setup(MIXED);
    expect(pages({ ...ALL, rows: 50 }).map(({ length }) => length)).toEqual([50, 50, 20]);
    const size = sizeOfRow(MIXED[0] as MovedRow);
    expect(pages({ ...ALL, bytes: 3 * size })[0]).toHaveLength(3);
    expect(pages({ ...ALL, bytes: 3 * size + 1 })[0]).toHaveLength(4);
  });

  test("end with an empty shard, also behind the last row", () => {
    const { storage } = setup([object(9, "a"), object(21, "a")]);
    expect(scanRows(storage, RANGE, null, ALL)).toEqual({ rows: [], next: null });
    const last = rowKeyOf(callRow({ position: 20, id: "z" }));
    expect(scanRows(storage, RANGE, last, ALL)).toEqual({ rows: [], next: null });
  });

  test("are compared in the order in which they are read", () => {
    const { storage } = setup();
    const text = fc.string({ unit: fc.constantFrom("a", "é", "\uffff", "😀"), maxLength: 2 });
    const rows = fc.uniqueArray(
      fc.record({ position: fc.integer({ min: 10, max: 12 }), type: text, id: text, key: text }),
      { selector: (row) => JSON.stringify(row), maxLength: 20 },
    );
    fc.assert(
      fc.property(rows, (keys) => {
        storage.query("DELETE FROM rows");
        const moved = keys.map((key): MovedRow => ({ ...key, kind: 1, values: ["v"] }));
        insertRows(storage, moved);
        const read = scanRows(storage, RANGE, null, ALL).rows.map(rowKeyOf);
        // A scan begins behind the empty key, which no row has.
        const named = moved.filter(({ position, type, id, key }) => position > 10 || type + id + key !== "");
        expect(named.map(rowKeyOf).sort(compareRowKeys)).toEqual(read);
      }),
      { numRuns: 50 },
    );
    expect(compareRowKeys(object(9, "a"), storeRow(1, "a", "k"))).toBeLessThan(0);
    expect(compareRowKeys(object(9, "a"), object(9, "a"))).toBe(0);
  });

  test("count the characters of their keys and values, and a little for each number", () => {
    expect(sizeOfRow(object(1, "ab", "12345"))).toBe(64 + 1 + 2 + 5 + 3 * 8);
    expect(sizeOfRow(storeRow(1, "ab", "key", "1234567"))).toBe(64 + 1 + 2 + 3 + 7);
    expect(sizeOfRow({ ...storeRow(1, "ab", "key"), values: null })).toBe(64 + 1 + 2 + 3);
  });
});

describe("one row", () => {
  test("is read by its key, and null where there is none", () => {
    const rows = [object(10, "a"), storeRow(10, "a", "k"), callRow({ position: 10, id: "a" })];
    const { storage } = setup(rows);
    for (const row of rows) {
      expect(readRow(storage, row)).toEqual(row.values);
      for (const other of [{ position: 11 }, { type: "U" }, { id: "b" }])
        expect(readRow(storage, { ...row, ...other })).toBeNull();
      if (row.kind !== 0) expect(readRow(storage, { ...row, key: "other" })).toBeNull();
    }
  });

  test.each([
    ["an object", object(10, "a"), object(10, "a", '{"n":1}')],
    ["a store row", storeRow(10, "a", "k"), storeRow(10, "a", "k", "w")],
    ["a call", callRow({ position: 10, id: "a", status: "pending" }), callRow({ position: 10, id: "a" })],
  ])("[MIG3] of %s becomes what the source has, or goes; no other does", (_name, before, after) => {
    const neighbours = [object(10, "b"), storeRow(10, "a", "l"), callRow({ position: 10, id: "b" })];
    const { storage, pages } = setup([...neighbours, before]);
    replaceRow(storage, after);
    expect(readRow(storage, after)).toEqual(after.values);
    replaceRow(storage, { ...after, values: null });
    expect(readRow(storage, after)).toBeNull();
    expect(pages(ALL).flat()).toEqual(neighbours);
    replaceRow(storage, after);
    expect(readRow(storage, after)).toEqual(after.values);
  });

  test("of an object's store come a few at a time, those passed may be removed", () => {
    const keys = Array.from({ length: 65 }, (_, n) => `k${String(n).padStart(2, "0")}`);
    const { storage } = setup([
      ...keys.map((key) => storeRow(10, "a", key)),
      storeRow(10, "b", "k"),
      { ...storeRow(10, "a", "k"), type: "U" },
      storeRow(11, "a", "k"),
    ]);
    const found: string[] = [];
    for (const { key, ...rest } of rowsOfObject(storage, { position: 10, type: "T", id: "a" })) {
      expect(rest).toEqual({ kind: 1, position: 10, type: "T", id: "a", values: ["v"] });
      storage.query("DELETE FROM rows WHERE key = ? AND id = 'a' AND position = 10", key);
      found.push(key);
    }
    expect(found).toEqual(keys);
    const none = { position: 12, type: "T", id: "a" };
    expect([...rowsOfObject(storage, none)]).toEqual([]);
  });
});

describe("[MIG3] what both sides compare", () => {
  test("is all of an object and of a store row, and what of a call stays as it is", () => {
    expect(comparedValues(0, [1, "{}", 5, 6])).toEqual([1, "{}", 5, 6]);
    expect(comparedValues(1, ["v"])).toEqual(["v"]);
    expect(comparedValues(1, null)).toBeNull();
    const values = COLUMNS.map((column) => `value of ${column}`);
    const compared = comparedValues(2, values);
    for (const column of ["request", "epoch", "shipped", "crashes", "open"])
      expect(compared).not.toContain(`value of ${column}`);
    for (const column of ["seq", "method", "status", "response", "error", "attempts"])
      expect(compared).toContain(`value of ${column}`);
  });

  test("[OWN2] a call that has not ended is taken over under the new owner's epoch, and told to its log again", () => {
    for (const status of ["pending", "parked"]) {
      const row = callRow({ position: 10, id: "a", status, epoch: 3, shipped: 1 });
      expect(underEpoch(row, 9)).toEqual(callRow({ position: 10, id: "a", status, epoch: 9, shipped: 0 }));
      expect(row).toEqual(callRow({ position: 10, id: "a", status, epoch: 3, shipped: 1 }));
    }
    for (const status of ["success", "failed", "expired"]) {
      const row = callRow({ position: 10, id: "a", status, epoch: 3 });
      expect(underEpoch(row, 9)).toBe(row);
    }
    for (const row of [object(10, "a"), { ...callRow({ position: 10, id: "a" }), values: null }])
      expect(underEpoch(row, 9)).toBe(row);
  });
});

describe("[MIG4] rows that are cleared away", () => {
  test("go a few at a time, of every table, until none is left; those of other shards stay", () => {
    const outside = [object(9, "z"), object(21, "a")];
    const { storage, pages } = setup([...MIXED, ...outside]);
    let steps = 0;
    while (clearRows(storage, RANGE, 7)) {
      steps++;
      expect(pages(ALL).flat().length).toBeGreaterThanOrEqual(120 - 7 * steps);
    }
    expect(pages(ALL)).toEqual([[]]);
    expect(pages(ALL, { first: 0, last: 99 }).flat()).toEqual(outside);
    // 40 objects, 40 store rows, 20 pending calls and 20 marks.
    expect(steps).toBe(6 + 6 + 3 + 3);
  });
});
