import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { ChangeTracker, digestWith } from "../../src/partition/storage/change-tracker.ts";
import { EMPTY_DIGEST } from "../../src/partition/storage/row-digest.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { compareRowKeys, insertRows, replaceRow, scanRows } from "../../src/partition/storage/shard-rows.ts";
import type { MovedRow, RowKey } from "../../src/placement/move.ts";
import { groupCommit, Thing } from "./commit-fixture.ts";
import { callRow } from "./moved-call-fixture.ts";

const SHARD = 0;
const RANGE = { first: 10, last: 20 };
const ALL = { rows: 10_000, bytes: 2 ** 30 };
const TICKS = 1_024;

/** A shard that is leaving, of which the first pass has read up to `scan`; null: all. */
function setup(scan: RowKey | null = null) {
  const made = groupCommit();
  const { storage, changes, commit } = made;
  storage.query("INSERT INTO shards (shard, epoch, claimed, state) VALUES (0, 1, 0, 'leaving')");
  changes.begin(SHARD, RANGE);
  changes.scanned(SHARD, [], scan);
  const save = (...things: Thing[]) => {
    for (const thing of things) commit.changed(thing);
    commit.flush();
  };
  const noted = (after = 0) =>
    changes.changes(RANGE, after, ALL).rows.map(({ kind, id, key, values, wipe }) => {
      const what = wipe === true ? "wiped" : values === null ? "gone" : "there";
      return `${kind} ${id} ${key} ${what}`;
    });
  /** The digest of the rows that the first pass has read. */
  const read = () =>
    scanRows(storage, RANGE, null, ALL)
      .rows.filter((row) => scan === null || compareRowKeys(row, scan) <= 0)
      .reduce((digest, row) => digestWith(digest, row, row.values, 1), EMPTY_DIGEST);
  const digest = () => changes.begin(SHARD, RANGE).digest;
  return { ...made, save, noted, read, digest };
}

const thing = (id: string, rows: Record<string, string | null> = {}, position = 10) =>
  Object.assign(new Thing(id, "{}", position), { rows: new Map(Object.entries(rows)) });
const wiped = (id: string, rows: Record<string, string | null>, exists: boolean) =>
  Object.assign(thing(id, rows), { wiped: true, exists });

describe("[MIG2] [MIG3] a write to rows that are copied", () => {
  test("is noted, and the digest is the one of the rows that are there", () => {
    const { changes, save, noted, read, digest } = setup();
    save(thing("a", { k: "1", l: "1" }), thing("b"));
    expect([noted(), digest()]).toEqual([["0 a  there", "1 a k there", "1 a l there", "0 b  there"], read()]);
    let { last } = changes;
    save(thing("a", { k: "2", l: null, none: null }));
    expect([noted(last), digest()]).toEqual([["0 a  there", "1 a k there", "1 a l gone", "1 a none gone"], read()]);
    last = changes.last;
    save(wiped("a", { m: "3" }, true));
    expect([noted(last), digest()]).toEqual([["1 a  wiped", "0 a  there", "1 a m there"], read()]);
    last = changes.last;
    save(wiped("a", {}, false), thing("b"));
    expect([noted(last), digest()]).toEqual([["1 a  wiped", "0 a  gone", "0 b  there"], read()]);
    expect(digest().rows).toBe(1);
  });

  test("of a deleted object is noted as deleted until it is, also if the copy has some of its rows", () => {
    const scan: RowKey = { kind: 1, position: 10, type: "T", id: "b", key: "l" };
    const { storage, changes, save, noted, read, digest } = setup(scan);
    save(thing("a", { k: "1" }), thing("b", { k: "1", l: "1", m: "1" }), thing("c", { k: "1" }));
    expect([noted(), digest()]).toEqual([
      ["0 a  there", "1 a k there", "0 b  there", "1 b k there", "1 b l there", "0 c  there"],
      read(),
    ]);
    const { last } = changes;
    save(wiped("b", { k: "2", m: "2", n: "2" }, true), thing("c", { k: "2" }));
    // The copy may read m and n before it deletes what it has of b: they follow once more.
    expect([noted(last), digest()]).toEqual([
      ["1 b  wiped", "0 b  there", "1 b k there", "1 b m there", "1 b n there", "0 c  there"],
      read(),
    ]);
    const call = callRow({ position: 10, id: "b" });
    changes.row({ kind: 2, position: 10, type: "T", id: "b", key: "c" }, () => replaceRow(storage, call));
    expect(noted(last)).toHaveLength(6);
  });

  test("elsewhere is not noted", () => {
    const { storage, changes, save, noted } = setup();
    storage.query("INSERT INTO shards (shard, epoch, claimed, state) VALUES (1, 1, 0, 'leaving')");
    changes.begin(1, { first: 30, last: 30 });
    changes.scanned(1, [], null);
    const positions = [9, 10, 20, 21, 29, 30, 31];
    expect(positions.filter((position) => changes.covers(position))).toEqual([10, 20, 30]);
    save(...positions.map((position) => thing(`o${position}`, {}, position)));
    const written: number[] = [];
    for (const position of positions)
      changes.object(thing(`p${position}`, {}, position), () => void written.push(position));
    expect(written).toEqual(positions);
    expect(noted()).toEqual(["0 o10  there", "0 o20  there", "0 p10  gone", "0 p20  gone"]);
    expect(changes.changes({ first: 0, last: 99 }, 0, ALL).rows.map(({ id }) => id)).toContain("o30");
    changes.end(SHARD);
    expect(positions.filter((position) => changes.covers(position))).toEqual([30]);
    changes.end(1);
    expect(changes.covers(30)).toBe(false);
  });

  test("of a call is noted with what becomes of it", () => {
    const { storage, changes, noted, read, digest } = setup();
    const names = ["a", "b"];
    for (const status of ["pending", "success"]) {
      for (const id of names)
        changes.row({ kind: 2, position: 10, type: "T", id, key: "c" }, () =>
          replaceRow(storage, callRow({ position: 10, id, status })),
        );
      expect([digest(), digest().rows]).toEqual([read(), 2]);
    }
    changes.row({ kind: 2, position: 21, type: "T", id: "z", key: "c" }, () =>
      insertRows(storage, [callRow({ position: 21, id: "z" })]),
    );
    expect(noted()).toEqual(["2 a c there", "2 b c there"]);
    expect(scanRows(storage, { first: 21, last: 21 }, null, ALL).rows).toHaveLength(1);
  });
});

describe("[MIG2] what was noted", () => {
  function tracked() {
    const storage = new SqliteStorage();
    migrate(storage);
    storage.query("INSERT INTO shards (shard, epoch, claimed, state) VALUES (0, 1, 0, 'leaving')");
    const time = { now: 5 };
    const open = () => new ChangeTracker(storage, () => time.now);
    const changes = open();
    changes.begin(SHARD, RANGE);
    changes.scanned(SHARD, [], null);
    changes.save();
    const note = (id: string, by = changes, position = 10) => by.object(thing(id, {}, position), () => {});
    const list = () => storage.query("SELECT id, n FROM changes ORDER BY n").map(({ id, n }) => [id, n]);
    return { storage, time, open, changes, note, list };
  }

  test("has numbers that grow with the time, or by one, and are never given out again", () => {
    const { changes, open, note, list, time } = tracked();
    for (const id of ["a", "b", "a"]) note(id);
    expect([list(), changes.last]).toEqual([
      [
        ["b", 5 * TICKS + 1],
        ["a", 5 * TICKS + 2],
      ],
      5 * TICKS + 2,
    ]);
    time.now = 4;
    const next = open();
    next.begin(SHARD, RANGE);
    note("c", next);
    expect(next.last).toBe(5 * TICKS + 3);
    next.acknowledged(SHARD, next.last);
    expect(list()).toEqual([]);
    const third = open();
    expect(third.last).toBe(5 * TICKS + 3);
    third.begin(SHARD, RANGE);
    note("d", third);
    expect(list()).toEqual([["d", 5 * TICKS + 4]]);
    time.now = 6;
    note("e", third);
    expect(list().at(-1)).toEqual(["e", 6 * TICKS]);
  });

  test("comes in its order, so many rows at a time, or until so many characters are reached", () => {
    const { changes, note } = tracked();
    for (const id of ["a", "b", "c", "d"]) note(id);
    const first = 5 * TICKS;
    const ids = (after: number, rows: number, bytes: number) => {
      const page = changes.changes(RANGE, after, { rows, bytes });
      return [page.rows.map(({ id }) => id).join(""), page.last];
    };
    expect(ids(0, 3, 9_999)).toEqual(["abc", first + 2]);
    expect(ids(first + 2, 3, 9_999)).toEqual(["d", first + 3]);
    expect(ids(first + 3, 3, 9_999)).toEqual(["", first + 3]);
    const size = 64 + 2;
    expect(ids(0, 9, 2 * size)).toEqual(["ab", first + 1]);
    expect(ids(0, 9, 2 * size + 1)).toEqual(["abc", first + 2]);
    expect(ids(0, 9, 1)).toEqual(["a", first]);
    expect([changes.left(RANGE, 0, 9), changes.left(RANGE, first, 2), changes.left(RANGE, first + 3, 9)]).toEqual([
      4, 2, 0,
    ]);
  });

  test("is forgotten once the target has it, of this shard alone; nothing is forgotten twice", () => {
    const { storage, changes, note, list } = tracked();
    changes.begin(1, { first: 30, last: 40 });
    changes.scanned(1, [], null);
    for (const id of ["a", "b", "c"]) note(id);
    note("other", changes, 30);
    changes.acknowledged(SHARD, 5 * TICKS + 1);
    expect(list().map(([id]) => id)).toEqual(["c", "other"]);
    const saved = storage.query("SELECT copy FROM shards WHERE shard = 0")[0]?.["copy"];
    expect(JSON.parse(String(saved))).toMatchObject({ acknowledged: 5 * TICKS + 1 });
    const statements: string[] = [];
    storage.onQuery = (sql) => statements.push(sql);
    for (const change of [0, 5 * TICKS, 5 * TICKS + 1]) changes.acknowledged(SHARD, change);
    changes.acknowledged(9, 9 * TICKS);
    expect(statements).toEqual([]);
    changes.acknowledged(SHARD, 5 * TICKS + 2);
    expect(list().map(([id]) => id)).toEqual(["other"]);
  });

  test("is forgotten with the copy", () => {
    const { changes, note, list } = tracked();
    changes.begin(1, { first: 30, last: 40 });
    changes.scanned(1, [], null);
    note("a");
    note("other", changes, 30);
    changes.clear(9);
    changes.clear(SHARD);
    changes.clear(SHARD);
    expect([list().map(([id]) => id), changes.covers(10), changes.covers(30)]).toEqual([["other"], false, true]);
  });

  test("goes on after a crash where the database stands; a new copy begins anew", () => {
    const { storage, changes, open, note } = tracked();
    insertRows(storage, [{ kind: 0, position: 10, type: "T", id: "a", key: "", values: [1, "{}", 0, 0] }]);
    note("a");
    changes.save();
    const state = changes.begin(SHARD, RANGE);
    expect(changes.begin(SHARD, { first: 0, last: 0 })).toBe(state);
    const again = open().begin(SHARD, RANGE);
    expect(again).toEqual(state);
    const fresh = { scan: null, started: false, digest: EMPTY_DIGEST, acknowledged: 0 };
    storage.query("INSERT INTO shards (shard, epoch, claimed, state) VALUES (1, 1, 0, 'leaving')");
    expect([open().begin(1, RANGE), open().begin(2, RANGE)]).toEqual([fresh, fresh]);
  });

  test("is taken back with the transaction that noted it", () => {
    const { storage, changes, note, list } = tracked();
    const before = { ...changes.begin(SHARD, RANGE) };
    const statements: string[] = [];
    const undo = changes.checkpoint();
    expect(() =>
      storage.transaction(() => {
        insertRows(storage, [{ kind: 0, position: 10, type: "T", id: "a", key: "", values: [1, "{}", 0, 0] }]);
        changes.scanned(SHARD, [{ kind: 0, position: 10, type: "T", id: "a", key: "", values: [1, "{}", 0, 0] }], null);
        note("b");
        throw new Error("no");
      }),
    ).toThrow("no");
    undo();
    expect([changes.begin(SHARD, RANGE), changes.last, list()]).toEqual([before, 0, []]);
    storage.onQuery = (sql) => statements.push(sql);
    changes.save();
    expect(statements).toEqual([]);
    changes.end(SHARD);
    expect(changes.checkpoint()).not.toThrow();
  });

  test("is stored with the write, once, and costs nothing when nothing was noted", () => {
    const { storage, changes } = tracked();
    changes.begin(1, { first: 30, last: 40 });
    const row: MovedRow = { kind: 0, position: 10, type: "T", id: "a", key: "", values: [1, "{}", 0, 0] };
    changes.scanned(9, [row], null);
    changes.scanned(SHARD, [row], row);
    const saves: string[] = [];
    storage.onQuery = (sql) => saves.push(sql);
    changes.save();
    changes.save();
    expect(saves).toHaveLength(1);
    const stored = JSON.parse(String(storage.query("SELECT copy FROM shards WHERE shard = 0")[0]?.["copy"]));
    expect(stored).toEqual(JSON.parse(JSON.stringify(changes.begin(SHARD, RANGE))));
    expect(stored).toMatchObject({ started: true, scan: { id: "a" }, digest: { rows: 1 } });
  });
});
