import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { Backlog, type BacklogRecord } from "../../src/partition/storage/backlog.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { callRecord } from "../support/call-records.ts";

/** What a record counts beside its request and response. */
const RECORD = 400;
const ALL = { records: 10_000, bytes: 2 ** 30 };

function setup() {
  const storage = new SqliteStorage();
  migrate(storage);
  const backlog = new Backlog(storage);
  const rows = () => storage.query("SELECT n, records, at, bytes FROM backlog ORDER BY n");
  /** Call ids of the rows in front. */
  const front = (most = ALL) => backlog.front(most).map(({ records }) => records.map(({ callId }) => callId));
  return { storage, backlog, rows, front };
}

function record(callId: string, changes: Partial<BacklogRecord> = {}): BacklogRecord {
  return { ...callRecord({ callId, request: null, response: null }), position: 7, ahead: false, ...changes };
}

const many = (from: number, count: number) => Array.from({ length: count }, (_, n) => record(`c${from + n}`));

describe("Backlog", () => {
  test("[CALL5] gives back what was put in, in order, from the front", () => {
    const { backlog } = setup();
    const first = [record("a", { request: '{"n":1}', response: '"é😀"', ahead: true }), record("b")];
    const second = [record("c", { error: { code: "INTERNAL", message: "no", retryable: false }, status: "failed" })];
    backlog.append(first);
    backlog.append(second);
    backlog.append([]);
    expect(backlog.front(ALL)).toEqual([
      { n: 1, records: first },
      { n: 3, records: second },
    ]);
  });

  test("[CALL5] a row has at most 250 records", () => {
    const { backlog, rows, front } = setup();
    backlog.append(many(0, 501));
    expect(rows().map(({ n, records }) => [n, records])).toEqual([
      [1, 250],
      [251, 250],
      [501, 1],
    ]);
    expect(front().flat()).toEqual(many(0, 501).map(({ callId }) => callId));
  });

  test("[CALL5] a row has at most 256 Ki characters, and counts anew after them", () => {
    const { backlog, front } = setup();
    const base = JSON.stringify(record("a", { response: "" })).length;
    const third = (callId: string, more = 0) => record(callId, { response: "x".repeat(32 * 1024 - base + more) });
    const eight = [..."abcdefgh"];
    backlog.append([...eight, "i", "j"].map((id) => third(id)));
    expect(front()).toEqual([eight, ["i", "j"]]);
    backlog.append(eight.map((id) => third(id, 1)));
    expect(front().slice(2)).toEqual([eight.slice(0, 7), ["h"]]);
  });

  test("[CALL5] a record of more than 32 Ki characters has its texts in columns, where nothing needs escapes", () => {
    const { storage, backlog, front } = setup();
    const fits = record("fits", { request: '"'.repeat(16 * 1024), response: "x".repeat(16 * 1024) });
    const large = record("large", { request: '"'.repeat(16 * 1024), response: "x".repeat(16 * 1024 + 1) });
    const half = record("half", { request: "x".repeat(40_000) });
    backlog.append([record("a"), fits, large, record("b"), half, record("c")]);
    expect(front()).toEqual([["a", "fits"], ["large"], ["b"], ["half"], ["c"]]);
    expect(backlog.front(ALL).flatMap(({ records }) => records)).toEqual([
      record("a"),
      fits,
      large,
      record("b"),
      half,
      record("c"),
    ]);
    expect(storage.query("SELECT length(list) < 1000 AS short FROM backlog WHERE request NOTNULL")).toEqual([
      { short: 1 },
      { short: 1 },
    ]);
  });

  test("[CALL5] a request that may not fit into a row beside its response is left out", () => {
    const { backlog } = setup();
    const fits = record("a", { request: "x".repeat(300_000), response: "y".repeat(300_000) });
    const large = record("b", { request: "x".repeat(300_000), response: "y".repeat(300_001) });
    backlog.append([fits, large]);
    expect(backlog.front(ALL).flatMap(({ records }) => records)).toEqual([fits, { ...large, request: null }]);
  });

  test("[CALL6] counts records and bytes, also when some are gone from the front", () => {
    const { backlog, rows } = setup();
    expect(backlog.size).toEqual({ records: 0, bytes: 0 });
    backlog.append([record("a", { request: "12345" }), record("b", { response: "123" })]);
    expect(backlog.size).toEqual({ records: 2, bytes: 2 * RECORD + 8 });
    const large = record("large", { response: "x".repeat(40_000) });
    backlog.append([large, record("c", { request: "1", response: "2" })]);
    expect(backlog.size).toEqual({ records: 4, bytes: 4 * RECORD + 10 + 40_000 });
    backlog.remove(backlog.front({ records: 2, bytes: 0 }));
    expect(backlog.size).toEqual({ records: 2, bytes: 2 * RECORD + 2 + 40_000 });
    backlog.remove(backlog.front(ALL));
    expect(backlog.size).toEqual({ records: 0, bytes: 0 });
    expect(rows()).toEqual([]);
    backlog.append([record("d")]);
    expect(backlog.size).toEqual({ records: 1, bytes: RECORD });
  });

  test("[CALL6] counts rows that others wrote once it hears of them", () => {
    const { storage, backlog } = setup();
    expect(backlog.size.records).toBe(0);
    new Backlog(storage).append(many(0, 3));
    expect(backlog.size.records).toBe(0);
    backlog.arrived();
    expect(backlog.size.records).toBe(3);
  });

  test("[CALL6] reads nothing to tell its size again", () => {
    const { storage, backlog } = setup();
    backlog.append(many(0, 3));
    expect(backlog.size.records).toBe(3);
    storage.onQuery = (sql) => expect.fail(sql);
    expect(backlog.size.records).toBe(3);
  });

  test("[CALL9] says when its oldest outcome was reached", () => {
    const { backlog } = setup();
    expect(backlog.oldest).toBe(Number.POSITIVE_INFINITY);
    backlog.append([record("a", { finishedAt: 5 }), record("b", { finishedAt: 4 })]);
    backlog.append([record("c", { finishedAt: 3 })]);
    expect(backlog.oldest).toBe(5);
    backlog.remove(backlog.front({ records: 1, bytes: 0 }));
    expect(backlog.oldest).toBe(3);
  });

  test("[CALL5] the front has as many rows as fit, and always one", () => {
    const { backlog, front } = setup();
    for (const ids of ["ab", "cd", "e"]) backlog.append([...ids].map((id) => record(id)));
    const [ab, cd, e] = [["a", "b"], ["c", "d"], ["e"]];
    const bytes = ALL.bytes;
    expect(front({ records: 1, bytes })).toEqual([ab]);
    expect(front({ records: 3, bytes })).toEqual([ab]);
    expect(front({ records: 4, bytes })).toEqual([ab, cd]);
    expect(front({ records: 5, bytes })).toEqual([ab, cd, e]);
    expect(front({ records: 500, bytes: 0 })).toEqual([ab]);
    expect(front({ records: 500, bytes: 4 * RECORD - 1 })).toEqual([ab]);
    expect(front({ records: 500, bytes: 4 * RECORD })).toEqual([ab, cd]);
    expect(front({ records: 500, bytes: 5 * RECORD })).toEqual([ab, cd, e]);
  });

  test("[CALL5] only the rows that were shipped are removed", () => {
    const { backlog, front } = setup();
    for (const ids of ["ab", "cd", "e"]) backlog.append([...ids].map((id) => record(id)));
    backlog.remove([]);
    expect(front()).toHaveLength(3);
    backlog.remove(backlog.front({ records: 4, bytes: ALL.bytes }));
    expect(front()).toEqual([["e"]]);
    // A second answer to the same statement.
    backlog.remove([]);
    expect(front()).toEqual([["e"]]);
  });
});
