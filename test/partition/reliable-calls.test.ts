import { method, VirtualObject } from "edgeverse";
import { MemoryCallLog, TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Wallet } from "../../examples/wallet.ts";

let runs = 0;
const gates = new Map<string, () => void>();
const order: string[] = [];

/** Counts how often its methods really run. */
class Probe extends VirtualObject<{ total: number }> {
  static override readonly type = "Probe";
  static override readonly state = z.object({ total: z.number().default(0) });
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number() }) }),
    refuse: method(),
    explode: method(),
    slow: method({ timeout: "1s", request: z.object({ gate: z.string(), by: z.number() }) }),
    total: method({ readonly: true }),
  };
  add({ by }: { by: number }) {
    runs++;
    order.push(`${this.id}:${by}`);
    this.state.total += by;
    return { total: this.state.total };
  }
  refuse() {
    runs++;
    this.state.total = 999;
    throw this.fail("NO", "never");
  }
  explode() {
    runs++;
    throw new Error("secret");
  }
  async slow({ gate, by }: { gate: string; by: number }) {
    runs++;
    await new Promise<void>((resolve) => gates.set(gate, resolve));
    this.state.total += by;
    return { total: this.state.total };
  }
  total() {
    return this.state.total;
  }
}

function setup(config: Record<string, string | number> = {}, log?: MemoryCallLog) {
  runs = 0;
  gates.clear();
  order.length = 0;
  const made = new TestCluster({ objects: [Probe, Wallet], config, ...(log === undefined ? {} : { log }) });
  return { made, clock: made.clock };
}

function withLog(config: Record<string, string | number> = {}) {
  const base = setup(config);
  const log = new MemoryCallLog(base.clock);
  const made = new TestCluster({ objects: [Probe, Wallet], config, clock: base.clock, log });
  return { made, clock: base.clock, log };
}

describe("reliable calls", () => {
  test("[CALL1] a call id runs once; later calls get the stored outcome, also after a crash", async () => {
    const { made } = setup();
    const call = () => made.send("Probe", "a", "add", { by: 5 }, { callId: "c1" });
    const clock = made.clock;
    const both = [call(), call()];
    await clock.advance(5);
    const [first, second] = await Promise.all(both);
    expect(first).toEqual({ kind: "response", response: '{"total":5}' });
    expect(second).toEqual({ kind: "response", response: '{"total":5}', replayed: true });
    made.crash("p0");
    const third = call();
    await clock.advance(5);
    expect(await third).toEqual({ kind: "response", response: '{"total":5}', replayed: true });
    expect(runs).toBe(1);
  });

  test("[CALL1] the same id names different calls on different objects", async () => {
    const { made } = setup();
    await made.call("Probe", "a", "add", { by: 1 }, { callId: "x" });
    expect(await made.call("Probe", "b", "add", { by: 2 }, { callId: "x" })).toEqual({ total: 2 });
  });

  test("[CALL1] the same id with another request or method is CALL_ID_REUSED; key order does not matter", async () => {
    const { made } = setup();
    await made.call("Probe", "a", "add", { by: 1 }, { callId: "x" });
    for (const [name, request] of [
      ["add", { by: 2 }],
      ["refuse", undefined],
    ] as const) {
      await expect(made.call("Probe", "a", name, request, { callId: "x" })).rejects.toMatchObject({
        code: "CALL_ID_REUSED",
      });
    }
  });

  test("[CALL2] a method that throws is final: stored, replayed, never run again", async () => {
    const { made } = setup();
    for (const name of ["refuse", "explode"]) {
      runs = 0;
      const error = { code: name === "refuse" ? "CALL_FAILED" : "INTERNAL" };
      await expect(made.call("Probe", "a", name, undefined, { callId: name })).rejects.toMatchObject(error);
      made.crash("p0");
      await expect(made.call("Probe", "a", name, undefined, { callId: name })).rejects.toMatchObject(error);
      expect(runs).toBe(1);
    }
    expect(await made.call("Probe", "a", "total")).toBe(0);
  });

  test("[CALL2] a request that does not fit is refused without a mark", async () => {
    const { made } = setup();
    await expect(made.call("Probe", "a", "add", { by: "x" }, { callId: "c" })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(await made.call("Probe", "a", "add", { by: 1 }, { callId: "c" })).toEqual({ total: 1 });
  });

  test("[CALL2] a deadline leaves it pending; it is driven to an end and runs to effect once", async () => {
    const { made, clock } = setup();
    const waiting = made.send("Probe", "a", "slow", { gate: "g", by: 3 }, { callId: "c", timeout: 50 });
    await clock.advance(60);
    expect(await waiting).toMatchObject({ error: { code: "DEADLINE_EXCEEDED", details: { status: "pending" } } });
    await clock.advance(2_200);
    expect(runs).toBeGreaterThan(1);
    for (const open of gates.values()) open();
    await clock.advance(10);
    expect(await made.call("Probe", "a", "slow", { gate: "g", by: 3 }, { callId: "c" })).toEqual({ total: 3 });
    expect(await made.call("Probe", "a", "total")).toBe(3);
  });

  test("[CALL2] a call that always times out is failed in the end, and later calls proceed", async () => {
    const { made, clock } = setup({ maxAttempts: 3 });
    const poison = made.send("Probe", "a", "slow", { gate: "never", by: 1 }, { callId: "poison", timeout: 60_000 });
    const next = made.send("Probe", "a", "add", { by: 1 }, { callId: "next", timeout: 60_000 });
    await clock.advance(10_000);
    expect(await poison).toMatchObject({ error: { code: "DEADLINE_EXCEEDED", retryable: false } });
    expect(await next).toMatchObject({ response: '{"total":1}' });
  });

  test("[CALL3] accepted calls resume after a crash, in order, without anyone calling", async () => {
    const { made, clock } = setup();
    const answers = [1, 2, 3].map((by) =>
      made.send("Probe", "a", "slow", { gate: `g${by}`, by }, { callId: `c${by}`, answer: "accepted" }),
    );
    await clock.advance(5);
    expect(await Promise.all(answers)).toMatchObject([
      { kind: "accepted" },
      { kind: "accepted" },
      { kind: "accepted" },
    ]);
    expect(made.storage("p0").wake).not.toBeNull();
    made.crash("p0");
    gates.clear();
    await made.partition("p0").wake();
    for (const by of [1, 2, 3]) {
      await clock.advance(5);
      gates.get(`g${by}`)?.();
      await clock.advance(5);
    }
    expect(await made.call("Probe", "a", "total")).toBe(6);
    expect(made.storage("p0").query("SELECT call_id, status, attempts FROM calls ORDER BY seq")).toEqual([
      { call_id: "c1", status: "success", attempts: 2 },
      { call_id: "c2", status: "success", attempts: 2 },
      { call_id: "c3", status: "success", attempts: 2 },
    ]);
  });

  test("[CALL4] calls of one object run in the order they were accepted", async () => {
    const { made, clock } = setup();
    const all = Array.from({ length: 50 }, (_, by) => made.send("Probe", "a", "add", { by }, { callId: `c${by}` }));
    await clock.advance(5);
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 50 }, (_, by) => `a:${by}`));
  });

  test("[CALL1] a failed commit leaves neither state nor mark; the retry runs", async () => {
    const { made, clock } = setup();
    await made.call("Probe", "warm", "add", { by: 1 });
    runs = 0;
    made.storage("p0").failing = new Error("disk I/O error");
    const failing = made.send("Probe", "a", "add", { by: 1 }, { callId: "c" });
    await clock.advance(5);
    made.storage("p0").failing = undefined;
    expect(await failing).toMatchObject({ error: { code: "UNAVAILABLE" } });
    expect(await made.call("Probe", "a", "add", { by: 1 }, { callId: "c" })).toEqual({ total: 1 });
    expect(await made.call("Probe", "a", "total")).toBe(1);
  });

  test("[LIFE3] marks outlive deletion", async () => {
    const { made } = setup();
    await made.call("Probe", "a", "add", { by: 1 }, { callId: "c" });
    await made.lifecycle("delete", "Probe", "a");
    expect(await made.call("Probe", "a", "add", { by: 1 }, { callId: "c" })).toEqual({ total: 1 });
    expect(await made.call("Probe", "a", "total")).toBe(0);
  });

  test("[CALL8] a call still pending after expiresIn ends as expired and never runs", async () => {
    const { made, clock } = setup();
    const blocker = made.send("Probe", "a", "slow", { gate: "g", by: 1 }, { callId: "blocker", timeout: 60_000 });
    const expiring = made.send("Probe", "a", "add", { by: 10 }, { callId: "e", expiresIn: 200, timeout: 60_000 });
    await clock.advance(500);
    gates.get("g")?.();
    await clock.advance(10);
    expect(await blocker).toMatchObject({ response: '{"total":1}' });
    expect(await expiring).toMatchObject({ error: { code: "DEADLINE_EXCEEDED", reason: "EXPIRED" } });
    expect(await made.call("Probe", "a", "total")).toBe(1);
    expect(made.storage("p0").query("SELECT status FROM calls WHERE call_id = 'e'")).toEqual([{ status: "expired" }]);
  });

  test("[CALL9] an id older than retention is refused where its age can be told", async () => {
    const { made } = setup();
    const old = "0190a0b0-0000-7000-8000-000000000000";
    await expect(made.call("Probe", "a", "add", { by: 1 }, { callId: old })).rejects.toMatchObject({
      code: "EXPIRED_CALL_ID",
    });
  });

  test("[CALL5] outcomes reach the log within about a second, and the owner lets go of them", async () => {
    const { made, clock, log } = withLog();
    for (const by of [1, 2, 3]) await made.call("Probe", "a", "add", { by }, { callId: `c${by}` });
    await clock.advance(1_000);
    const { calls } = await log.list({ limit: 10 });
    expect(
      calls.map(({ callId, status, response }) => ({
        callId,
        status,
        response: JSON.parse(response ?? "") as unknown,
      })),
    ).toEqual([
      { callId: "c3", status: "success", response: { total: 6 } },
      { callId: "c2", status: "success", response: { total: 3 } },
      { callId: "c1", status: "success", response: { total: 1 } },
    ]);
    expect((await made.partition("p0").core()).reliable.open).toBe(0);
    expect(made.storage("p0").query("SELECT * FROM backlog")).toEqual([]);
  });

  test("[CALL6] with the log down calls go on, the backlog ships when it is back, and is bounded", async () => {
    const { made, clock, log } = withLog({ logBacklog: 2_000 });
    log.down = true;
    for (const by of [1, 2, 3, 4, 5]) await made.call("Probe", "a", "add", { by }, { callId: `c${by}` });
    await clock.advance(3_000);
    await expect(made.call("Probe", "a", "add", { by: 6 }, { callId: "c6" })).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
    });
    expect(await made.call("Probe", "a", "add", { by: 100 })).toEqual({ total: 115 });
    log.down = false;
    await clock.advance(60_000);
    expect((await log.list({ limit: 10 })).calls).toHaveLength(5);
    expect(await made.call("Probe", "a", "add", { by: 6 }, { callId: "c6" })).toEqual({ total: 121 });
  });

  test("[CALL6] a `write-ahead` call is in the log before it runs; with the log down it changes nothing", async () => {
    const { made, clock, log } = withLog();
    const pending = made.send("Probe", "a", "slow", { gate: "g", by: 1 }, { callId: "b", log: "write-ahead" });
    await clock.advance(5);
    expect((await log.find("Probe", "a", "b"))?.status).toBe("pending");
    gates.get("g")?.();
    await clock.advance(5);
    expect(await pending).toMatchObject({ response: '{"total":1}' });
    expect((await log.find("Probe", "a", "b"))?.status).toBe("success");
    log.down = true;
    await expect(made.call("Probe", "a", "add", { by: 1 }, { callId: "b2", log: "write-ahead" })).rejects.toMatchObject(
      {
        code: "LOG_UNAVAILABLE",
      },
    );
    expect(made.storage("p0").query("SELECT * FROM calls WHERE call_id = 'b2'")).toEqual([]);
    expect(await made.call("Probe", "a", "total")).toBe(1);
  });

  test("[CALL1] a reliable call from object to object runs once across partitions", async () => {
    const made = new TestCluster({ objects: [Wallet], partitions: 4 });
    await made.call("Wallet", "from", "deposit", { amount: 100 });
    for (let index = 0; index < 8; index++) {
      const call = () =>
        made.call("Wallet", "from", "transfer", { to: `w${index}`, amount: 5 }, { callId: `t${index}` });
      expect(await call()).toEqual(await call());
      expect(await made.call("Wallet", `w${index}`, "getBalance")).toEqual({ balance: 5 });
    }
    expect(await made.call("Wallet", "from", "getBalance")).toEqual({ balance: 60 });
  });
});
