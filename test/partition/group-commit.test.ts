import { describe, expect, test } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import type { BulkWrite } from "../../src/partition/storage/commit-batch.ts";
import { groupCommit, Thing } from "./commit-fixture.ts";

const gone = new EdgeverseError("UNAVAILABLE", "gone");

describe("[TURN4] a group commit", () => {
  test("writes what finishes close together in one transaction, each object once, and tells all of it", async () => {
    const { storage, clock, told, commit, publish, objects, say } = groupCommit();
    const [a, b] = [new Thing("a"), new Thing("b")];
    publish(a);
    a.text = '{"n":2}';
    publish(a);
    publish(b);
    commit.settled(null, say("all"));
    expect([a.dirty, storage.transactions, told]).toEqual([true, 0, []]);
    await clock.advance(0);
    expect(objects()).toEqual([
      { id: "a", state: '{"n":2}', created: 1_000, updated: 1_000 },
      { id: "b", state: "{}", created: 1_000, updated: 1_000 },
    ]);
    expect(told).toEqual(["a", "a", "b", "all"]);
    expect([storage.transactions, commit.stats]).toEqual([1, { commits: 1, joined: 4, failures: 0 }]);
    expect([a.dirty, b.dirty]).toEqual([false, false]);
  });

  test("writes an object again when it has changed again, and not otherwise", async () => {
    const { clock, publish, objects } = groupCommit();
    const a = new Thing("a");
    publish(a);
    await clock.advance(5);
    publish(new Thing("b"));
    await clock.advance(5);
    a.text = "[]";
    publish(a);
    await clock.advance(0);
    expect(objects()).toEqual([
      { id: "a", state: "[]", created: 1_000, updated: 1_010 },
      { id: "b", state: "{}", created: 1_005, updated: 1_005 },
    ]);
  });

  test("tells nobody before the storage says that it is durable", async () => {
    const { storage, clock, told, ids, publish } = groupCommit();
    let durable = () => {};
    storage.barrier = () => new Promise((resolve) => (durable = resolve));
    publish(new Thing("a"));
    await clock.advance(0);
    expect([ids(), told]).toEqual([["a"], []]);
    durable();
    await clock.advance(0);
    expect(told).toEqual(["a"]);
  });

  test("writes rows of a kind together, after the objects, and the partition's own rows in a transaction of their own", async () => {
    const { storage, clock, told, commit, say, publish, ids, note, notes } = groupCommit();
    const stored: unknown[] = [];
    const kind = (name: string): BulkWrite<number> => ({
      store: (rows) => void stored.push([name, rows, ids(), storage.transactions]),
    });
    const [odd, even] = [kind("odd"), kind("even")];
    const a = new Thing("a");
    commit.write(null, () => void stored.push(["own", ids(), storage.transactions]));
    for (const n of [1, 2, 3, 4]) commit.add(a, n % 2 === 0 ? even : odd, n);
    commit.write(a, note("write"));
    commit.settled(null, say("all"));
    publish(a);
    await clock.advance(0);
    expect(stored).toEqual([
      ["odd", [1, 3], ["a"], 1],
      ["even", [2, 4], ["a"], 1],
      ["own", ["a"], 2],
    ]);
    expect([notes(), told]).toEqual([["write"], ["all", "a"]]);
    await clock.advance(10);
    expect(stored).toHaveLength(3);
  });

  test.each<[string, (commit: ReturnType<typeof groupCommit>["commit"], write: () => void) => void]>([
    ["a row", (commit, write) => commit.add(new Thing("a"), { store: write }, 1)],
    ["an object's write", (commit, write) => commit.write(new Thing("a"), write)],
    ["the partition's own write", (commit, write) => commit.write(null, write)],
  ])("is due for %s alone", async (_name, add) => {
    const { clock, commit, note, notes } = groupCommit();
    add(commit, note("done"));
    await clock.advance(0);
    expect([notes(), commit.stats.commits]).toEqual([["done"], 1]);
  });

  test("[TURN10] reads from the storage for those who only wait", async () => {
    const { storage, clock, told, commit, say } = groupCommit();
    const statements: string[] = [];
    commit.settled(new Thing("a"), say("reader"));
    storage.onQuery = (sql) => statements.push(sql);
    await clock.advance(0);
    expect([told, statements.length, storage.transactions]).toEqual([["reader"], 1, 0]);
    expect(statements[0]).toMatch(/^SELECT/);
  });

  test("[TURN10] tells those who only wait if the storage can't be read", async () => {
    const { storage, clock, told, commit, failures, say, note, notes } = groupCommit();
    storage.onQuery = (sql) => {
      if (sql.startsWith("SELECT 1")) throw new Error("disk I/O error");
    };
    commit.settled(new Thing("a"), say("reader"));
    await clock.advance(0);
    expect(told).toEqual(["reader: COMMIT_REFUSED"]);
    commit.settled(new Thing("a"), say("again"));
    commit.write(null, note("own"));
    await clock.advance(0);
    expect(told).toEqual(["reader: COMMIT_REFUSED", "again: COMMIT_REFUSED"]);
    expect([notes(), failures]).toEqual([["own"], []]);
  });

  test("begins with what is prepared for it", async () => {
    const { clock, commit, publish, ids, told, say } = groupCommit();
    const late = new Thing("late");
    commit.beforeEach(() => {
      commit.changed(late);
      commit.settled(late, say("late"));
    });
    publish(new Thing("a"));
    await clock.advance(0);
    expect([ids(), told]).toEqual([
      ["a", "late"],
      ["a", "late"],
    ]);
    expect(commit.stats.commits).toBe(1);
  });

  test("resolves what awaits it, or rejects with the reason", async () => {
    const { clock, commit } = groupCommit();
    const good = commit.durable(null);
    await clock.advance(0);
    await expect(good).resolves.toBeUndefined();
    const bad = new Thing("bad", "POISON");
    commit.changed(bad);
    const refused = commit.durable(bad);
    refused.catch(() => undefined);
    await clock.advance(0);
    await expect(refused).rejects.toMatchObject({ code: "COMMIT_REFUSED" });
  });

  test("says what is settled: what is not dirty, and has seen nothing that is not committed", async () => {
    const { clock, commit } = groupCommit();
    const [a, b, c] = [new Thing("a"), new Thing("b"), new Thing("c")];
    const settled = () => [a, b, c].map((thing) => commit.isSettled(thing));
    commit.link(c, c);
    expect(settled()).toEqual([true, true, true]);
    commit.changed(a);
    expect(settled()).toEqual([false, true, true]);
    commit.link(a, b);
    expect(settled()).toEqual([false, false, true]);
    await clock.advance(0);
    expect(settled()).toEqual([true, true, true]);
    expect([a, b, c].map(({ unit }) => unit)).toEqual([undefined, undefined, undefined]);
  });
});

describe("a commit that is made at once", () => {
  test("is not made again at the end of its window, and the next one has its own", async () => {
    const { clock, commit, publish, ids, told } = groupCommit();
    commit.flush();
    expect(commit.stats.commits).toBe(0);
    publish(new Thing("a"));
    commit.flush();
    expect([ids(), told]).toEqual([["a"], []]);
    publish(new Thing("b"));
    await clock.advance(0);
    expect(told).toEqual(["a", "b"]);
    expect(commit.stats.commits).toBe(2);
  });

  test("leaves the commits that follow to their own time", () => {
    const { clock, commit, publish, ids } = groupCommit();
    const timers: (() => void)[] = [];
    clock.soon = (action) => void timers.push(action);
    publish(new Thing("a"));
    commit.flush();
    publish(new Thing("b"));
    expect(timers).toHaveLength(2);
    timers[0]?.();
    expect(ids()).toEqual(["a"]);
    timers[1]?.();
    expect(ids()).toEqual(["a", "b"]);
  });
});

describe("a commit that was discarded", () => {
  test("[TURN4] writes nothing more, and tells those who wait, now and later", async () => {
    const { storage, clock, told, commit, say, publish, ids, note, notes } = groupCommit();
    const a = new Thing("a");
    publish(a);
    commit.write(null, note("own"));
    commit.write(a, note("of a"));
    commit.discard(gone);
    expect(told).toEqual(["a: UNAVAILABLE"]);
    const b = new Thing("b");
    commit.changed(b);
    commit.write(null, note("late"));
    commit.write(b, note("late of b"));
    commit.add(b, { store: note("row") }, 1);
    commit.settled(b, say("b"));
    expect(told).toEqual(["a: UNAVAILABLE", "b: UNAVAILABLE"]);
    expect(() => commit.flush()).toThrow(gone);
    await clock.advance(10);
    expect([ids(), notes(), b.dirty, told.length]).toEqual([[], [], false, 2]);
    expect([storage.transactions, commit.stats.commits]).toEqual([0, 0]);
  });
});
