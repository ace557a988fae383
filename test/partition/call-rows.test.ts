import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { Backlog } from "../../src/partition/storage/backlog.ts";
import {
  BY_KEY,
  type CallRow,
  clearCall,
  fromRow,
  storeMarks,
  storePending,
} from "../../src/partition/storage/call-rows.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { insertRows } from "../../src/partition/storage/shard-rows.ts";
import { keyOfCall, type StoredCall } from "../../src/partition/storage/stored-call.ts";
import { callRecord } from "../support/call-records.ts";
import { callRow } from "./moved-call-fixture.ts";

const SHARD = 5;
const error = { code: "INTERNAL", message: "no", retryable: false } as const;

const pending: StoredCall = {
  seq: 11,
  position: 7,
  log: "write-ahead",
  crashes: 2,
  logged: false,
  record: callRecord({
    callId: "c",
    shard: SHARD,
    status: "pending",
    response: null,
    error,
    caller: '{"kind":"system"}',
    traceId: "t",
    attempts: 3,
    epoch: 4,
    finishedAt: null,
    expiresAt: 99,
  }),
};
const bare: StoredCall = {
  ...pending,
  log: "write-behind",
  record: {
    ...pending.record,
    callId: "bare",
    request: null,
    error: null,
    caller: null,
    traceId: null,
    expiresAt: null,
  },
};
const ended: StoredCall = {
  ...pending,
  logged: true,
  record: { ...pending.record, callId: "e", status: "failed", response: "1", finishedAt: 70 },
};

function setup() {
  const storage = new SqliteStorage();
  migrate(storage);
  const read = (call: StoredCall) => {
    const rows = storage.query<CallRow>(`SELECT * FROM calls WHERE ${BY_KEY}`, ...keyOfCall(call));
    return rows.map((row) => fromRow(row, SHARD));
  };
  const count = (table: string) => storage.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)[0]?.n;
  return { storage, read, count };
}

describe("the row of a call", () => {
  test("[CALL2] that has not ended is read as it was stored, with the size of its request", () => {
    const { storage, read } = setup();
    storePending(storage, [pending, bare]);
    expect([read(pending), read(bare)]).toEqual([[pending], [bare]]);
    expect(storage.query("SELECT bytes, error FROM pending ORDER BY call_id DESC")).toEqual([
      { bytes: pending.record.request?.length, error: JSON.stringify(error) },
      { bytes: 0, error: null },
    ]);
  });

  test("[CALL2] that has ended is a mark: what was asked, and by whom, is the log's", () => {
    const { storage, read } = setup();
    const other: StoredCall = { ...ended, logged: false, record: { ...ended.record, callId: "o", error: null } };
    storeMarks(storage, [ended, other], { whole: false });
    const left = { request: null, caller: null, traceId: null, expiresAt: null };
    for (const call of [ended, other]) {
      const mark = { ...call, log: "write-behind", crashes: 0, record: { ...call.record, ...left } };
      expect(read(call)).toEqual([mark]);
    }
  });

  test("[CALL14] that has ended is a whole mark where the log is local", () => {
    const { storage, read } = setup();
    storeMarks(storage, [ended], { whole: true });
    expect(read(ended)).toEqual([{ ...ended, log: "write-behind", crashes: 0 }]);
  });

  test("goes, and no other", () => {
    const { storage, read, count } = setup();
    storePending(storage, [pending, bare]);
    storeMarks(storage, [ended], { whole: false });
    clearCall(storage, keyOfCall(pending));
    expect([read(pending), count("pending"), count("marks")]).toEqual([[], 1, 1]);
    clearCall(storage, keyOfCall(ended));
    expect([read(bare), count("pending"), count("marks")]).toEqual([[bare], 1, 0]);
  });
});

describe("[MIG3] a call that moves here", () => {
  test("is stored as what it is: pending or parked, else a mark", () => {
    const { storage, count } = setup();
    insertRows(
      storage,
      ["pending", "parked", "success", "failed", "expired"].map((status) =>
        callRow({ position: 7, id: status, status }),
      ),
    );
    expect(storage.query("SELECT status, bytes FROM pending ORDER BY status")).toEqual([
      { status: "parked", bytes: 7 },
      { status: "pending", bytes: 7 },
    ]);
    expect(storage.query("SELECT status FROM marks ORDER BY status").map(({ status }) => status)).toEqual([
      "expired",
      "failed",
      "success",
    ]);
    expect(count("backlog")).toBe(0);
  });

  test("without a request counts none", () => {
    const { storage } = setup();
    insertRows(storage, [callRow({ position: 7, id: "a", status: "pending", request: null })]);
    expect(storage.query("SELECT bytes, request FROM pending")).toEqual([{ bytes: 0, request: null }]);
  });

  test("[CALL6] has been logged or not, as its last owner knew", () => {
    const { storage } = setup();
    insertRows(storage, [callRow({ position: 7, id: "a", shipped: 1 }), callRow({ position: 7, id: "b", shipped: 0 })]);
    expect(storage.query("SELECT id, logged FROM marks ORDER BY id")).toEqual([
      { id: "a", logged: 1 },
      { id: "b", logged: 0 },
    ]);
  });

  test("[CALL6] from older code, with an outcome that the log has not seen, is told to it from here", () => {
    const { storage } = setup();
    const open = { open: 1, shipped: 0, request: '{"n":1}', caller: '{"kind":"system"}' };
    insertRows(storage, [
      callRow({ position: 7, id: "ahead", ...open, log: "write-ahead" }),
      callRow({ position: 7, id: "behind", ...open }),
      callRow({ position: 7, id: "told" }),
      callRow({ position: 7, id: "unknown", ...open, finished: null }),
    ]);
    expect(storage.query("SELECT id, logged, finished FROM marks ORDER BY id")).toEqual([
      { id: "ahead", logged: 0, finished: 60 },
      { id: "behind", logged: 1, finished: 60 },
      { id: "told", logged: 1, finished: 60 },
      { id: "unknown", logged: 1, finished: 50 },
    ]);
    const records = new Backlog(storage).front({ records: 9, bytes: 9_999 }).flatMap((row) => row.records);
    expect(records.map(({ id, ahead, request, status }) => [id, ahead, request, status])).toEqual([
      ["ahead", true, '{"n":1}', "success"],
      ["behind", false, '{"n":1}', "success"],
      ["unknown", false, '{"n":1}', "success"],
    ]);
  });
});
