import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { CallTable } from "../../src/partition/calls/call-table.ts";
import { ChangeTracker } from "../../src/partition/storage/change-tracker.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { keyOfCall, type StoredCall } from "../../src/partition/storage/stored-call.ts";
import { NOW, pendingCall } from "./call-entry-fixture.ts";

const TICKS = 1_024;

function setup(logs = true) {
  const storage = new SqliteStorage();
  migrate(storage);
  const changes = new ChangeTracker(storage, () => 1);
  const time = { now: NOW };
  const fenced = new Set<number>();
  const open = () =>
    new CallTable(storage, {
      name: "p0",
      now: () => time.now,
      shardAt: (position) => position * 10,
      changes,
      fence: (position) => {
        if (fenced.has(position)) throw new Error("fenced");
      },
      logs,
    });
  const table = open();
  const ids = (name: string) =>
    storage.query(`SELECT call_id FROM ${name} ORDER BY call_id`).map((row) => row["call_id"]);
  return { storage, changes, time, fenced, open, table, ids };
}

/** The call with its outcome. */
function ended(call: StoredCall, changes: Partial<StoredCall> = {}, accepted = true) {
  const record = { ...call.record, status: "success", response: "1", finishedAt: NOW } as const;
  return { ...call, ...changes, record, accepted };
}

describe("[CALL4] the order of acceptance", () => {
  test("grows with the time, and within a millisecond", () => {
    const { table, time } = setup();
    expect([table.nextSeq(), table.nextSeq()]).toEqual([NOW * TICKS, NOW * TICKS + 1]);
    time.now++;
    expect(table.nextSeq()).toBe((NOW + 1) * TICKS);
    time.now -= 500;
    expect(table.nextSeq()).toBe((NOW + 1) * TICKS + 1);
  });

  test("goes on above the calls that are there, also those of a clock that was ahead", () => {
    const { table, open } = setup();
    table.accept([pendingCall("a", 9 * NOW * TICKS), pendingCall("b", 5), pendingCall("c", 6)]);
    const next = open();
    expect(next.pending().map(({ seq }) => seq)).toEqual([5, 6, 9 * NOW * TICKS]);
    expect(next.nextSeq()).toBe(9 * NOW * TICKS + 1);
    expect(next.pending({ first: 8, last: 9 })).toEqual([]);
    expect(next.nextSeq()).toBe(9 * NOW * TICKS + 2);
  });
});

describe("[CALL3] calls that have not ended", () => {
  test("are found by their key, with their shard by the present count", () => {
    const { table } = setup();
    const call = pendingCall("a", 1);
    table.accept([call]);
    expect(table.find(7, "T", "a", "a")).toEqual({ ...call, record: { ...call.record, shard: 70 } });
    const others = [table.find(8, "T", "a", "a"), table.find(7, "U", "a", "a")];
    others.push(table.find(7, "T", "b", "a"), table.find(7, "T", "a", "b"));
    expect(others).toEqual([undefined, undefined, undefined, undefined]);
  });

  test("are read in order, of all or of a range, without their requests, of which they say the size", () => {
    const { table } = setup();
    const [a, b, c] = [pendingCall("a", 3, { request: "123" }), pendingCall("b", 1, {}, 8), pendingCall("c", 2, {}, 9)];
    table.accept([a, b, c]);
    table.finish([ended(pendingCall("d", 4))]);
    const [first, ...rest] = table.pending({ first: 7, last: 8 }).toReversed();
    expect(first).toMatchObject({ seq: 3, bytes: 3, record: { callId: "a", request: null, shard: 70 } });
    expect(rest.map(({ record }) => record.callId)).toEqual(["b"]);
    expect(table.pending().map(({ record }) => record.callId)).toEqual(["b", "c", "a"]);
    expect([table.request(a), table.request(pendingCall("none", 1))]).toEqual(["123", null]);
    const keys = [a, b, pendingCall("d", 4), pendingCall("none", 1)].map(keyOfCall);
    expect(table.open(keys).map(({ record }) => [record.callId, record.request])).toEqual([
      ["b", b.record.request],
      ["a", "123"],
    ]);
  });

  test("[CALL12] that are parked are listed a page at a time, each with its size", () => {
    const { table } = setup();
    const parked = ["a", "b", "c"].map((id, n) =>
      pendingCall(id, n, { status: "parked", request: "x".repeat(n) }, 5 + n),
    );
    table.accept([...parked, pendingCall("open", 9, {}, 6)]);
    const page = table.parked(undefined, 2);
    expect(page).toEqual([
      { position: 5, type: "T", id: "a", callId: "a", bytes: 0 },
      { position: 6, type: "T", id: "a", callId: "b", bytes: 1 },
    ]);
    expect(table.parked([6, "T", "a", "b"], 2).map(({ callId }) => callId)).toEqual(["c"]);
  });

  test("[CALL2] change their attempts and their standing, and nothing else", () => {
    const { table } = setup();
    const [a, b] = [pendingCall("a", 1), pendingCall("b", 2)];
    table.accept([a, b]);
    const error = { code: "INTERNAL", message: "no", retryable: false } as const;
    const changed = { seq: 9, crashes: 2, record: { ...a.record, status: "parked", attempts: 5, error } } as const;
    table.update({ ...a, ...changed, record: { ...changed.record, request: "other", method: "other" } });
    const shard = 70;
    expect(table.find(7, "T", "a", "a")).toEqual({ ...a, ...changed, record: { ...changed.record, shard } });
    expect(table.find(7, "T", "a", "b")).toEqual({ ...b, record: { ...b.record, shard } });
  });

  test("[CALL12] change at once or not at all when an operator decides", () => {
    const { storage, table, changes } = setup();
    storage.query("INSERT INTO shards (shard, epoch, claimed, state) VALUES (0, 1, 0, 'leaving')");
    changes.begin(0, { first: 7, last: 7 });
    changes.scanned(0, [], null);
    const call = pendingCall("a", 1);
    const digest = () => changes.begin(0, { first: 7, last: 7 }).digest.rows;
    expect(() =>
      table.now(() => {
        table.accept([call]);
        throw new Error("no");
      }),
    ).toThrow("no");
    expect([table.pending(), digest()]).toEqual([[], 0]);
    table.now(() => table.accept([call]));
    expect([table.pending().length, digest()]).toEqual([1, 1]);
    expect(JSON.parse(String(storage.query("SELECT copy FROM shards")[0]?.["copy"]))).toMatchObject({
      digest: { rows: 1 },
    });
  });
});

describe("[CALL2] outcomes", () => {
  test("are marks; what was accepted before is pending no more", () => {
    const { table, ids } = setup();
    const [a, b, c] = [pendingCall("a", 1), pendingCall("b", 2), pendingCall("c", 3)];
    table.accept([a, c]);
    table.finish([ended(a), ended(b, {}, false)]);
    expect([ids("pending"), ids("marks")]).toEqual([["c"], ["a", "b"]]);
    expect(table.find(7, "T", "a", "b")?.record).toMatchObject({ status: "success", response: "1" });
  });

  test("look for no row of pending if there can be none", () => {
    const { storage, table } = setup();
    const statements: string[] = [];
    storage.onQuery = (sql) => statements.push(sql);
    table.finish([ended(pendingCall("b", 2), {}, false)]);
    expect(statements.filter((sql) => sql.startsWith("DELETE"))).toEqual([]);
  });

  test("[CALL6] are told to the log in their order, if there is one", () => {
    for (const logs of [true, false]) {
      const { table } = setup(logs);
      table.finish([ended(pendingCall("b", 2)), ended(pendingCall("a", 3), { log: "write-ahead" })]);
      const records = table.backlog.front({ records: 9, bytes: 9_999 }).flatMap((row) => row.records);
      expect(records.map(({ callId, ahead }) => [callId, ahead])).toEqual(
        logs
          ? [
              ["b", false],
              ["a", true],
            ]
          : [],
      );
      expect(table.logsFirst(pendingCall("x", 1))).toBe(false);
      expect(table.logsFirst({ ...pendingCall("x", 1), log: "write-ahead" })).toBe(logs);
    }
  });

  test("[CALL6] of a call that is written ahead are logged once the log has them", () => {
    const { storage, table, ids } = setup();
    const ahead = ["a", "b", "c"].map((id, n) => ended(pendingCall(id, n), { log: "write-ahead" }));
    // One that is written behind is told to its caller anyway.
    table.finish([...ahead.slice(0, 2), ended(pendingCall("d", 9))]);
    const rows = table.backlog.front({ records: 9, bytes: 9_999 });
    table.finish(ahead.slice(2));
    const logged = () =>
      storage.query("SELECT call_id AS id FROM marks WHERE logged = 1 ORDER BY id").map(({ id }) => id);
    expect(logged()).toEqual([]);
    table.shipped(rows);
    expect([logged(), table.backlog.size.records]).toEqual([["a", "b"], 1]);
    table.logged(ahead[2] as StoredCall);
    expect([logged(), ids("marks")]).toEqual([
      ["a", "b", "c"],
      ["a", "b", "c", "d"],
    ]);
  });

  test("[CALL6] leave the backlog and become logged together", () => {
    const { storage, table } = setup();
    table.finish([ended(pendingCall("a", 1), { log: "write-ahead" })]);
    const rows = table.backlog.front({ records: 9, bytes: 9_999 });
    storage.onQuery = (sql) => {
      if (sql.startsWith("UPDATE marks")) throw new Error("disk I/O error");
    };
    expect(() => table.shipped(rows)).toThrow("disk I/O error");
    storage.onQuery = undefined;
    table.backlog.arrived();
    expect(table.backlog.size.records).toBe(1);
  });
});

describe("[MIG2] calls of a shard that leaves", () => {
  test("are noted one by one, the others are written together", () => {
    const { storage, table, changes } = setup();
    storage.query("INSERT INTO shards (shard, epoch, claimed, state) VALUES (0, 1, 0, 'leaving')");
    changes.begin(0, { first: 7, last: 7 });
    changes.scanned(0, [], null);
    const here = [pendingCall("a", 1), pendingCall("b", 2)];
    const stays = [pendingCall("c", 3, {}, 8), pendingCall("d", 4, {}, 9)];
    table.accept([...stays, ...here]);
    table.finish(here.map((call) => ended(call)));
    expect(storage.query("SELECT key FROM changes ORDER BY key").map(({ key }) => key)).toEqual(["a", "b"]);
    expect(changes.begin(0, { first: 7, last: 7 }).digest.rows).toBe(2);
    table.update({ ...(stays[0] as StoredCall), crashes: 1 });
    expect(storage.query("SELECT count(*) AS n FROM changes")).toEqual([{ n: 2 }]);
  });

  test("[OWN1] are not written once it has left", () => {
    const { table, fenced, ids } = setup();
    fenced.add(8);
    const calls = [pendingCall("a", 1), pendingCall("b", 2, {}, 8)];
    expect(() => table.accept(calls)).toThrow("fenced");
    expect(() => table.finish(calls.map((call) => ended(call)))).toThrow("fenced");
    expect([ids("pending"), ids("marks")]).toEqual([[], []]);
  });
});
