import type { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import type { FinalCounts } from "../../src/reliable/ports.ts";
import type { PartitionClient } from "../../src/router/ports.ts";
import { DAY, enqueued, gates, idsOf, letPass, runs, setup } from "./maintenance-fixture.ts";

const ONE: FinalCounts = { success: 1, failed: 0, expired: 0 };

describe("cleanup", () => {
  const marks = (cluster: TestCluster) =>
    [...cluster.storages.values()].flatMap((storage) => {
      const there = storage.query("SELECT 1 AS yes FROM sqlite_master WHERE name = 'calls'");
      return there.length === 0 ? [] : storage.query("SELECT call_id, status FROM calls");
    });

  async function withHistory(options: Parameters<typeof setup>[0] = {}) {
    const made = setup(options);
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

  test("[CALL9] a type's own retention counts for its rows, its marks and the age of call ids", async () => {
    const { clock, log, cluster, maintenance, run } = setup();
    const made = clock.now().toString(16).padStart(12, "0");
    const callId = `${made.slice(0, 8)}-${made.slice(8)}-7000-8000-000000000000`;
    const call = (type: "Brief" | "Probe") => {
      const [method, request] = type === "Brief" ? ["run", undefined] : ["add", { by: 1 }];
      return cluster.call(type, "a", method as string, request, { callId });
    };
    for (const type of ["Brief", "Probe"] as const) await call(type);
    await clock.advance(2 * DAY);
    const counted = { counts: { success: 1 }, marks: 1 };
    expect(await run(maintenance.cleanUp({ olderThan: null, dryRun: true }))).toMatchObject(counted);
    expect(await run(maintenance.cleanUp({ olderThan: null, dryRun: false }))).toMatchObject(counted);
    expect((await log.list({ limit: 10 })).calls.map(({ type }) => type)).toEqual(["Probe"]);
    expect(marks(cluster)).toHaveLength(1);
    await expect(call("Brief")).rejects.toMatchObject({ code: "EXPIRED_CALL_ID" });
    expect(await call("Probe")).toEqual({ total: 1 });
    expect(runs.filter((name) => name === "a:run")).toHaveLength(1);
    // What an operator asks for counts for the rows of all types alike.
    await cluster.call("Brief", "b", "run", undefined, { callId: "young" });
    await clock.advance(1_000);
    const all = await run(maintenance.cleanUp({ olderThan: 0, dryRun: false }));
    expect(all).toMatchObject({ counts: { success: 2 }, marks: 0 });
  });

  test("[CALL9] a pending call is never removed, however old", async () => {
    const { clock, log, cluster, maintenance, run } = setup();
    const stuck = cluster.send("Probe", "s", "slow", undefined, { callId: "stuck", answer: "accepted" });
    await clock.advance(1_000);
    await stuck;
    await log.write([enqueued({ id: "a", callId: "in", acceptedAt: 0 })]);
    const owner = cluster.storage(cluster.router.owner({ type: "T", id: "s" }));
    owner.query("UPDATE pending SET accepted = 0");
    const report = await run(maintenance.cleanUp({ olderThan: 0, dryRun: false }));
    expect(report).toMatchObject({ counts: { success: 0, failed: 0, expired: 0 }, marks: 0 });
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
    const owner = connect(cluster.router.owner({ type: "T", id: "a" }));
    const sweep = () => owner.sweepMarks({ before: clock.now() + DAY, after: null, dryRun: false });
    expect(await run(sweep())).toMatchObject({ removed: { success: 0 }, next: null });
    expect(marks(cluster)).toEqual([{ call_id: "c", status: "success" }]);
    log.down = false;
    await clock.advance(31_000);
    expect(await run(sweep())).toEqual({ removed: { success: 1, failed: 0, expired: 0 }, visited: 1, next: null });
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

  const finished = (status: "success" | "failed" | "expired", count: number) =>
    Array.from({ length: count }, (_, index) =>
      enqueued({ id: "a", callId: `${status}${index}`, status, finishedAt: 1 }),
    );

  test("[CALL9] rows are counted by how they ended, and go until there are none", async () => {
    const { log, maintenance, run } = setup();
    for (const status of ["expired", "failed", "success"] as const) await log.write(finished(status, 500));
    const report = await run(maintenance.cleanUp({ olderThan: null, dryRun: false }));
    expect(report).toMatchObject({ counts: { success: 500, failed: 500, expired: 500 }, complete: true });
    expect(log.rows).toEqual([]);
  });

  test("[CALL9] rows that are left over make a run incomplete; the next goes on", async () => {
    const { log, maintenance, run } = setup({ config: { upkeepMessages: 6 } });
    for (let count = 0; count < 4; count++)
      await log.write(finished("failed", 1_000).map((row) => ({ ...row, id: `o${count}` })));
    const clean = () => run(maintenance.cleanUp({ olderThan: null, dryRun: false }));
    expect(await clean()).toMatchObject({ counts: { failed: 3_000 }, complete: false });
    expect(await clean()).toMatchObject({ counts: { failed: 1_000 }, complete: true });
  });

  test("[CALL9] a partition is swept from where it stopped, and each is the first in its turn", async () => {
    const first: string[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const asked: [partition: string, after: number | undefined][] = [];
      const { clock, maintenance, run } = setup({
        // Five steps.
        config: { upkeepMessages: 10 },
        pretend: (name, client) => ({
          ...client,
          sweepMarks: async ({ after }) => {
            asked.push([name, after?.position]);
            const position = (after?.position ?? 0) + 1;
            const next = { position, type: "Probe", id: "a", callId: "c", oldest: 0 };
            return { removed: ONE, visited: 1_000, next };
          },
        }),
      });
      await clock.advance(turn * 1_000);
      await run(maintenance.cleanUp({ olderThan: null, dryRun: false }));
      expect(asked.map(([, after]) => after)).toEqual([undefined, undefined, undefined, 1, 1]);
      first.push(asked[0]?.[0] as string);
    }
    expect(first.sort()).toEqual(["p0", "p1", "p2"]);
  });

  test("[CALL9] a run takes a minute at most, half of it for marks", async () => {
    const { clock, log, maintenance } = setup({
      pretend: (_, client) => ({
        ...client,
        sweepMarks: async () => {
          await new Promise<void>((resolve) => clock.after(1_000, resolve));
          return { removed: ONE, visited: 1, next: { position: 1, type: "Probe", id: "a", callId: "c", oldest: 0 } };
        },
      }),
    });
    log.removeFinished = async (_before, limit): Promise<FinalCounts> => {
      await new Promise<void>((resolve) => clock.after(1_000, resolve));
      return { success: limit, failed: 0, expired: 0 };
    };
    const begun = clock.now();
    const report = await letPass(clock, maintenance.cleanUp({ olderThan: null, dryRun: false }), 100);
    expect(clock.now() - begun).toBeLessThanOrEqual(60_100);
    expect(report).toMatchObject({ marks: 3 * 30, counts: { success: 30_000 }, complete: false });
  });

  test("[CALL9] all partitions that are silent are named, in order", async () => {
    for (let turn = 0; turn < 3; turn++) {
      const { clock, cluster, maintenance, run } = setup();
      await clock.advance(turn * 1_000);
      for (const name of ["p2", "p0"]) cluster.unreachable.add(name);
      const report = await run(maintenance.cleanUp({ olderThan: null, dryRun: false }));
      expect(report).toMatchObject({ silent: ["p0", "p2"], complete: false });
    }
  });

  test("[CALL9] a run takes no more than its budget, and every partition has its share", async () => {
    const steps = new Map<string, number>();
    const { log, maintenance, subrequests, run } = setup({
      config: { upkeepMessages: 100 },
      pretend: (name, client) => ({
        ...client,
        sweepMarks: async () => {
          const step = (steps.get(name) ?? 0) + 1;
          steps.set(name, step);
          const next = { position: step, type: "Probe", id: "a", callId: "c", oldest: 0 };
          return { removed: ONE, visited: 1_000, next };
        },
      }),
    });
    log.removeFinished = async (_before, limit): Promise<FinalCounts> => ({
      success: limit - 1,
      failed: 1,
      expired: 0,
    });
    expect(await run(maintenance.cleanUp({ olderThan: null, dryRun: false }))).toMatchObject({ complete: false });
    expect(subrequests()).toBeLessThanOrEqual(100);
    expect([...steps.keys()].sort()).toEqual(["p0", "p1", "p2"]);
    expect(Math.min(...steps.values())).toBeGreaterThanOrEqual(16);
    const look = await run(maintenance.cleanUp({ olderThan: null, dryRun: true }));
    expect(look).toMatchObject({ dryRun: true, complete: false });
  });

  test("[CALL9] a partition that hangs is named, and the marks of the others go", async () => {
    const hangs = new Proxy({} as PartitionClient, { get: () => () => new Promise(() => undefined) });
    let silent = "";
    const { clock, cluster, maintenance } = setup({ pretend: (name, client) => (name === silent ? hangs : client) });
    const ids = ["p0", "p1", "p2"].map((name) => idsOf(cluster, name, 1)[0] as string);
    for (const id of ids) await cluster.call("Probe", id, "add", { by: 1 }, { callId: "old" });
    await clock.advance(31 * DAY);
    silent = "p0";
    const report = maintenance.cleanUp({ olderThan: null, dryRun: false });
    await clock.advance(6_000);
    expect(await report).toMatchObject({ marks: 2, silent: ["p0"], complete: false, counts: { success: 3 } });
    expect(marks(cluster)).toHaveLength(1);
  });

  test("[CALL9] [CALL14] marks are the rows of a local log, and removed as such", async () => {
    const { clock, cluster, maintenance, run } = await withHistory({ withoutLog: true });
    await clock.advance(11 * DAY);
    expect(await run(maintenance.cleanUp({ olderThan: null, dryRun: false }))).toMatchObject({
      counts: { success: 3, failed: 1, expired: 0 },
      marks: 4,
      complete: true,
    });
    expect(marks(cluster)).toEqual([{ call_id: "young", status: "success" }]);
    await expect(maintenance.reconcile()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE", retryable: false });
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
