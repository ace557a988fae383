import type { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { wasWhole } from "../../src/reliable/maintenance.ts";
import { enqueued, idsOf, letPass, one, runs, setup, watched } from "./maintenance-fixture.ts";

describe("a small budget", () => {
  const rowsOf = (cluster: TestCluster) =>
    ["p0", "p1", "p2"].map((name) => enqueued({ id: one(cluster, name), callId: "c" }));

  test("[CALL10] is spent on another partition first each time, and what it leaves is counted", async () => {
    const first = new Set<string>();
    for (let turn = 0; turn < 3; turn++) {
      // A page, three looks, and one to drive.
      const { clock, cluster, log, reconcile, subrequests, asked } = watched(undefined, { upkeepMessages: 7 });
      await clock.advance(turn * 1_000);
      await log.write(rowsOf(cluster));
      expect(await reconcile()).toMatchObject({ seen: 3, driven: 1, left: 2, pending: 0, complete: false });
      expect(subrequests()).toBeLessThanOrEqual(7);
      for (const [name] of asked.batches) first.add(name);
      await clock.advance(1_000);
      expect(await reconcile()).toMatchObject({ seen: 2, driven: 1, left: 1, complete: false });
      await clock.advance(1_000);
      expect(await reconcile()).toMatchObject({ seen: 1, driven: 1, left: 0, complete: true });
    }
    expect([...first].sort()).toEqual(["p0", "p1", "p2"]);
  });

  test("[CALL10] that a page takes leaves all of its rows", async () => {
    const { cluster, log, reconcile, subrequests } = watched(undefined, { upkeepMessages: 1 });
    await log.write(rowsOf(cluster));
    expect(await reconcile()).toMatchObject({ seen: 3, driven: 0, left: 3, unreachable: 0, complete: false });
    expect(subrequests()).toBe(1);
  });

  test("[CALL10] without a statement to spare writes no outcome", async () => {
    const { clock, cluster, log, reconcile, subrequests } = watched(undefined, { upkeepMessages: 2 });
    const write = log.write.bind(log);
    log.write = async () => {};
    await cluster.call("Probe", "a", "add", { by: 1 }, { callId: "c" });
    await clock.advance(1_000);
    log.write = write;
    await log.write([enqueued({ id: "a", callId: "c" })]);
    const before = subrequests();
    expect(await reconcile()).toMatchObject({ seen: 1, completed: 0, left: 1, complete: false });
    expect(subrequests() - before).toBe(2);
  });
});

test("[CALL10] a partition that has the log looked at is told whether it was, wholly", async () => {
  // A page, two looks, and one to drive.
  const { clock, cluster, log, maintenance, run } = watched(undefined, { upkeepMessages: 6 });
  const wholly = () => run(maintenance.reconcile().then(wasWhole));
  expect(await wholly()).toBe(true);
  await log.write(["p0", "p1"].map((name) => enqueued({ id: one(cluster, name), callId: "c" })));
  expect(await wholly()).toBe(false);
  for (const name of ["p0", "p1"]) cluster.unreachable.add(name);
  expect(await wholly()).toBe(false);
  cluster.unreachable.clear();
  await clock.advance(1_000);
  expect(await wholly()).toBe(true);
});

describe("many rows", () => {
  test("[CALL10] 20,000 rows take few subrequests, and a run that its budget ends is gone on with", async () => {
    const { clock, log, maintenance, run, subrequests } = setup({ config: { upkeepMessages: 60 } });
    for (let start = 0; start < 20_000; start += 1_000)
      await log.write(
        Array.from({ length: 1_000 }, (_, index) => enqueued({ id: `o${index % 97}`, callId: `c${start + index}` })),
      );
    let driven = 0;
    let rounds = 0;
    for (let complete = false; !complete; rounds++) {
      const before = subrequests();
      const report = await run(maintenance.reconcile());
      expect(subrequests() - before).toBeLessThanOrEqual(66);
      expect(report).toMatchObject({ unreachable: 0, silent: [] });
      expect(report.driven + report.left).toBeLessThanOrEqual(report.seen);
      driven += report.driven;
      complete = report.complete;
      await clock.advance(2_000);
    }
    expect([driven, runs.length]).toEqual([20_000, 20_000]);
    expect(rounds).toBeGreaterThan(2);
    expect(rounds).toBeLessThan(15);
  });

  test("[CALL10] rows at the end are reached though those before them can't be settled", async () => {
    const { log, cluster, maintenance, run } = setup({ config: { upkeepMessages: 12 } });
    cluster.unreachable.add("p1");
    const rows = idsOf(cluster, "p1", 12_000).map((id) => enqueued({ id, callId: "c" }));
    for (let start = 0; start < rows.length; start += 1_000) await log.write(rows.slice(start, start + 1_000));
    const [healthy] = idsOf(cluster, "p0", 1) as [string];
    await log.write([enqueued({ id: healthy, callId: "c" })]);
    expect(await run(maintenance.reconcile())).toMatchObject({ driven: 0, complete: false });
    expect(await run(maintenance.reconcile())).toMatchObject({ driven: 1 });
  });

  test("[CALL10] a run begins where time was up in the last, and ends there: it sees each row once", async () => {
    const { clock, log, cluster, maintenance, run, subrequests } = setup();
    cluster.unreachable.add("p1");
    for (let start = 0; start < 21_000; start += 1_000)
      await log.write(
        Array.from({ length: 1_000 }, (_, index) => enqueued({ id: `partition#p1/${start + index}`, callId: "c" })),
      );
    const { pending } = log;
    // Ten pages take 59 s.
    log.pending = async (options) => {
      await new Promise<void>((resolve) => clock.after(5_900, resolve));
      return pending.call(log, options);
    };
    expect(await letPass(clock, maintenance.reconcile(), 100)).toMatchObject({
      seen: 11_000,
      unreachable: 11_000,
      left: 0,
      complete: false,
    });
    log.pending = pending;
    const before = subrequests();
    expect(await run(maintenance.reconcile())).toMatchObject({ seen: 21_000, unreachable: 21_000, complete: true });
    // 12 pages behind that place, 10 before it, 10 more that show where to end, and one message.
    expect(subrequests() - before).toBe(33);
  });
});
