import { describe, expect, test } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import type { CallRecord } from "../../src/reliable/call-record.ts";
import type { PartitionClient } from "../../src/router/ports.ts";
import { reconcileReport } from "../support/reconcile-report.ts";
import { enqueued, gates, idsOf, runs, STALE, setup, total } from "./maintenance-fixture.ts";

describe("reconciling", () => {
  test("[CALL11] rows that an outsider inserted run exactly once and get their outcome", async () => {
    const { clock, log, cluster, maintenance, run } = setup();
    const ids = ["a", "b", "shard#5/c", "partition#p1/d"];
    await log.write(ids.map((id, index) => enqueued({ id, callId: `in-${index}` })));
    await log.write([enqueued({ id: "a", callId: "no", method: "refuse", request: null })]);
    expect(await run(maintenance.reconcile())).toEqual(reconcileReport({ seen: 5, driven: 5 }));
    await clock.advance(1_000);
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 0, complete: true });
    expect([...runs].sort()).toEqual(["a:1", "a:refuse", "b:1", "partition#p1/d:1", "shard#5/c:1"]);
    for (const id of ids) expect(await total(cluster, id)).toBe(1);
    const { calls } = await log.list({ limit: 10 });
    expect(calls.map(({ status }) => status).sort()).toEqual(["failed", "success", "success", "success", "success"]);
    for (const call of calls) {
      expect(call.epoch).toBeGreaterThanOrEqual(1);
      expect(call).toMatchObject({ attempts: 1, finishedAt: expect.any(Number) });
      expect(call.requestHash).toMatch(/^(add|refuse|run)\n/);
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
    const { clock, log, cluster, maintenance, run } = setup();
    const [lost, found] = ["p1", "p0"].map((name) => idsOf(cluster, name, 1)[0] as string) as [string, string];
    cluster.unreachable.add("p1");
    await log.write([lost, found].map((id) => enqueued({ id, callId: "c" })));
    expect(await run(maintenance.reconcile())).toMatchObject({
      seen: 2,
      driven: 1,
      unreachable: 1,
      refused: 0,
      silent: ["p1"],
      complete: true,
    });
    await clock.advance(1_000);
    expect(await log.find("Probe", lost, "c")).toMatchObject({ status: "pending", epoch: 0 });
    expect(await log.find("Probe", found, "c")).toMatchObject({ status: "success" });
    cluster.unreachable.clear();
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 1, driven: 1, silent: [] });
  });

  test("[CALL10] 2,000 rows of a partition that hangs delay no other's, and cost one message", async () => {
    const hangs = new Proxy({} as PartitionClient, { get: () => () => new Promise(() => undefined) });
    const { clock, log, cluster, maintenance, subrequests } = setup({
      pretend: (name, client) => (name === "p1" ? hangs : client),
    });
    const rows = idsOf(cluster, "p1", 2_000).map((id) => enqueued({ id, callId: "c" }));
    for (let start = 0; start < rows.length; start += 1_000) await log.write(rows.slice(start, start + 1_000));
    const [healthy] = idsOf(cluster, "p0", 1) as [string];
    await log.write([enqueued({ id: healthy, callId: "c" })]);
    const begun = clock.now();
    const report = maintenance.reconcile();
    await clock.advance(100);
    expect(runs).toEqual([`${healthy}:1`]);
    await clock.advance(10_000);
    expect(await report).toMatchObject({ seen: 2_001, driven: 1, unreachable: 2_000, silent: ["p1"], complete: true });
    expect(clock.now() - begun).toBeLessThan(11_000);
    expect(subrequests()).toBeLessThan(12);
  });

  test("[CALL10] large requests are read a few at a time", async () => {
    const { clock, log, maintenance, run } = setup();
    const request = JSON.stringify({ by: 1, padding: "x".repeat(700_000) });
    for (let index = 0; index < 20; index++) await log.write([enqueued({ id: "big", callId: `c${index}`, request })]);
    const sizes: number[] = [];
    const read = log.read.bind(log);
    log.read = async (seqs) => {
      const calls = await read(seqs);
      sizes.push(calls.reduce((all, call) => all + (call.request?.length ?? 0), 0));
      return calls;
    };
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 20, driven: 20, complete: true });
    expect(Math.max(...sizes)).toBeLessThan(4_200_000);
    await clock.advance(1_000);
    expect(runs).toHaveLength(20);
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
    await expect(maintenance.reconcile()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE", retryable: true });
    await expect(maintenance.cleanUp({ olderThan: null, dryRun: false })).rejects.toMatchObject({
      code: "LOG_UNAVAILABLE",
    });
  });
});
