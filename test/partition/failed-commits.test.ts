import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { groupCommit, Thing } from "./commit-fixture.ts";

describe("[TURN4] a commit that fails", () => {
  test("is split until each part that fails is alone: it is refused, the rest is stored", async () => {
    const { clock, told, commit, refused, failures, publish, ids } = groupCommit();
    const things = ["a", "b", "c", "d", "e"].map((id) => new Thing(id, "bd".includes(id) ? "POISON" : "{}"));
    for (const thing of things) publish(thing);
    await clock.advance(0);
    expect(ids()).toEqual(["a", "c", "e"]);
    expect(told).toEqual(["refused", "b: COMMIT_REFUSED", "d: COMMIT_REFUSED", "a", "c", "e"]);
    expect(refused.map((members) => [...members.keys()])).toEqual([[things[1], things[3]]]);
    expect([...(refused[0]?.values() ?? [])].map(({ code }) => code)).toEqual(["COMMIT_REFUSED", "COMMIT_REFUSED"]);
    expect([failures, commit.stats]).toEqual([[], { commits: 1, joined: 5, failures: 1 }]);
    expect(things.map(({ dirty }) => dirty)).toEqual([false, false, false, false, false]);
  });

  test("is tried again even if there is one part: what failed may be over", async () => {
    const { storage, clock, told, refused, publish, ids } = groupCommit();
    let failing = 1;
    const transaction = storage.transaction.bind(storage);
    storage.transaction = (action) => {
      if (failing-- > 0) throw new Error("busy");
      return transaction(action);
    };
    publish(new Thing("a"));
    await clock.advance(0);
    expect([ids(), told, refused]).toEqual([["a"], ["a"], []]);
  });

  test("refuses no part for what has failed in passing while another was split off", async () => {
    const { storage, clock, told, publish, ids } = groupCommit();
    let tried = 0;
    const transaction = storage.transaction.bind(storage);
    storage.transaction = (action) => {
      if (++tried === 2) throw new Error("disk I/O error");
      return transaction(action);
    };
    publish(new Thing("good"));
    publish(new Thing("bad", "POISON"));
    await clock.advance(0);
    expect([ids(), told]).toEqual([["good"], ["refused", "bad: COMMIT_REFUSED", "good"]]);
  });

  test("is tried in halves: few transactions for one part among many", async () => {
    const { storage, clock, told, publish, ids } = groupCommit();
    for (let n = 0; n < 64; n++) publish(new Thing(`o${n}`, n === 40 ? "POISON" : "{}"));
    await clock.advance(0);
    expect(ids()).toHaveLength(63);
    expect(told.filter((name) => name.includes("REFUSED"))).toEqual(["o40: COMMIT_REFUSED"]);
    // The whole, two for each halving, once more alone, and two looks whether the storage is in trouble.
    expect(storage.transactions).toBe(1 + 2 * 6 + 1 + 2);
  });

  test("takes with it who has seen what was refused, also one that has written nothing", async () => {
    const { clock, told, commit, refused, publish, ids, say, note, notes } = groupCommit();
    const [bad, seen, reader, other] = [new Thing("bad", "POISON"), new Thing("seen"), new Thing("r"), new Thing("o")];
    publish(bad);
    publish(seen);
    publish(other);
    commit.write(reader, note("reader"));
    commit.write(other, note("other"));
    commit.settled(reader, say("reader"));
    commit.settled(null, say("all"));
    const silent = new Thing("silent");
    commit.link(bad, seen);
    commit.link(silent, reader);
    commit.link(reader, seen);
    await clock.advance(0);
    expect([ids(), notes()]).toEqual([["o"], ["other"]]);
    expect(told.slice(0, 4)).toEqual([
      "refused",
      "bad: COMMIT_REFUSED",
      "seen: COMMIT_REFUSED",
      "reader: COMMIT_REFUSED",
    ]);
    expect(told.slice(4).sort()).toEqual(["all", "o"]);
    expect(new Set(refused[0]?.keys())).toEqual(new Set([bad, seen, reader, silent]));
  });

  test("refuses a row that belongs to an object with the object", async () => {
    const { clock, told, commit, refused, ids, say, notes } = groupCommit();
    const a = new Thing("a");
    commit.changed(a);
    commit.write(a, () => {
      throw new Error("bad row");
    });
    commit.settled(a, say("a"));
    const caller = new Thing("caller");
    commit.settled(caller, say("caller"));
    await clock.advance(0);
    expect([ids(), notes(), told]).toEqual([[], [], ["refused", "a: COMMIT_REFUSED", "caller"]]);
    expect([...(refused[0]?.keys() ?? [])]).toEqual([a]);
  });

  test("refuses a row whose owner nobody waits for", async () => {
    const { clock, commit, refused } = groupCommit();
    const a = new Thing("a");
    commit.write(a, () => {
      throw new Error("bad row");
    });
    await clock.advance(0);
    expect(refused.map((members) => [...members.keys()])).toEqual([[a]]);
  });

  test("refuses an object that nobody waits for, and those who only wait if the storage takes nothing", async () => {
    const { storage, clock, commit, refused, told, say } = groupCommit();
    const [a, reader] = [new Thing("a"), new Thing("reader")];
    commit.changed(a);
    commit.settled(reader, say("reader"));
    storage.failing = new Error("disk I/O error");
    await clock.advance(0);
    expect(new Set(refused[0]?.keys())).toEqual(new Set([a, reader]));
    expect(told).toEqual(["refused", "reader: UNAVAILABLE"]);
  });

  test("takes with it all that are linked, whichever of them came first", async () => {
    const { clock, commit, refused, publish } = groupCommit();
    const [bad, a, b, c] = [new Thing("bad", "POISON"), new Thing("a"), new Thing("b"), new Thing("c")];
    commit.link(a, b);
    commit.link(c, a);
    commit.link(bad, c);
    commit.link(b, c);
    publish(bad);
    await clock.advance(0);
    expect(new Set(refused[0]?.keys())).toEqual(new Set([bad, a, b, c]));
  });

  test("forgets what was to be written of an object: it is read again", async () => {
    const { clock, publish } = groupCommit();
    const a = new Thing("a", "POISON");
    a.wiped = true;
    a.rows = new Map([["k", "v"]]);
    publish(a);
    await clock.advance(0);
    expect(a).toMatchObject({ dirty: false, wiped: false, rows: undefined });
  });

  test("leaves no note of a leaving shard's rows that it did not write", async () => {
    const { storage, clock, changes, publish } = groupCommit();
    storage.query("INSERT INTO shards (shard, epoch, claimed, state) VALUES (0, 1, 0, 'leaving')");
    changes.begin(0, { first: 7, last: 8 });
    changes.scanned(0, [], null);
    publish(new Thing("a", "POISON"));
    await clock.advance(0);
    expect(changes.begin(0, { first: 7, last: 8 }).digest.rows).toBe(0);
    expect(storage.query("SELECT * FROM changes")).toEqual([]);
    publish(new Thing("a"));
    await clock.advance(0);
    expect(changes.begin(0, { first: 7, last: 8 }).digest.rows).toBe(1);
    expect(storage.query("SELECT id FROM changes")).toEqual([{ id: "a" }]);
    const [shard] = storage.query<{ copy: string }>("SELECT copy FROM shards");
    expect(JSON.parse(shard?.copy ?? "{}")).toEqual(changes.begin(0, { first: 7, last: 8 }));
  });

  test("writes nothing behind the fence", async () => {
    const { clock, fenced, told, publish, ids } = groupCommit();
    fenced.add(8);
    publish(new Thing("a"));
    publish(new Thing("b", "{}", 8));
    await clock.advance(0);
    expect([ids(), told]).toEqual([["a"], ["refused", "b: COMMIT_REFUSED", "a"]]);
  });

  test("ends the partition's core if the partition's own rows are refused, or what was taken is lost", async () => {
    for (const lose of [false, true]) {
      const { storage, clock, told, failures, commit, publish, note, notes } = groupCommit();
      if (lose) storage.loseNext = new Error("lost");
      else
        commit.write(null, () => {
          throw new Error("no");
        });
      commit.write(null, note("own"));
      publish(new Thing("a"));
      await clock.advance(0);
      expect(told).toEqual(["failure", "a: UNAVAILABLE"]);
      expect(failures.map(({ code, cause }) => [code, String(cause)])).toEqual([
        ["UNAVAILABLE", lose ? "Error: lost" : "Error: no"],
      ]);
      expect([notes(), commit.stats.failures]).toEqual([lose ? ["own"] : [], 1]);
    }
  });

  test("tells all who wait, also when the core's end throws", async () => {
    const { clock, told, commit, publish } = groupCommit(() => {
      throw new Error("bug");
    });
    commit.write(null, () => {
      throw new Error("no");
    });
    publish(new Thing("a"));
    await expect(clock.advance(0)).rejects.toThrow("bug");
    expect(told).toEqual(["failure", "a: UNAVAILABLE"]);
  });

  test("tells all who wait, also when one of them throws; the bug is the process's", async () => {
    const { clock, told, commit, publish } = groupCommit();
    const others = process.rawListeners("uncaughtException") as NodeJS.UncaughtExceptionListener[];
    process.removeAllListeners("uncaughtException");
    try {
      const thrown = once(process, "uncaughtException");
      commit.settled(null, () => {
        throw new Error("bug");
      });
      publish(new Thing("a"));
      await clock.advance(0);
      expect(told).toEqual(["a"]);
      expect(String((await thrown)[0])).toBe("Error: bug");
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of others) process.on("uncaughtException", listener);
    }
  });
});
