import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { MarkSweep } from "../../src/partition/calls/mark-sweep.ts";
import { insertMarks } from "../../src/partition/storage/call-rows.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import type { MarkCursor, SweepOrder } from "../../src/reliable/mark-sweep.ts";
import { sumOf } from "../../src/reliable/ports.ts";

const DAY = 86_400_000;
const NOW = 100 * DAY;

/** So many marks, one finished each day up to 50 days ago, in no order of their keys. */
function setup(marks: number) {
  const storage = new SqliteStorage();
  migrate(storage);
  const copied = new Set<number>();
  const parts = { unlogged: Number.POSITIVE_INFINITY };
  const make = () =>
    new MarkSweep({
      storage,
      now: () => NOW,
      copied: (position) => copied.has(position),
      unlogged: () => parts.unlogged,
    });
  const add = (position: number, finished: number) => ({
    position,
    type: "T",
    id: `o${position}`,
    call_id: "c",
    seq: position,
    accepted: finished - 1,
    finished,
    status: "success",
    logged: 1,
    method: "m",
    request_hash: "",
    attempts: 1,
    epoch: 1,
    error: null,
    response: "1",
  });
  insertMarks(
    storage,
    Array.from({ length: marks }, (_, n) => add(n, NOW - ((n * 7) % 50) * DAY)),
  );
  const count = () => storage.query<{ n: number }>("SELECT count(*) AS n FROM marks")[0]?.n;
  /** A whole sweep; the marks that each step has visited. */
  const sweep = (before: number, dryRun = false, most = 100) => {
    const visited: number[] = [];
    let removed = 0;
    let after: MarkCursor | null = null;
    do {
      const step = make().step({ before, after, dryRun });
      visited.push(step.visited);
      removed += sumOf(step.removed);
      after = step.next;
    } while (after !== null && visited.length < most);
    return { visited, removed };
  };
  const step = (order: SweepOrder) => make().step(order);
  return { storage, copied, parts, add, count, sweep, step, arrived: () => make().arrived() };
}

describe("the sweep of marks", () => {
  test("[CALL9] visits at most 1,000 a step, and removes those that are old", () => {
    const { sweep, count } = setup(2_500);
    const before = NOW - 29.5 * DAY;
    expect(sweep(before, true)).toEqual({ visited: [1_000, 1_000, 500], removed: 1_000 });
    expect(count()).toBe(2_500);
    expect(sweep(before)).toEqual({ visited: [1_000, 1_000, 500], removed: 1_000 });
    expect(count()).toBe(1_500);
  });

  test("[CALL9] looks at nothing while the oldest mark is known to be young", () => {
    const { sweep, storage } = setup(1_500);
    expect(sweep(NOW - 29.5 * DAY).removed).toBe(600);
    const queries: string[] = [];
    storage.onQuery = (sql) => queries.push(sql);
    expect(sweep(NOW - 29.2 * DAY)).toEqual({ visited: [0], removed: 0 });
    expect(queries.filter((sql) => sql.includes("marks"))).toEqual([]);
    expect(sweep(NOW - 28.5 * DAY).removed).toBe(30);
  });

  test("[CALL9] goes on where it was left, and begins anew when marks have come from elsewhere", () => {
    const { sweep, storage, add, arrived } = setup(2_500);
    const before = NOW - 29.5 * DAY;
    expect(sweep(before, false, 1).visited).toEqual([1_000]);
    expect(sweep(before).visited).toEqual([1_000, 500]);
    insertMarks(storage, [add(-1, NOW - 90 * DAY), add(5_000, NOW - 90 * DAY)]);
    expect(sweep(before).removed).toBe(0);
    arrived();
    expect(sweep(before).removed).toBe(2);
    expect(storage.query("SELECT position FROM marks WHERE finished < ?", before)).toEqual([]);
  });

  test("[CALL9] goes on from its cursor all the same, and does not forget that marks have come", () => {
    const { step, sweep, arrived } = setup(2_500);
    const before = NOW - 29.5 * DAY;
    const { next } = step({ before, after: null, dryRun: false });
    arrived();
    const rest = [step({ before, after: next, dryRun: false })];
    rest.push(step({ before, after: rest[0]?.next ?? null, dryRun: false }));
    expect(rest.map(({ visited }) => visited)).toEqual([1_000, 500]);
    expect(sweep(before).visited).toEqual([1_000, 500]);
  });

  test("[CALL9] types may have another time", () => {
    const { step, storage, add } = setup(100);
    insertMarks(storage, [
      { ...add(200, NOW - 2 * DAY), type: "Brief" },
      { ...add(201, NOW - 45 * DAY), type: "Lasting" },
    ]);
    const types = { Brief: NOW - DAY, Lasting: NOW - 90 * DAY };
    const sweep = (before: number) => step({ before, types, after: null, dryRun: false }).removed.success;
    expect(sweep(NOW - 29.5 * DAY)).toBe(41);
    expect(storage.query("SELECT type FROM marks WHERE position >= 200")).toEqual([{ type: "Lasting" }]);
    // Only one type has old ones now.
    insertMarks(storage, [{ ...add(202, NOW - 5 * DAY), type: "Brief" }]);
    expect(sweep(NOW - 29.5 * DAY)).toBe(1);
  });

  test("[CALL9] goes on where it was when a step fails", () => {
    const { step, sweep, storage } = setup(2_500);
    const before = NOW - 29.5 * DAY;
    step({ before, after: null, dryRun: false });
    storage.failing = new Error("disk I/O error");
    expect(() => step({ before, after: null, dryRun: false })).toThrow("disk I/O error");
    storage.failing = undefined;
    expect(sweep(before).visited).toEqual([1_000, 500]);
  });

  test("[CALL9] that only counts begins at the start, and writes nothing", () => {
    const { step, sweep, storage } = setup(2_500);
    const before = NOW - 29.5 * DAY;
    step({ before, after: null, dryRun: false });
    const writes: string[] = [];
    storage.onQuery = (sql) => {
      if (!sql.trimStart().startsWith("SELECT")) writes.push(sql);
    };
    const { visited } = sweep(before, true);
    expect(visited.reduce((sum, n) => sum + n)).toBe(2_100);
    expect(writes).toEqual([]);
  });

  test("[CALL9] deletes nothing where nothing is old, and what is not older stays", () => {
    const { sweep, storage } = setup(100);
    const writes: string[] = [];
    storage.onQuery = (sql) => {
      if (sql.includes("DELETE FROM marks")) writes.push(sql);
    };
    expect(sweep(NOW - 60 * DAY)).toEqual({ visited: [100], removed: 0 });
    expect(sweep(NOW - 49 * DAY)).toEqual({ visited: [0], removed: 0 });
    expect(writes).toEqual([]);
  });

  test("[CALL9] [MIG3] leaves what is being copied, and what is as old as an outcome that the log has not seen", () => {
    const { sweep, copied, parts, count } = setup(100);
    parts.unlogged = NOW - 45 * DAY;
    expect(sweep(NOW - 29.5 * DAY).removed).toBe(8);
    parts.unlogged = Number.POSITIVE_INFINITY;
    for (let position = 0; position < 50; position++) copied.add(position);
    expect(sweep(NOW - 29.5 * DAY).removed).toBe(16);
    copied.clear();
    expect(sweep(NOW - 29.5 * DAY).removed).toBe(16);
    expect(count()).toBe(60);
  });
});
