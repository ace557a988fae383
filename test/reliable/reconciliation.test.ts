import { describe, expect, test } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { enqueued, gates, idsOf, letPass, one, Probe, runs, STALE, watched } from "./maintenance-fixture.ts";

describe("rows of one owner", () => {
  test("[CALL10] cost a page, a look, a read and a message, and no more", async () => {
    const { log, subrequests, reconcile, asked, clock } = watched();
    await log.write([enqueued({ id: "a", callId: "c" })]);
    expect(await reconcile()).toMatchObject({ seen: 1, driven: 1 });
    expect(subrequests()).toBe(4);
    await clock.advance(1_000);
    expect([asked.looks.length, asked.batches.length, runs]).toEqual([1, 1, ["a:1"]]);
  });

  test("[CALL10] are asked for and driven 500 at a time", async () => {
    const { log, reconcile, asked } = watched();
    const sizes: number[] = [];
    const read = log.read.bind(log);
    log.read = (seqs) => {
      sizes.push(seqs.length);
      return read(seqs);
    };
    await log.write(Array.from({ length: 1_000 }, (_, index) => enqueued({ id: "a", callId: `c${index}` })));
    await log.write([enqueued({ id: "a", callId: "last" })]);
    expect(await reconcile()).toMatchObject({ seen: 1_001, driven: 1_001, complete: true });
    expect(asked.looks.map(([, keys]) => keys.length)).toEqual([500, 500, 1]);
    expect(asked.batches.map(([, messages]) => messages.length)).toEqual([500, 500, 1]);
    expect(sizes).toEqual([500, 500, 1]);
  });

  test("[CALL10] are driven for the system, with what the row says and no more", async () => {
    const { log, clock, reconcile, asked } = watched();
    const expiresAt = clock.now() + 60_000;
    await log.write([
      enqueued({ id: "a", callId: "bare", method: "refuse", request: null }),
      enqueued({ id: "a", callId: "full", expiresAt }),
    ]);
    await reconcile();
    const message = { type: "Probe", id: "a", caller: { kind: "system" }, deadline: expect.any(Number) };
    const reliable = { answer: "accepted", log: "write-behind" };
    expect(asked.batches[0]?.[1]).toStrictEqual([
      { ...message, method: "refuse", requestId: "reconcile 1", reliable: { ...reliable, callId: "bare" } },
      {
        ...message,
        method: "add",
        request: '{"by": 1}',
        requestId: "reconcile 2",
        reliable: { ...reliable, callId: "full", expiresAt },
      },
    ]);
  });

  test("[CALL10] some finished, some under way: the ones are completed, the others left to it", async () => {
    const { log, clock, cluster, reconcile, subrequests } = watched();
    await log.write([enqueued({ id: "a", callId: "c", method: "slow", request: null })]);
    await reconcile();
    await clock.advance(1_000 + STALE);
    const before = subrequests();
    expect(await reconcile()).toMatchObject({ seen: 1, pending: 1, completed: 0 });
    expect(subrequests() - before).toBe(2);
    // The log loses what it is told of this one's end.
    const write = log.write.bind(log);
    log.write = async () => {};
    const [id] = idsOf(cluster, cluster.router.owner({ type: "T", id: "a" }), 1);
    await cluster.call("Probe", id as string, "add", { by: 1 }, { callId: "d" });
    await clock.advance(1_000);
    log.write = write;
    await log.write([enqueued({ id: id as string, callId: "d" })]);
    expect(await reconcile()).toMatchObject({ seen: 2, pending: 1, completed: 1, driven: 0 });
    gates.get("a")?.();
    await clock.advance(1_000);
  });

  test("[CALL10] that were settled since they were seen are not driven", async () => {
    const { log, reconcile, asked } = watched();
    const rows = ["a", "b"].map((callId) => enqueued({ id: "a", callId }));
    await log.write(rows);
    const read = log.read.bind(log);
    log.read = async (seqs) => {
      await log.write(rows.map((row) => ({ ...row, status: "success", epoch: 1, attempts: 1, finishedAt: 1 })));
      return read(seqs);
    };
    expect(await reconcile()).toMatchObject({ seen: 2, driven: 0, pending: 2, complete: true });
    expect(asked.batches).toEqual([]);
    expect(runs).toEqual([]);
  });

  test("[CALL10] that were removed since they were seen keep no other from its end", async () => {
    const { log, reconcile } = watched();
    const rows = Array.from({ length: 501 }, (_, index) => enqueued({ id: "a/b", callId: `c${index}` }));
    await log.write(rows.slice(0, 500));
    await log.write(rows.slice(500));
    const read = log.read.bind(log);
    log.read = (seqs) => read(seqs.filter((seq) => seq === "501"));
    expect(await reconcile()).toMatchObject({ seen: 501, refused: 1, pending: 500, complete: true });
    expect(await log.find("Probe", "a/b", "c500")).toMatchObject({ status: "failed" });
  });

  test("[CALL11] a call that ends between the look and the message counts as driven, and runs once", async () => {
    const { log, cluster, reconcile } = watched((_, client) => ({
      batch: async (messages) => {
        await cluster.call("Probe", "a", "add", { by: 1 }, { callId: "c" });
        return client.batch(messages);
      },
    }));
    await log.write([enqueued({ id: "a", callId: "c" })]);
    expect(await reconcile()).toMatchObject({ seen: 1, driven: 1, refused: 0, unreachable: 0 });
    expect(runs).toEqual(["a:1"]);
  });
});

describe("an owner that fails", () => {
  test("[CALL10] one that answers nothing is not asked again and again", async () => {
    const { log, reconcile, asked } = watched(() => ({ callRecords: async () => [] }));
    await log.write([enqueued({ id: "a", callId: "c" })]);
    expect(await reconcile()).toMatchObject({ seen: 1, unreachable: 1, driven: 0, complete: true });
    expect(asked.looks).toHaveLength(1);
  });

  test("[CALL10] one that hangs when it is to run calls costs the run one wait, however many there are", async () => {
    const { clock, log, maintenance, asked } = watched(() => ({ batch: () => new Promise(() => {}) }));
    const request = JSON.stringify({ by: 1, padding: "x".repeat(900_000) });
    await log.write(Array.from({ length: 12 }, (_, index) => enqueued({ id: "a", callId: `c${index}`, request })));
    const begun = clock.now();
    const report = await letPass(clock, maintenance.reconcile(), 10);
    expect(report).toMatchObject({ seen: 12, unreachable: 12, driven: 0, complete: true });
    expect(report.silent).toHaveLength(1);
    expect(asked.batches).toHaveLength(1);
    expect(clock.now() - begun).toBeLessThan(6_000);
  });

  test("[CALL10] one that was found silent takes nothing more of the budget", async () => {
    // A page and two looks.
    const { cluster, log, reconcile } = watched(
      (name) => ({
        callRecords: async (keys) => {
          if (name === "p0") throw new Error("away");
          return keys.map(() => ({ movedTo: "p0" }));
        },
      }),
      { upkeepMessages: 3 },
    );
    await log.write(["p0", "p1"].map((name) => enqueued({ id: one(cluster, name), callId: "c" })));
    expect(await reconcile()).toMatchObject({ seen: 2, unreachable: 2, left: 0, silent: ["p0"], complete: true });
  });

  test("[CALL10] all that are silent are named, in order", async () => {
    for (let turn = 0; turn < 3; turn++) {
      const { clock, cluster, log, reconcile } = watched();
      await clock.advance(turn * 1_000);
      await log.write(["p0", "p1", "p2"].map((name) => enqueued({ id: one(cluster, name), callId: "c" })));
      for (const name of ["p2", "p0"]) cluster.unreachable.add(name);
      expect(await reconcile()).toMatchObject({ silent: ["p0", "p2"], driven: 1, unreachable: 2 });
    }
  });

  test("[CALL10] what can't be told the log for another reason than what it is ends the run", async () => {
    for (const error of [new EdgeverseError("LOG_UNAVAILABLE", "away"), new Error("a mistake")]) {
      const { log, reconcile } = watched();
      await log.write([enqueued({ id: "a/b", callId: "c" })]);
      log.write = async () => {
        throw error;
      };
      await expect(reconcile()).rejects.toBe(error);
    }
  });
});

describe("an object that moves meanwhile", () => {
  test("[CALL10] before the look: its rows are asked for where it went", async () => {
    const { cluster, clock, log, reconcile, asked } = watched((name, client) => ({
      callRecords: async (keys) => {
        if (name === "p0") for (const id of away) await cluster.move(Probe, id, { to: "p1" });
        return client.callRecords(keys);
      },
    }));
    const [stays, ...away] = idsOf(cluster, "p0", 3) as [string, ...string[]];
    await log.write([stays, ...away].map((id) => enqueued({ id, callId: "c" })));
    expect(await reconcile()).toMatchObject({ seen: 3, driven: 3, unreachable: 0, complete: true });
    expect(asked.looks.map(([name, keys]) => [name, keys.map(({ id }) => id)])).toEqual([
      ["p0", [stays, ...away]],
      ["p1", away],
    ]);
    await clock.advance(1_000);
    expect([...runs].sort()).toEqual([stays, ...away].map((id) => `${id}:1`).sort());
  });

  test("[CALL10] after the look: its row is driven another time", async () => {
    const { cluster, clock, log, reconcile } = watched((_, client) => ({
      batch: async (messages) => {
        await cluster.move(Probe, id, { to: "p1" });
        return client.batch(messages);
      },
    }));
    const id = one(cluster, "p0");
    await log.write([enqueued({ id, callId: "c" })]);
    expect(await reconcile()).toMatchObject({ seen: 1, driven: 0, unreachable: 1, refused: 0, complete: true });
    expect(await reconcile()).toMatchObject({ seen: 1, driven: 1 });
    await clock.advance(1_000);
    expect(runs).toEqual([`${id}:1`]);
  });

  test("[CALL10] again and again: its row is left after the second partition", async () => {
    const { cluster, log, reconcile, asked } = watched((name) => ({
      callRecords: async (keys) => keys.map(() => ({ movedTo: name === "p0" ? "p1" : "p0" })),
    }));
    await log.write([enqueued({ id: one(cluster, "p0"), callId: "c" })]);
    expect(await reconcile()).toMatchObject({ seen: 1, driven: 0, unreachable: 1, complete: true });
    expect(asked.looks.map(([name]) => name)).toEqual(["p0", "p1"]);
  });
});
