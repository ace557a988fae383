import { ManualClock, SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { invocation, messageCopy, overConnections, PLATFORM, subrequest } from "../../src/testing/platform-limits.ts";
import { Random } from "../../src/testing/simulation/random.ts";
import { SimTime } from "../../src/testing/simulation/sim-clock.ts";
import { SimDisk } from "../../src/testing/simulation/sim-storage.ts";
import { TestProcess } from "../../src/testing/test-process.ts";

const storages = {
  "the storage of a TestCluster": () => new SqliteStorage(),
  "the disk of the simulation": () => new SimDisk(new SimTime(), new Random(1)),
};

describe.each(Object.entries(storages))("%s", (_name, make) => {
  const table = () => {
    const storage = make();
    storage.query("CREATE TABLE t (id INTEGER PRIMARY KEY, one TEXT, other TEXT)");
    return storage;
  };
  const marks = (count: number) => Array(count).fill("?").join(", ");

  test("refuses a value or a row over 2 MB", () => {
    const storage = table();
    const insert = "INSERT INTO t (one, other) VALUES (?, ?)";
    storage.query(insert, "x".repeat(1_000_000), "y".repeat(990_000));
    expect(() => storage.query(insert, "x".repeat(PLATFORM.sqlite.length + 1), "")).toThrow("SQLITE_TOOBIG");
    expect(() => storage.query(insert, "x".repeat(1_000_000), "y".repeat(1_000_000))).toThrow("SQLITE_TOOBIG");
    // Made of values that would each fit.
    expect(() => storage.query("UPDATE t SET one = one || other || other")).toThrow("SQLITE_TOOBIG");
  });

  test("refuses more than 100 parameters, and a statement over 100 KB", () => {
    const storage = table();
    const of = (count: number) => storage.query(`SELECT 1 WHERE 1 IN (${marks(count)})`, ...Array(count).fill(1));
    expect(of(100)).toHaveLength(1);
    expect(() => of(101)).toThrow("too many SQL variables");
    const long = (bytes: number) => `SELECT 1 /*${"x".repeat(bytes - 13)}*/`;
    expect(storage.query(long(100_000))).toHaveLength(1);
    expect(() => storage.query(long(100_001))).toThrow("SQLITE_TOOBIG");
  });

  test("refuses what SQLite allows elsewhere: long patterns, many arguments, many UNIONs", () => {
    const storage = table();
    expect(() => storage.query("SELECT 'a' LIKE ?", "%".repeat(51))).toThrow("too complex");
    expect(() => storage.query(`SELECT json_array(${Array(33).fill(1)})`)).toThrow("too many arguments");
    expect(() => storage.query(Array(6).fill("SELECT 1").join(" UNION "))).toThrow("too many terms");
  });

  test("is full at its size: what would make it larger is refused, and deletes make room", () => {
    const storage = table();
    const insert = () => storage.transaction(() => storage.query("INSERT INTO t (one) VALUES (?)", "x".repeat(10_000)));
    for (let row = 0; row < 10; row++) insert();
    storage.maxSize = 100_000;
    expect(insert).toThrow("database or disk is full: SQLITE_FULL");
    expect(storage.query("SELECT count(*) AS rows FROM t")).toEqual([{ rows: 10 }]);
    storage.transaction(() => storage.query("UPDATE t SET one = ? WHERE id = 1", "y".repeat(10_000)));
    storage.transaction(() => storage.query("DELETE FROM t WHERE id < 5"));
    insert();
    expect(storage.query("SELECT count(*) AS rows FROM t")).toEqual([{ rows: 7 }]);
  });
});

describe("messages", () => {
  test("have at most 32 MiB, and arrive as copies", () => {
    const message = { text: "x".repeat(PLATFORM.messageBytes - 100), list: [1] };
    const copy = messageCopy(message);
    expect(copy).toEqual(message);
    expect(copy.list).not.toBe(message.list);
    expect(() => messageCopy({ text: "x".repeat(PLATFORM.messageBytes) })).toThrow("limited to 32MiB");
    expect(() => messageCopy({ act: () => 1 })).toThrow("could not be cloned");
  });

  test("to a process of a test cluster, and its answers, are limited so", async () => {
    const process = new TestProcess(new ManualClock(), new SqliteStorage(), () => undefined);
    const { twice } = process.serve({ twice: async (text: string) => text + text });
    const text = (megabytes: number) => "x".repeat(megabytes * 1_000_000);
    await expect(twice(text(1))).resolves.toHaveLength(2_000_000);
    await expect(twice(text(40))).rejects.toThrow("limited to 32MiB");
    await expect(twice(text(20))).rejects.toThrow("limited to 32MiB");
  });

  test("of one invocation are counted, through everything that it waits for", async () => {
    const send = async (count: number) => {
      for (let n = 0; n < count; n++) {
        if (n % 1_000 === 0) await Promise.resolve();
        subrequest();
      }
    };
    await invocation(() => send(PLATFORM.subrequests));
    await expect(invocation(() => send(PLATFORM.subrequests + 1))).rejects.toThrow("Too many subrequests");
  });
});

test("no more than six connections are open at once; the next one waits", async () => {
  const ends: (() => void)[] = [];
  const slow = overConnections({ query: () => new Promise<void>((resolve) => ends.push(resolve)) });
  const queries = Array.from({ length: 8 }, () => slow.query());
  await Promise.resolve();
  expect(ends).toHaveLength(6);
  for (let n = 0; n < 8; n++) {
    ends[n]?.();
    await queries[n];
  }
  expect(ends).toHaveLength(8);
});
