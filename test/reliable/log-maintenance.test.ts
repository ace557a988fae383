import { method, VirtualObject } from "edgeverse";
import { ManualClock, MemoryCallLog, TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { partitionClient } from "../../src/partition/client.ts";
import type { CallRecord } from "../../src/reliable/call-record.ts";
import { LogMaintenance, type Owners } from "../../src/reliable/log-maintenance.ts";
import type { FinalCounts } from "../../src/reliable/ports.ts";
import { callRecord } from "../support/call-records.ts";

const DAY = 86_400_000;
const STALE = 30_001;

let runs: string[] = [];
const gates = new Map<string, () => void>();

class Probe extends VirtualObject<{ total: number }> {
  static override readonly type = "Probe";
  static override readonly state = z.object({ total: z.number().default(0) });
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number() }) }),
    refuse: method(),
    slow: method({ timeout: "5m" }),
    total: method({ readonly: true }),
  };
  add({ by }: { by: number }) {
    runs.push(`${this.id}:${by}`);
    this.state.total += by;
    return { total: this.state.total };
  }
  refuse() {
    runs.push(`${this.id}:refuse`);
    throw this.fail("NO", "never");
  }
  async slow() {
    runs.push(`${this.id}:slow`);
    await new Promise<void>((resolve) => gates.set(this.id, resolve));
    return "done";
  }
  total() {
    return this.state.total;
  }
}

function setup(options: { config?: Record<string, string | number>; router?: Partial<Owners>; other?: boolean } = {}) {
  runs = [];
  gates.clear();
  const clock = new ManualClock();
  const shipped = new MemoryCallLog(clock);
  const cluster = new TestCluster({
    objects: [Probe],
    partitions: 3,
    clock,
    log: shipped,
    ...(options.config === undefined ? {} : { config: options.config }),
  });
  // With `other`, upkeep looks at a log that the owners do not write: one that lost what they wrote.
  const log = options.other === true ? new MemoryCallLog(clock) : shipped;
  const { router, config } = cluster;
  const owners: Owners = {
    map: router.map,
    call: (message) => router.call(message),
    ask: (id, deadline, question) => router.ask(id, deadline, question),
    ...options.router,
  };
  const connect = (name: string) => partitionClient(cluster.partition(name), clock);
  const maintenance = new LogMaintenance({ log, router: owners, connect, config, clock });
  const run = <R>(work: Promise<R>) => letPass(clock, work);
  return { clock, log, cluster, connect, maintenance, run };
}

/** Lets time pass until `work` is done. */
async function letPass<R>(clock: ManualClock, work: Promise<R>): Promise<R> {
  let done = false;
  const end = () => {
    done = true;
  };
  work.then(end, end);
  for (let step = 0; !done && step < 1_000; step++) await clock.advance(1);
  return work;
}

/** A row as `enqueueCall` leaves it. */
function enqueued(changes: Partial<CallRecord>): CallRecord {
  return callRecord({
    type: "Probe",
    method: "add",
    request: '{"by": 1}',
    status: "pending",
    response: null,
    finishedAt: null,
    epoch: 0,
    attempts: 0,
    shard: -1,
    requestHash: "",
    ...changes,
  });
}

const total = (cluster: TestCluster, id: string) => cluster.call("Probe", id, "total");

describe("reconciling", () => {
  test("[CALL11] rows that an outsider inserted run exactly once and get their outcome", async () => {
    const { clock, log, cluster, maintenance, run } = setup();
    const ids = ["a", "b", "shard#5/c", "partition#p1/d"];
    await log.write(ids.map((id, index) => enqueued({ id, callId: `in-${index}` })));
    await log.write([enqueued({ id: "a", callId: "no", method: "refuse", request: null })]);
    expect(await run(maintenance.reconcile())).toEqual({
      seen: 5,
      driven: 5,
      completed: 0,
      pending: 0,
      refused: 0,
      unreachable: 0,
      complete: true,
    });
    await clock.advance(1_000);
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 0, complete: true });
    expect([...runs].sort()).toEqual(["a:1", "a:refuse", "b:1", "partition#p1/d:1", "shard#5/c:1"]);
    for (const id of ids) expect(await total(cluster, id)).toBe(1);
    const { calls } = await log.list({ limit: 10 });
    expect(calls.map(({ status }) => status).sort()).toEqual(["failed", "success", "success", "success", "success"]);
    for (const call of calls) {
      expect(call.epoch).toBeGreaterThanOrEqual(1);
      expect(call).toMatchObject({ attempts: 1, finishedAt: expect.any(Number) });
      expect(call.requestHash).toMatch(/^[0-9a-f]{64}$/);
      if (call.status === "failed") expect(call.error).toMatchObject({ code: "CALL_FAILED", reason: "NO" });
      else expect(JSON.parse(call.response ?? "")).toEqual({ total: 1 });
    }
  });

  test("[CALL11] runs at the same time, and again and again, run nothing twice", async () => {
    const { clock, log, cluster, maintenance, run } = setup();
    for (let index = 0; index < 40; index++) await log.write([enqueued({ id: `o${index % 7}`, callId: `c${index}` })]);
    await run(Promise.all([1, 2, 3].map(() => maintenance.reconcile())));
    await run(maintenance.reconcile());
    for (const name of ["p0", "p1", "p2"]) cluster.crash(name);
    await run(maintenance.reconcile());
    await clock.advance(2_000);
    expect(runs).toHaveLength(40);
    expect((await log.list({ status: "success", limit: 100 })).calls).toHaveLength(40);
  });

  test("[CALL11] a row whose call was made directly before gets that outcome, and does not run", async () => {
    const { log, cluster, maintenance, run } = setup({ other: true });
    await cluster.call("Probe", "a", "add", { by: 1 }, { callId: "c" });
    await log.write([enqueued({ id: "a", callId: "c" })]);
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 1, completed: 1, driven: 0 });
    expect(runs).toEqual(["a:1"]);
    expect(await log.find("Probe", "a", "c")).toMatchObject({ status: "success", attempts: 1 });
  });

  test("[CALL11] expiry and absence of a request are kept", async () => {
    const { clock, log, maintenance, run } = setup();
    await log.write([
      enqueued({ id: "a", callId: "late", expiresAt: clock.now() - 1 }),
      enqueued({ id: "a", callId: "none", method: "refuse", request: null }),
    ]);
    await run(maintenance.reconcile());
    await clock.advance(1_000);
    expect(runs).toEqual(["a:refuse"]);
    expect(await log.find("Probe", "a", "late")).toMatchObject({ status: "expired", error: { reason: "EXPIRED" } });
  });

  test("[CALL10] rows pending in the log but finished at the owner are completed, and run no more", async () => {
    const { clock, log, cluster, maintenance, run } = setup({ other: true });
    const ids = ["a", "b", "c"];
    for (const id of ids) await cluster.call("Probe", id, "add", { by: 2 }, { callId: `c-${id}` });
    await cluster.call("Probe", "a", "refuse", undefined, { callId: "no" }).catch(() => {});
    const pending = { epoch: 1, attempts: 1, shard: 1, requestHash: "00", request: '{"by":2}' };
    await log.write(ids.map((id) => enqueued({ ...pending, id, callId: `c-${id}` })));
    await log.write([enqueued({ ...pending, id: "a", callId: "no", method: "refuse" })]);
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 0 });
    await clock.advance(STALE);
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 4, completed: 4, driven: 0, complete: true });
    expect((await log.find("Probe", "b", "c-b"))?.response).toContain('"total": 2');
    expect(await log.find("Probe", "a", "no")).toMatchObject({ status: "failed", error: { reason: "NO" } });
    expect(runs).toHaveLength(4);
  });

  test("[CALL10] a row that was accepted and whose owner does not know it is driven again", async () => {
    const { clock, log, maintenance, run } = setup();
    await log.write([enqueued({ id: "a", callId: "c", epoch: 1, attempts: 1, requestHash: "00" })]);
    await clock.advance(STALE);
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 1, driven: 1 });
    await clock.advance(1_000);
    expect(runs).toEqual(["a:1"]);
    expect(await log.find("Probe", "a", "c")).toMatchObject({ status: "success" });
  });

  test("[CALL10] a row the owner still works on is left to it", async () => {
    const { clock, log, maintenance, run } = setup();
    await log.write([enqueued({ id: "a", callId: "c", method: "slow", request: null })]);
    await run(maintenance.reconcile());
    await clock.advance(1_000 + STALE);
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 1, pending: 1, driven: 0 });
    gates.get("a")?.();
    await clock.advance(1_000);
    expect(runs).toEqual(["a:slow"]);
    expect(await log.find("Probe", "a", "c")).toMatchObject({ status: "success", response: '"done"' });
  });

  const old = "0190a0b0-0000-7000-8000-000000000000";
  test.each<[string, Partial<CallRecord>, string]>([
    ["a type that is no type", { type: "no type" }, "INVALID_ID"],
    ["a type nobody serves", { type: "Nobody" }, "TYPE_NOT_FOUND"],
    ["a method nobody declares", { method: "constructor" }, "METHOD_NOT_FOUND"],
    ["a request that does not fit", { request: '{"by": "x"}' }, "INVALID_ARGUMENT"],
    ["a request where none is taken", { method: "refuse", request: "1" }, "INVALID_ARGUMENT"],
    ["a bad id", { id: "a/b" }, "INVALID_ID"],
    ["a shard out of range", { id: "shard#65000/a" }, "INVALID_ID"],
    ["a partition that does not exist", { id: "partition#nowhere/a" }, "INVALID_ID"],
    ["a bad call id", { callId: "a b" }, "INVALID_ARGUMENT"],
    ["a call id older than marks are kept", { callId: old }, "EXPIRED_CALL_ID"],
  ])("[CALL10] a row that can never run is failed, once: %s", async (_, changes, code) => {
    const { clock, log, maintenance, run } = setup();
    const row = enqueued({ callId: "c", ...changes });
    const fine = enqueued({ id: "fine", callId: "fine" });
    await log.write([row, fine]);
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 2, refused: 1, driven: 1, complete: true });
    await clock.advance(1_000);
    expect(await log.find(row.type, row.id, row.callId)).toMatchObject({
      status: "failed",
      error: { code, retryable: false },
      finishedAt: expect.any(Number),
      attempts: 0,
    });
    expect(await log.find("Probe", "fine", "fine")).toMatchObject({ status: "success" });
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 0 });
    expect(runs).toEqual(["fine:1"]);
  });

  test("[CALL10] an owner that can't be asked leaves its rows pending, and the others are driven", async () => {
    const away = () => Promise.reject(new EdgeverseError("UNAVAILABLE", "away"));
    const { clock, log, cluster, maintenance, run } = setup({
      router: {
        ask: (id, deadline, question) => (id === "lost" ? away() : cluster.router.ask(id, deadline, question)),
      },
    });
    await log.write(["lost", "found"].map((id) => enqueued({ id, callId: "c" })));
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 2, driven: 1, unreachable: 1, refused: 0 });
    await clock.advance(1_000);
    expect(await log.find("Probe", "lost", "c")).toMatchObject({ status: "pending", epoch: 0 });
    expect(await log.find("Probe", "found", "c")).toMatchObject({ status: "success" });
  });

  test("[CALL10] a busy owner is asked again later: overload fails no row", async () => {
    const { clock, log, cluster, maintenance, run } = setup({ config: { mailbox: 1 } });
    const first = cluster.send("Probe", "a", "slow");
    await clock.advance(1);
    await log.write([1, 2, 3].map((index) => enqueued({ id: "a", callId: `c${index}` })));
    const report = await run(maintenance.reconcile());
    expect(report).toMatchObject({ seen: 3, refused: 0 });
    expect(report.unreachable).toBeGreaterThan(0);
    gates.get("a")?.();
    await clock.advance(1_000);
    await first;
    for (let round = 0; round < 3; round++) {
      await run(maintenance.reconcile());
      await clock.advance(1_000);
    }
    expect(await total(cluster, "a")).toBe(3);
  });

  test("[CALL10] more rows than one batch are all taken, none twice", async () => {
    const { clock, log, maintenance, run } = setup();
    const rows = Array.from({ length: 1_203 }, (_, index) => enqueued({ id: `o${index % 50}`, callId: `c${index}` }));
    for (let start = 0; start < rows.length; start += 1_000) await log.write(rows.slice(start, start + 1_000));
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 1_203, driven: 1_203, complete: true });
    await clock.advance(2_000);
    expect(runs).toHaveLength(1_203);
  });

  test("[CALL10] one outcome the log will not take does not keep the other rows from their end", async () => {
    const { log, maintenance, run } = setup();
    await log.write([
      enqueued({ id: "a/b", callId: "bad" }),
      ...Array.from({ length: 600 }, (_, index) => enqueued({ id: "fine", callId: `c${index}` })),
    ]);
    // As `durable/postgres-log-write.ts` does: the rest of the batch is written, the refused one named.
    const write = log.write.bind(log);
    log.write = async (records) => {
      const refused = records.filter(({ callId }) => callId === "bad");
      await write(records.filter((record) => !refused.includes(record)));
      if (refused.length > 0) throw new EdgeverseError("INVALID_ARGUMENT", "refused", { details: { refused } });
    };
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 601, driven: 600, complete: true });
  });

  test("[CALL10] with the log away it says so", async () => {
    const { log, maintenance } = setup();
    log.down = true;
    await expect(maintenance.reconcile()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    await expect(maintenance.cleanUp({ olderThan: null, dryRun: false })).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
    });
  });
});

describe("cleanup", () => {
  const marks = (cluster: TestCluster) =>
    [...cluster.storages.values()].flatMap((storage) => {
      const there = storage.query("SELECT 1 AS yes FROM sqlite_master WHERE name = 'calls'");
      return there.length === 0 ? [] : storage.query("SELECT call_id, status FROM calls");
    });

  async function withHistory() {
    const made = setup();
    const { clock, cluster } = made;
    for (const id of ["a", "b", "c"]) await cluster.call("Probe", id, "add", { by: 1 }, { callId: "old" });
    await cluster.call("Probe", "a", "refuse", undefined, { callId: "no" }).catch(() => {});
    await clock.advance(20 * DAY);
    await cluster.call("Probe", "a", "add", { by: 1 }, { callId: "young" });
    await clock.advance(1_000);
    return made;
  }

  test("[CALL9] rows and marks older than retention go, younger ones stay", async () => {
    const { clock, log, cluster, maintenance, run } = await withHistory();
    const none = { counts: { success: 0, failed: 0, expired: 0 }, marks: 0, complete: true };
    expect(await run(maintenance.cleanUp({ olderThan: null, dryRun: false }))).toMatchObject(none);
    gates.clear();
    await clock.advance(10 * DAY - 1_000);
    const report = await run(maintenance.cleanUp({ olderThan: null, dryRun: false }));
    expect(report).toMatchObject({ counts: { success: 3, failed: 1, expired: 0 }, marks: 4, complete: true });
    expect(report.before).toBeLessThanOrEqual(clock.now() - 30 * DAY);
    expect((await log.list({ limit: 10 })).calls.map(({ callId }) => callId)).toContain("young");
    expect(marks(cluster)).toContainEqual({ call_id: "young", status: "success" });
    expect(marks(cluster).some((mark) => mark["call_id"] === "old")).toBe(false);
  });

  test("[CALL9] a pending call is never removed, however old", async () => {
    const { clock, log, cluster, maintenance, run } = setup();
    const stuck = cluster.send("Probe", "s", "slow", undefined, { callId: "stuck", answer: "accepted" });
    await clock.advance(1_000);
    await stuck;
    await log.write([enqueued({ id: "a", callId: "in", acceptedAt: 0 })]);
    const owner = cluster.storage(cluster.router.owner("s"));
    for (const open of [1, 0]) {
      owner.query("UPDATE calls SET accepted = 0, open = ?", open);
      const report = await run(maintenance.cleanUp({ olderThan: 0, dryRun: false }));
      expect(report).toMatchObject({ counts: { success: 0, failed: 0, expired: 0 }, marks: 0 });
    }
    expect((await log.list({ status: "pending", limit: 10 })).calls).toHaveLength(2);
    expect(marks(cluster)).toEqual([{ call_id: "stuck", status: "pending" }]);
  });

  test("[CALL9] an operator may remove younger rows, but marks never: a call would run again", async () => {
    const { log, cluster, maintenance, run } = await withHistory();
    const report = await run(maintenance.cleanUp({ olderThan: 0, dryRun: false }));
    expect(report.counts.success).toBeGreaterThanOrEqual(4);
    expect(report.marks).toBe(0);
    expect(await log.find("Probe", "a", "old")).toBeNull();
    const before = runs.length;
    expect(await cluster.call("Probe", "a", "add", { by: 1 }, { callId: "old" })).toEqual({ total: 1 });
    expect(runs).toHaveLength(before);
  });

  test("[CALL9] a longer time than retention keeps marks for that long", async () => {
    const { clock, cluster, maintenance, run } = await withHistory();
    await clock.advance(40 * DAY);
    const before = marks(cluster).length;
    expect(await run(maintenance.cleanUp({ olderThan: 90 * DAY, dryRun: false }))).toMatchObject({ marks: 0 });
    expect(marks(cluster)).toHaveLength(before);
  });

  test("[CALL9] a mark whose outcome the log has not seen stays", async () => {
    const { clock, log, cluster, connect, run } = setup();
    log.down = true;
    await cluster.call("Probe", "a", "add", { by: 1 }, { callId: "c" });
    const owner = cluster.router.owner("a");
    expect(await run(connect(owner).removeMarks(clock.now() + DAY, 500, false))).toBe(0);
    expect(marks(cluster)).toEqual([{ call_id: "c", status: "success" }]);
    log.down = false;
    await clock.advance(1_000);
    expect(await run(connect(owner).removeMarks(clock.now() + DAY, 500, false))).toBe(1);
    expect(marks(cluster)).toEqual([]);
  });

  test("[CALL9] dryRun counts what would go and changes nothing", async () => {
    const { clock, log, cluster, maintenance, run } = await withHistory();
    await clock.advance(11 * DAY);
    const before = [await log.list({ limit: 100 }), marks(cluster)];
    const plan = await run(maintenance.cleanUp({ olderThan: null, dryRun: true }));
    expect(plan).toMatchObject({ dryRun: true, marks: 4 });
    expect([await log.list({ limit: 100 }), marks(cluster)]).toEqual(before);
    const done = await run(maintenance.cleanUp({ olderThan: null, dryRun: false }));
    expect({ ...done, dryRun: true, before: plan.before }).toEqual(plan);
  });

  test("[CALL9] goes in batches of 500 and ends early when there is no end", async () => {
    const { cluster, clock } = setup();
    const limits: number[] = [];
    const endless = new MemoryCallLog(clock);
    endless.removeFinished = async (_before, limit): Promise<FinalCounts> => {
      limits.push(limit);
      return { success: limit - 1, failed: 1, expired: 0 };
    };
    let markBatches = 0;
    const maintenance = new LogMaintenance({
      log: endless,
      router: cluster.router,
      config: cluster.config,
      clock,
      connect: () => ({
        callRecord: async () => null,
        removeMarks: async (_before, limit) => {
          markBatches++;
          return limit;
        },
      }),
    });
    const report = await maintenance.cleanUp({ olderThan: null, dryRun: false });
    expect(report.complete).toBe(false);
    expect(Math.max(...limits)).toBeLessThanOrEqual(500);
    expect(limits.length).toBeLessThanOrEqual(2_000);
    expect(markBatches).toBeLessThanOrEqual(2_010);
    const look = await maintenance.cleanUp({ olderThan: null, dryRun: true });
    expect(look).toMatchObject({ dryRun: true, complete: false });
  });

  test("[CALL9] many rows and marks are removed completely in one run", async () => {
    const { clock, log, cluster, maintenance, run } = setup();
    const sent = Array.from({ length: 1_100 }, (_, index) =>
      cluster.send("Probe", `o${index % 20}`, "add", { by: 1 }, { callId: `c${index}` }),
    );
    await clock.advance(2_000);
    await Promise.all(sent);
    await clock.advance(31 * DAY);
    const report = await run(maintenance.cleanUp({ olderThan: null, dryRun: false }));
    expect(report).toMatchObject({ counts: { success: 1_100 }, marks: 1_100, complete: true });
    expect((await log.list({ limit: 10 })).calls).toEqual([]);
    expect(marks(cluster)).toEqual([]);
  });
});
