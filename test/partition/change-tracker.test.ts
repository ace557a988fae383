import { SqliteStorage } from "edgeverse/testing";
import { expect, test } from "vitest";
import { ChangeTracker } from "../../src/partition/storage/change-tracker.ts";
import { EMPTY_DIGEST } from "../../src/partition/storage/row-digest.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { rowKeyOf, rowsOfObject } from "../../src/partition/storage/shard-rows.ts";
import type { UnsavedObject } from "../../src/partition/storage/unsaved-object.ts";
import type { MovedRow, RowKey } from "../../src/placement/move.ts";
import type { SqlRow, SqlValue } from "../../src/platform/ports.ts";

const RANGE = { first: 0, last: 2 ** 32 - 1 };
const at = (id: string): RowKey => ({ kind: 2, position: 7, type: "T", id, key: "c" });

/** Calls of which a change was noted, when each of a, b and c is written. */
function noted(scan: RowKey | null | undefined): string[] {
  const storage = new SqliteStorage();
  migrate(storage);
  storage.query("INSERT INTO shards (shard, epoch, claimed, state) VALUES (0, 1, 0, 'leaving')");
  const tracker = new ChangeTracker(storage, () => 1);
  tracker.begin(0, RANGE);
  if (scan !== undefined) tracker.scanned(0, [], scan);
  for (const id of ["a", "b", "c"]) tracker.row(at(id), () => {});
  const { rows } = tracker.changes(RANGE, 0, { rows: 9, bytes: 999 });
  expect(tracker.left(RANGE, 0, 9)).toBe(rows.length);
  return rows.map((row) => row.id);
}

test("[MIG2] a change is noted unless the first pass has yet to come there", () => {
  expect(noted(undefined)).toEqual([]);
  expect(noted(at("a"))).toEqual(["a"]);
  expect(noted(at("b"))).toEqual(["a", "b"]);
  expect(noted(at("c"))).toEqual(["a", "b", "c"]);
  expect(noted({ ...at("z"), kind: 1 })).toEqual([]);
  expect(noted(null)).toEqual(["a", "b", "c"]);
});

/** A storage that notes how many rows its largest answer had. */
class CountingStorage extends SqliteStorage {
  most = 0;
  override query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    const rows = super.query<Row>(sql, ...params);
    this.most = Math.max(this.most, rows.length);
    return rows;
  }
}

test.each([
  ["all", undefined],
  ["a part", "k0400"],
])("[MIG2] [MIG3] deleting an object of which the copy has read %s reads its rows a few at a time", (_name, until) => {
  const storage = new CountingStorage();
  migrate(storage);
  storage.query("INSERT INTO shards (shard, epoch, claimed, state) VALUES (0, 1, 0, 'leaving')");
  const object = { position: 7, type: "T", id: "a" };
  for (let index = 0; index < 1_000; index++)
    storage.query("INSERT INTO rows VALUES (7, 'T', 'a', ?, ?)", `k${String(index).padStart(4, "0")}`, `v${index}`);
  const tracker = new ChangeTracker(storage, () => 1);
  tracker.begin(0, RANGE);
  const rows = [...rowsOfObject(storage, object)];
  expect(rows.map(({ key }) => key)).toEqual(Array.from({ length: 1_000 }, (_, n) => `k${String(n).padStart(4, "0")}`));
  const read = rows.filter(({ key }) => until === undefined || key <= until);
  tracker.scanned(0, read, until === undefined ? null : rowKeyOf(read.at(-1) as MovedRow));
  storage.most = 0;
  const gone: UnsavedObject = {
    position: 7,
    definition: { type: "T" },
    id: "a",
    wiped: true,
    exists: false,
  } as UnsavedObject;
  tracker.object(gone, () => storage.query("DELETE FROM rows"));
  expect(storage.most).toBeLessThanOrEqual(32);
  expect(tracker.begin(0, RANGE).digest).toEqual(EMPTY_DIGEST);
});
