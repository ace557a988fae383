import { env, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { Metered, meterStorage, read, reset } from "../../bench/cost/meter.ts";
import { DurableStorage } from "../../durable/durable-storage.ts";
import { clock } from "../../durable/platform.ts";
import { CallTable } from "../../src/partition/calls/call-table.ts";
import { ChangeTracker } from "../../src/partition/storage/change-tracker.ts";
import { ObjectWriter } from "../../src/partition/storage/object-writer.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import type { StoredCall } from "../../src/partition/storage/stored-call.ts";
import type { UnsavedObject } from "../../src/partition/storage/unsaved-object.ts";
import { callRecord } from "../support/call-records.ts";

test("the meter counts what SQLite in workerd counts: rows of indexes too, deletes, and alarms", async () => {
  await runInDurableObject(env.PARTITION.getByName("metered"), async (_, { storage }) => {
    const metered = new Metered("PARTITION", "metered");
    meterStorage(storage, metered);
    const written = (query: string) => {
      reset();
      storage.sql.exec(query).toArray();
      return read().rowsWritten;
    };
    storage.sql.exec("CREATE TABLE plain (id TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID");
    storage.sql.exec("CREATE TABLE indexed (id TEXT PRIMARY KEY, value TEXT)");
    expect(written("INSERT INTO plain VALUES ('a', 'x')")).toBe(1);
    expect(written("INSERT INTO indexed VALUES ('a', 'x')")).toBe(2);
    expect(written("UPDATE plain SET value = 'y'")).toBe(1);
    expect(written("DELETE FROM plain WHERE id = 'nobody'")).toBe(0);
    expect(written("DELETE FROM plain")).toBe(1);
    reset();
    await storage.setAlarm(Date.now() + 60_000);
    expect(read()).toMatchObject({ alarms: 1, rowsWritten: 1 });
    expect(metered.due).toBeLessThan(Number.POSITIVE_INFINITY);
  });
});

test("[CALL16] a call that goes well costs its row and its mark, and its history nothing", async () => {
  await runInDurableObject(env.PARTITION.getByName("told"), async (_, { storage: durable }) => {
    meterStorage(durable, new Metered("PARTITION", "told"));
    const storage = new DurableStorage(durable);
    migrate(storage);
    const changes = new ChangeTracker(storage, () => 0);
    const fence = () => undefined;
    const table = new CallTable(storage, { name: "p0", now: () => 5, shardAt: () => 1, changes, fence, logs: false });
    const costs = (call: StoredCall) => {
      reset();
      table.accept([{ ...call, record: { ...call.record, status: "pending", finishedAt: null, response: null } }]);
      table.finish([{ ...call, accepted: true }]);
      return read().rowsWritten;
    };
    const call = {
      seq: 1,
      position: 1,
      log: "write-behind",
      crashes: 0,
      logged: true,
      record: callRecord({}),
    } as const;
    const smooth = costs(call);
    expect(smooth).toBe(3);
    expect(costs(table.noted({ ...call, record: callRecord({}) }, "faulted"))).toBe(smooth);
    const kept = storage.query("SELECT history FROM marks WHERE history NOTNULL").map(({ history }) => history);
    expect(kept).toEqual(['[{"at":5,"what":"faulted","attempt":1,"by":"p0"}]']);
  });
});

test("[IDX1] SQLite in workerd keeps index entries with their objects: a row each, and none of types without indexes", async () => {
  await runInDurableObject(env.PARTITION.getByName("indexed"), async (_, { storage: durable }) => {
    meterStorage(durable, new Metered("PARTITION", "indexed"));
    const storage = new DurableStorage(durable);
    migrate(storage);
    const lot = (id: string, entries: string | undefined) =>
      ({
        position: 1,
        id,
        definition: { type: "Lot" },
        exists: true,
        text: "{}",
        version: 1,
        entries,
      }) as UnsavedObject;
    const writer = new ObjectWriter({
      storage,
      clock,
      changes: new ChangeTracker(storage, () => 0),
      fence: () => undefined,
    });
    const written = (work: () => void) => {
      reset();
      work();
      return read().rowsWritten;
    };
    const store = (entries: string | undefined, id = "a") => written(() => writer.store([lot(id, entries)]));
    expect(store(undefined, "plain")).toBe(1);
    expect(store('["1",["open",1,1],["price",2,12]]')).toBe(3);
    expect(store('["1",["open",1,1],["price",2,12]]')).toBe(1);
    // The old value's entry and the new one's.
    expect(store('["1",["open",1,1],["price",2,13]]')).toBe(3);
    const rows = () => storage.query("SELECT name, rank, value, id FROM index_entries");
    expect(rows()).toEqual([
      { name: "open", rank: 1, value: 1, id: "a" },
      { name: "price", rank: 2, value: 13, id: "a" },
    ]);
    expect(written(() => storage.query("DELETE FROM objects"))).toBe(4);
    expect(rows()).toEqual([]);
  });
});
