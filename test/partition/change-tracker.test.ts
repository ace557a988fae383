import { SqliteStorage } from "edgeverse/testing";
import { expect, test } from "vitest";
import { ChangeTracker } from "../../src/partition/storage/change-tracker.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import type { RowKey } from "../../src/placement/move.ts";

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
  for (const id of ["a", "b", "c"]) tracker.call(7, { type: "T", id, callId: "c" }, () => {});
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
