import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestCluster } from "edgeverse/testing";
import { afterAll, describe, expect, test } from "vitest";
import { Counter } from "../../examples/counter.ts";
import { migrateCoordinator } from "../../src/coordinator/tables.ts";
import { Backlog } from "../../src/partition/storage/backlog.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { readMeta } from "../../src/platform/meta.ts";
import { SqliteStorage } from "../../src/testing/sqlite-storage.ts";
import { unpackObjects } from "../support/old-data-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "edgeverse-schema-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TABLES = ["objects", "rows", "pending", "marks", "backlog", "shards", "changes"];

/** The tables and indexes of Edgeverse: each table's columns with their types and keys, each index's columns. */
function shape(storage: SqliteStorage): Record<string, unknown> {
  const indexes = storage.query<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'index' AND sql NOTNULL",
  );
  return Object.fromEntries([
    ...TABLES.map((name) => [
      name,
      storage.query(`SELECT name, type, "notnull", pk FROM pragma_table_info('${name}')`),
    ]),
    ...indexes.map(({ name }) => [name, storage.query(`SELECT name FROM pragma_index_info('${name}')`)]),
  ]);
}

describe("the database of a partition that commit 1a5850a wrote", () => {
  const databases = unpackObjects(folder)
    .filter((path) => path.includes("Partition") && !path.endsWith("metadata.sqlite"))
    .map((path) => ({ path, storage: new SqliteStorage(path) }))
    .map((database) => ({ ...database, name: readMeta(database.storage, "name") as string }))
    .sort((left, right) => left.name.localeCompare(right.name));

  test.each(databases)("$name comes to the present shape with all its rows, once", ({ storage }) => {
    const count = (tables: readonly string[]) =>
      tables.map((table) => storage.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)[0]?.n);
    const before = count(["objects", "rows", "calls", "shards", "changes"]);
    expect(readMeta(storage, "schema")).toBe("3");
    migrate(storage);
    migrate(storage);
    const fresh = new SqliteStorage();
    migrate(fresh);
    expect(shape(storage)).toEqual(shape(fresh));
    expect(readMeta(storage, "schema")).toBe(readMeta(fresh, "schema"));
    expect(count(["objects", "rows", "calls", "shards", "changes"])).toEqual(before);
  });

  test("open calls have the log policies' present names", () => {
    const open = databases.flatMap(({ storage }) => storage.query("SELECT call_id, log FROM calls WHERE open = 1"));
    expect(open.sort((left, right) => String(left["call_id"]).localeCompare(String(right["call_id"])))).toEqual([
      { call_id: "pending-1", log: "write-ahead" },
      { call_id: "pending-2", log: "write-behind" },
      { call_id: "pending-3", log: "write-behind" },
      { call_id: "pending-4", log: "write-behind" },
    ]);
  });

  test("outcomes that the log has not seen are its backlog, and marks; large ones as well", () => {
    const again = mkdtempSync(join(folder, "again-"));
    const path = unpackObjects(again).find(
      (file) => file.includes("Partition") && readMeta(new SqliteStorage(file), "name") === "p0",
    );
    const storage = new SqliteStorage(path);
    const request = JSON.stringify({ text: '"'.repeat(200_000) });
    storage.query("UPDATE calls SET open = 1, log = 'before', request = ? WHERE status <> 'pending'", request);
    const ended = storage.query("SELECT call_id, response FROM calls WHERE status <> 'pending' ORDER BY seq");
    expect(ended.length).toBeGreaterThan(1);
    migrate(storage);
    const backlog = new Backlog(storage);
    expect(backlog.size.records).toBe(ended.length);
    const records = backlog.front({ records: 500, bytes: 2 ** 30 }).flatMap((row) => row.records);
    expect(records.map(({ callId, response }) => ({ call_id: callId, response }))).toEqual(ended);
    for (const record of records) {
      expect(record).toMatchObject({ request, ahead: true, position: expect.any(Number) });
      expect(["success", "failed"]).toContain(record.status);
    }
    expect(storage.query("SELECT count(*) AS n FROM marks WHERE logged = 0")).toEqual([{ n: ended.length }]);
  });

  test("pages of calls are read in the order of their keys, without sorting all", () => {
    const storage = databases[0]?.storage as SqliteStorage;
    const plan = storage.query<{ detail: string }>(
      `EXPLAIN QUERY PLAN SELECT * FROM calls WHERE (position, type, id, call_id) > (1, '', '', '') AND position <= 9
       ORDER BY position, type, id, call_id LIMIT 32`,
    );
    expect(plan.map(({ detail }) => detail).join("; ")).toMatch(/MERGE.*SEARCH pending.*SEARCH marks/);
  });

  test("a copy under way names its rows by position, at both ends", () => {
    const copies = databases.flatMap(({ storage }) =>
      storage.query<{ state: string; copy: string }>("SELECT state, copy FROM shards WHERE copy NOTNULL"),
    );
    expect(copies.map(({ state, copy }) => [state, JSON.parse(copy)])).toEqual([
      [
        "incoming",
        expect.objectContaining({ cursor: { scan: expect.objectContaining({ position: 0xe0000000 }), change: 0 } }),
      ],
      ["leaving", expect.objectContaining({ scan: expect.objectContaining({ position: 0xe0000000 }) })],
    ]);
  });
});

test("a database that a newer version has changed is refused: nothing is read from it or written to it", async () => {
  const storage = new SqliteStorage();
  migrate(storage);
  storage.query("UPDATE meta SET value = '99' WHERE key = 'schema'");
  const made = new TestCluster({
    objects: [Counter],
    storageOf: (name) => (name === "p0" ? storage : new SqliteStorage()),
  });
  const refused = made.call("Counter", "a", "add", { by: 1 });
  await expect(refused).rejects.toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("schema 99") });
  expect(storage.query("SELECT * FROM objects")).toEqual([]);
  const coordinator = new SqliteStorage();
  migrateCoordinator(coordinator);
  coordinator.query("UPDATE meta SET value = '99' WHERE key = 'schema'");
  expect(() => migrateCoordinator(coordinator)).toThrow("schema 99");
});
