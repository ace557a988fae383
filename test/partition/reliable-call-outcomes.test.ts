import { describe, expect, test } from "vitest";
import { settle } from "../../src/testing/clocks.ts";
import { counts, elsewhere, gates, open, order, SlowLog, setup } from "./job-fixture.ts";
import { SlowStorage } from "./slow-storage.ts";

describe("outcomes", () => {
  test("[CALL2] [TURN4] an error with details that are not JSON fails its own call and no other", async () => {
    const { made, clock } = setup({ maxAttempts: 3 });
    await made.call("Job", "warm", "add", { by: 1 });
    const bad = made.send("Job", "a", "badDetails", undefined, { callId: "bad", timeout: 5_000 });
    await clock.advance(0);
    const neighbour = made.send("Job", "b", "add", { by: 1 });
    await clock.advance(6_000);
    expect(await neighbour).toMatchObject({ response: "1" });
    expect((await made.partition("p0").core()).commit.stats.failures).toBe(0);
    expect(await bad).toMatchObject({ error: { code: "CALL_FAILED" } });
  });

  test("[CALL4] a full queue of reliable calls is worked off without running out of stack", async () => {
    const { made, clock } = setup();
    const blocker = made.send("Job", "a", "slow", { gate: "g" }, { callId: "blocker" });
    await clock.advance(1);
    const calls = Array.from({ length: 990 }, (_, by) => made.send("Job", "a", "add", { by }, { callId: `c${by}` }));
    await clock.advance(5);
    open("g");
    await clock.advance(5);
    expect(await blocker).toMatchObject({ response: "1" });
    const replies: unknown[] = [];
    for (const call of calls) void call.then((reply) => replies.push(reply.kind));
    await clock.advance(5);
    expect(new Set(replies)).toEqual(new Set(["response"]));
    expect(replies).toHaveLength(990);
    expect(order).toEqual(Array.from({ length: 990 }, (_, by) => by));
  });

  test("[CALL8] a call that expires while its last attempt runs ends as expired, not as failed", async () => {
    const { made, clock } = setup({ maxAttempts: 1 });
    const call = made.send("Job", "a", "slow", { gate: "g" }, { callId: "c", expiresIn: 500, timeout: 5_000 });
    await clock.advance(1_000);
    expect(await call).toMatchObject({ error: { code: "DEADLINE_EXCEEDED", reason: "EXPIRED" } });
    expect(made.storage("p0").query("SELECT status FROM calls")).toEqual([{ status: "expired" }]);
  });

  test("[CALL2] a resumed call that waits for another part of the cluster waits on", async () => {
    const { made, clock } = setup({ maxAttempts: 3 });
    const first = new SlowStorage();
    made.storages.set("p0", first);
    elsewhere.away = true;
    await made.call("Job", "a", "needsOther", undefined, { callId: "n", answer: "accepted" });
    await clock.advance(20_000);
    made.crash("p0");
    const second = new SlowStorage();
    second.take(first);
    made.storages.set("p0", second);
    await made.partition("p0").wake();
    await clock.advance(60_000);
    elsewhere.away = false;
    await clock.advance(60_000);
    const rows = second.query("SELECT status, error FROM calls");
    expect(rows).toEqual([{ status: "success", error: null }]);
    expect(await made.call("Job", "a", "total")).toBe(1);
  });

  test("[CALL2] failed commits of others do not use up a call's attempts", async () => {
    const { made, clock } = setup({ maxAttempts: 3 });
    await made.call("Job", "a", "slow", { gate: "g" }, { callId: "s", answer: "accepted" });
    for (let index = 0; index < 4; index++) {
      made.storage("p0").failing = new Error("disk I/O error");
      void made.send("Job", `other${index}`, "add", { by: 1 });
      await clock.advance(10);
      made.storage("p0").failing = undefined;
    }
    open("g");
    await clock.advance(10);
    expect(made.storage("p0").query("SELECT status FROM calls")).toEqual([{ status: "success" }]);
  });

  test("[CALL2] a call that waited for a busy object too long was not started, and is not given up", async () => {
    const { made, clock } = setup({ maxAttempts: 2 });
    const busy = made.send("Job", "a", "slow", { gate: "g" }, { timeout: 20_000 });
    await clock.advance(1);
    const brief = made.send("Job", "a", "brief", undefined, { callId: "b" });
    await clock.advance(10_000);
    open("g");
    await clock.advance(5_000);
    expect(await busy).toMatchObject({ response: "1" });
    expect(await brief).toMatchObject({ response: "2" });
  });

  test("[TURN7] a reliable call that waits for a later reliable call of its own object fails at once", async () => {
    const { made, clock } = setup();
    const outer = made.send("Job", "a", "callSelf", undefined, { callId: "outer", timeout: 600_000 });
    let reply: unknown;
    void outer.then((answer) => {
      reply = answer;
    });
    await clock.advance(1_000);
    expect(reply).toMatchObject({ error: { code: "DEADLOCK" } });
  });
});

describe("bookkeeping", () => {
  test("[CALL6] the open counter does not go wrong when a batch is shipped while a `write-ahead` call waits for the log", async () => {
    const slow = { log: undefined as unknown as SlowLog };
    const { made, clock } = setup({}, (now) => {
      slow.log = new SlowLog(now);
      return slow.log;
    });
    await made.call("Job", "a", "add", { by: 1 }, { callId: "first" });
    slow.log.hold = true;
    await clock.advance(300);
    expect(slow.log.held).toHaveLength(1);
    void made.send("Job", "b", "slow", { gate: "g" }, { callId: "second", log: "write-ahead" });
    await settle();
    slow.log.held[0]?.go();
    await clock.advance(5);
    slow.log.held[1]?.fail();
    await clock.advance(5);
    expect(await counts(made)).toEqual({ open: 0, sql: 0 });
  });

  test("[CALL3] [CALL5] a `write-ahead` call accepted while a batch is shipped is woken for, and its outcome shipped", async () => {
    const slow = { log: undefined as unknown as SlowLog };
    const { made, clock } = setup({}, (now) => {
      slow.log = new SlowLog(now);
      return slow.log;
    });
    await made.call("Job", "a", "add", { by: 1 }, { callId: "first" });
    slow.log.hold = true;
    await clock.advance(300);
    void made.send("Job", "b", "slow", { gate: "g" }, { callId: "second", log: "write-ahead" });
    await settle();
    const alarm = made.partition("p0").wake();
    slow.log.held[0]?.go();
    await clock.advance(5);
    await alarm;
    // The alarm of the first call comes while the second waits for its row.
    await made.partition("p0").wake();
    slow.log.held[1]?.go();
    await clock.advance(5);
    expect(gates.has("g")).toBe(true);
    expect(await counts(made)).toEqual({ open: 1, sql: 1 });
    expect(made.storage("p0").wake).not.toBeNull();
  });

  test("[CALL3] the alarm is not used up before what it saw to is durable", async () => {
    const { made, clock } = setup();
    await made.call("Job", "a", "add", { by: 1 }, { callId: "first" });
    const storage = made.storage("p0");
    const durable = Promise.withResolvers<void>();
    storage.barrier = () => durable.promise;
    let over = false;
    const alarm = made
      .partition("p0")
      .wake()
      .then(() => {
        over = true;
      });
    await clock.advance(500);
    await settle();
    // The outcome is in the log and no alarm is set; a crash may take both back, and then somebody has to see to it again.
    expect([await counts(made), storage.wake, over]).toEqual([{ open: 0, sql: 0 }, null, false]);
    durable.resolve();
    await alarm;
  });

  test("[CALL2] a caller is not told `pending` of a call that was never accepted", async () => {
    const slow = { log: undefined as unknown as SlowLog };
    const { made, clock } = setup({}, (now) => {
      slow.log = new SlowLog(now);
      return slow.log;
    });
    slow.log.hold = true;
    const call = made.send("Job", "a", "add", { by: 1 }, { callId: "b", log: "write-ahead", timeout: 50 });
    await clock.advance(60);
    slow.log.held[0]?.fail();
    await clock.advance(60_000);
    const reply = await call;
    const stored = made.storage("p0").query("SELECT * FROM calls");
    expect({ reply: JSON.stringify(reply).includes("is accepted"), stored: stored.length > 0 }).not.toEqual({
      reply: true,
      stored: false,
    });
  });

  test("[TURN10] an answer `accepted` to a repeated call follows a storage access", async () => {
    const { made, clock } = setup();
    await made.call("Job", "a", "slow", { gate: "g" }, { callId: "s", answer: "accepted" });
    let queries = 0;
    made.storage("p0").onQuery = () => queries++;
    const again = made.send("Job", "a", "slow", { gate: "g" }, { callId: "s", answer: "accepted" });
    await clock.advance(5);
    expect(await again).toEqual({ kind: "accepted", callId: "s" });
    expect(queries).toBeGreaterThan(0);
  });
});
