import { SqliteStorage } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareUtf8 } from "../../src/identity/utf8-order.ts";
import type { TurnStore } from "../../src/partition/turns/turn-store.ts";
import { Harness, key, naive, pages, range, text, utf8 } from "./turn-store-fixture.ts";

describe("compareUtf8", () => {
  test("orders like the bytes of UTF-8, for all unicode", () => {
    const any = fc.oneof(text, fc.string({ unit: "binary", maxLength: 6 }));
    fc.assert(
      fc.property(any, any, (left, right) => {
        expect(Math.sign(compareUtf8(left, right))).toBe(utf8(left, right));
        expect(Math.sign(compareUtf8(left, left + right))).toBe(right === "" ? 0 : -1);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ["\uffff", "\u{10000}"],
    ["\ue000", "😀"],
    ["😀", "😁"],
    ["", "\u0000"],
    ["a", "aa"],
    ["\ud7ff", "\ue000"],
  ])("%j comes before %j", (left, right) => {
    expect(compareUtf8(left, right)).toBeLessThan(0);
    expect(compareUtf8(right, left)).toBeGreaterThan(0);
  });

  test("is the order SQLite uses", () => {
    const storage = new SqliteStorage();
    storage.query("CREATE TABLE t (k TEXT PRIMARY KEY) WITHOUT ROWID");
    const keys = new Set(fc.sample(key, 200));
    for (const name of keys) storage.query("INSERT INTO t VALUES (?)", name);
    const stored = storage.query<{ k: string }>("SELECT k FROM t ORDER BY k").map((row) => row.k);
    expect([...keys].sort(compareUtf8)).toEqual(stored);
  });
});

describe("TurnStore", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("put" as const), key, value: fc.integer() }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("delete" as const), key }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("get" as const), key }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("list" as const), range }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constantFrom("publish" as const, "roll back" as const, "commit" as const) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom("wipe" as const, "nest" as const, "keep" as const, "drop" as const) }),
    },
  );

  test("[TURN2] [OBJ8] a turn sees its own writes over finished turns over the database, in order, like a sorted map", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const harness = new Harness();
        let committed = new Map<string, unknown>();
        let model = new Map<string, unknown>();
        let outer: { store: TurnStore; model: Map<string, unknown> } | undefined;
        /** Ends the inner turn, if there is one: its rows become the outer turn's, or never were. */
        const leave = (keep: boolean) => {
          if (outer === undefined) return;
          if (keep) outer.store.absorb(harness.store.writes);
          else model = outer.model;
          harness.store = outer.store;
          outer = undefined;
        };
        for (const next of steps) {
          const { store } = harness;
          if (next.do === "put") {
            store.put(next.key, next.value);
            model.set(next.key, next.value);
          } else if (next.do === "delete") {
            expect(store.delete(next.key)).toBe(model.delete(next.key));
          } else if (next.do === "get") {
            expect(store.get(next.key)).toBe(model.get(next.key));
          } else if (next.do === "list") {
            expect(store.list(next.range)).toEqual(naive(model, next.range));
            expect(pages(store, next.range)).toEqual(naive(model, { ...next.range, limit: 1_000 }));
          } else if (next.do === "nest") {
            leave(true);
            outer = { store: harness.store, model: new Map(model) };
            harness.store = harness.open(harness.store);
          } else if (next.do === "keep" || next.do === "drop") leave(next.do === "keep");
          else if (next.do === "commit") harness.commit.flush();
          else {
            leave(true);
            if (next.do === "publish") committed = new Map(model);
            if (next.do === "wipe") committed = new Map();
            if (next.do === "publish") harness.publish();
            else if (next.do === "wipe") harness.wipe();
            else harness.rollBack();
            model = new Map(committed);
          }
        }
        leave(true);
        harness.publish();
        harness.commit.flush();
        const stored = harness.storage.query(
          "SELECT key, value FROM rows WHERE position = 7 AND type = 'T' AND id = 'a'",
        );
        expect(stored.map(({ key: name, value }) => ({ key: name, value: JSON.parse(value as string) }))).toEqual(
          naive(model, {}),
        );
        expect(
          harness.storage.query("SELECT count(*) AS n FROM rows WHERE id <> 'a' OR position <> 7 OR type <> 'T'"),
        ).toEqual([{ n: 9 }]);
      }),
      { numRuns: 100 },
    );
  });

  test("[OBJ3] values are copies, in and out", () => {
    const { store } = new Harness();
    const value = { list: [1] };
    store.put("k", value);
    value.list.push(2);
    const read = store.get<typeof value>("k");
    expect(read).toEqual({ list: [1] });
    read?.list.push(3);
    expect(store.list()).toEqual([{ key: "k", value: { list: [1] } }]);
  });

  test("a stored null is a row; a missing one is undefined", () => {
    const { store } = new Harness();
    store.put("k", null);
    expect([store.get("k"), store.get("other")]).toEqual([null, undefined]);
    expect(store.list()).toEqual([{ key: "k", value: null }]);
    expect([store.delete("k"), store.delete("k")]).toEqual([true, false]);
  });

  test("lists 1,000 rows unless told otherwise, at most 10,000", () => {
    const { store } = new Harness();
    for (let index = 0; index < 1_100; index++) store.put(String(index).padStart(5, "0"), index);
    expect(store.list()).toHaveLength(1_000);
    expect(store.list({ limit: 10_000 })).toHaveLength(1_100);
    for (const limit of [0, -1, 1.5, 10_001, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => store.list({ limit }), String(limit)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
  });

  test.each([
    ["both lower bounds", { start: "a", startAfter: "b" }],
    ["a cursor of nothing", { cursor: "" }],
    ["a cursor of the other direction", { cursor: ">a", reverse: true }],
    ["a cursor of its own", { cursor: "a" }],
    ["a bound that is no text", { end: 5 as unknown as string }],
  ])("refuses a range: %s", (_, bad) => {
    const { store } = new Harness();
    expect(() => store.page(bad)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });

  test("[OBJ8] the database reads the rows of a range and no others", () => {
    const harness = new Harness();
    for (const range of [{ prefix: "b" }, { startAfter: "b", end: "c", reverse: true }]) {
      const plans: string[] = [];
      harness.storage.onQuery = (sql) => {
        if (sql.startsWith("SELECT key, value")) plans.push(sql);
      };
      harness.store.list(range);
      harness.storage.onQuery = undefined;
      const sql = plans[0] as string;
      const parameters = Array.from({ length: sql.split("?").length - 1 }, () => "b");
      const [plan] = harness.storage.query<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...parameters);
      expect(plan?.detail).toContain("(position=? AND type=? AND id=? AND key>? AND key<?)");
    }
  });

  test.each([
    ["empty", ""],
    ["513 bytes", "a".repeat(513)],
    ["513 bytes of UTF-8", `${"é".repeat(256)}a`],
    ["NUL", "a\u0000"],
    ["half a pair", "\ud800"],
    ["not a text", 5 as unknown as string],
  ])("[TURN9] refuses a key: %s", (_, bad) => {
    const { store } = new Harness();
    for (const action of [() => store.get(bad), () => store.put(bad, 1), () => store.delete(bad)]) {
      expect(action).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
    expect(store.writes.size).toBe(0);
  });

  test("[TURN9] takes keys of 512 bytes", () => {
    const { store } = new Harness();
    for (const fine of ["a".repeat(512), "é".repeat(256), "😀".repeat(128)]) {
      store.put(fine, 1);
      expect(store.get(fine)).toBe(1);
    }
  });

  test("[TURN9] a value's limit is exact, in bytes of JSON; nothing is stored beyond it", () => {
    const { store } = new Harness(100);
    store.put("k", "é".repeat(49));
    expect(() => store.put("k", `${"é".repeat(49)}a`)).toThrow(expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" }));
    expect(store.get("k")).toBe("é".repeat(49));
  });

  test("[TURN9] one turn can't hold more than 8 MiB of new rows", () => {
    const { store } = new Harness(2_000_000);
    for (let index = 0; index < 8; index++) store.put(`k${index}`, "x".repeat(1_000_000));
    expect(() => store.put("k8", "x".repeat(1_000_000))).toThrow(
      expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" }),
    );
    expect(store.list().map((row) => row.key)).not.toContain("k8");
  });

  test.each([
    ["NaN", Number.NaN],
    ["a date", new Date(0)],
    ["a function", () => 1],
    ["bigint", 1n],
  ])("[OBJ2] refuses a value that is not JSON: %s", (_, value) => {
    const { store } = new Harness();
    expect(() => store.put("k", { deep: value })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining("deep") }),
    );
  });

  test("[TURN1] a readonly turn can read and not write", () => {
    const harness = new Harness();
    harness.store.put("k", 1);
    harness.publish();
    harness.mutable = false;
    expect(harness.store.get("k")).toBe(1);
    expect(harness.store.list()).toHaveLength(1);
    for (const action of [() => harness.store.put("k", 2), () => harness.store.delete("k")])
      expect(action).toThrow(TypeError);
    expect(harness.store.writes.size).toBe(0);
  });
});
