import { MemoryCallLog, type TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { LogMaintenance } from "../../src/reliable/log-maintenance.ts";
import type { FinalCounts } from "../../src/reliable/ports.ts";
import { DAY, enqueued, gates, runs, setup } from "./log-maintenance-fixture.ts";

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
