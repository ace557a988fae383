import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { BulkInsert } from "../../src/partition/storage/bulk-insert.ts";
import { JsonBatch } from "../../src/partition/storage/json-batch.ts";

const KIB = 1024;

describe("BulkInsert", () => {
  function setup(onConflict?: string) {
    const storage = new SqliteStorage();
    storage.query("CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT, n INTEGER)");
    const statements: string[] = [];
    storage.onQuery = (sql) => statements.push(sql);
    const insert = new BulkInsert("notes", ["id", "text", "n"], onConflict);
    const stored = () => storage.query("SELECT id, text, n FROM notes ORDER BY id");
    return { storage, statements, insert, stored };
  }

  test("stores small rows with one statement, as they are", () => {
    const { storage, statements, insert, stored } = setup();
    insert.store(storage, [
      ["a", 'it\'s\n"é😀"', 1],
      ["b", null, -2.5],
      ["c", "", null],
    ]);
    expect(statements).toHaveLength(1);
    expect(stored()).toEqual([
      { id: "a", text: 'it\'s\n"é😀"', n: 1 },
      { id: "b", text: null, n: -2.5 },
      { id: "c", text: "", n: null },
    ]);
  });

  test("runs no statement without rows", () => {
    const { storage, statements, insert } = setup();
    insert.store(storage, []);
    expect(statements).toEqual([]);
  });

  test("stores a row of more than 32 Ki characters alone: its escapes need no room then", () => {
    const { storage, statements, insert, stored } = setup();
    const fits = "x".repeat(32 * KIB - 1);
    const large = '"'.repeat(32 * KIB);
    insert.store(storage, [
      ["a", fits, 1],
      ["b", large, 2],
      ["c", fits, 3],
    ]);
    expect(statements).toHaveLength(2);
    expect(statements[0]).toContain("VALUES (?, ?, ?)");
    expect(statements[1]).toContain("json_each");
    expect(stored()).toEqual([
      { id: "a", text: fits, n: 1 },
      { id: "b", text: large, n: 2 },
      { id: "c", text: fits, n: 3 },
    ]);
  });

  test("says what becomes of rows that are there, many or alone", () => {
    const { storage, insert, stored } = setup("ON CONFLICT (id) DO UPDATE SET n = notes.n + excluded.n");
    const large = "x".repeat(40 * KIB);
    insert.store(storage, [
      ["a", "", 1],
      ["b", large, 1],
    ]);
    insert.store(storage, [
      ["a", "", 5],
      ["b", large, 5],
    ]);
    expect(stored().map(({ n }) => n)).toEqual([6, 6]);
  });
});

describe("JsonBatch", () => {
  /** The lists that are stored of these rows. */
  function lists(rows: readonly (string | number | null)[][]): unknown[] {
    const stored: unknown[] = [];
    const batch = new JsonBatch((list) => stored.push(JSON.parse(list)));
    for (const row of rows) batch.add(row);
    batch.flush();
    batch.flush();
    return stored;
  }

  test("keeps the order, and stores nothing if there is nothing", () => {
    expect(lists([])).toEqual([]);
    expect(lists([["a", 1], ["b", null], []])).toEqual([[["a", 1], ["b", null], []]]);
  });

  test("[TURN4] begins a new list before one that could take more than 1 MiB of UTF-8", () => {
    // Four bytes of brackets and quotes.
    const third = (MIB: number) => ["x".repeat(MIB / 3 - 4)];
    const half = third((1024 * KIB) / 2 - 1);
    expect(lists([half, half, half])).toEqual([[half, half], [half]]);
    const more = ["x".repeat((1024 * KIB) / 6)];
    expect(lists([more, more])).toEqual([[more], [more]]);
    const alone = third(3 * 1024 * KIB);
    expect(lists([["a"], alone, ["b"]])).toEqual([[["a"]], [alone], [["b"]]]);
  });
});
