import { ManualClock, SqliteStorage } from "edgeverse/testing";
import { expect, test } from "vitest";
import { CallCounters } from "../../src/observe/call-counters.ts";
import { OrphanWatch } from "../../src/partition/calls/orphan-watch.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { reconcileReport } from "../support/reconcile-report.ts";

const MINUTE = 60_000;

function setup() {
  const storage = new SqliteStorage();
  migrate(storage);
  const clock = new ManualClock();
  const start = clock.now();
  const made = { alarms: 0, reconcile: async () => reconcileReport() };
  const onDue = () => {
    made.alarms++;
  };
  const counters = new CallCounters();
  const watch = new OrphanWatch({ storage, clock, reconcile: () => made.reconcile(), counters, onDue });
  const due = () => (watch.due === undefined ? undefined : watch.due - start);
  const notes = () => storage.query("SELECT 1 FROM meta WHERE key = 'orphans'").length;
  return { clock, made, watch, due, notes, counters };
}

test("[CALL10] a look is due a minute after the last statement, five minutes after the first; noted once", async () => {
  const { clock, made, watch, due, notes } = setup();
  expect([due(), notes()]).toEqual([undefined, 0]);
  const dues: unknown[] = [];
  for (let n = 0; n < 12; n++) {
    await watch.note();
    dues.push(due());
    await clock.advance(MINUTE / 2);
  }
  expect(dues).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10].map((halves) => (halves * MINUTE) / 2));
  expect([made.alarms, notes()]).toEqual([1, 1]);
});

test("[CALL10] after a look that found all there is nothing to do until the next statement", async () => {
  const { clock, made, watch, due, notes } = setup();
  for (let round = 1; round <= 2; round++) {
    await watch.note();
    await clock.advance(MINUTE);
    await watch.look();
    expect([due(), notes(), made.alarms]).toEqual([undefined, 0, round]);
  }
});

test("[CALL17] what looks found is counted", async () => {
  const { clock, made, watch, counters } = setup();
  await watch.note();
  await clock.advance(MINUTE);
  made.reconcile = async () => reconcileReport({ seen: 3, driven: 2, unreachable: 1 });
  await watch.look();
  await clock.advance(5 * MINUTE);
  await watch.look();
  expect(counters.values.reconciler).toMatchObject({ runs: 2, seen: 6, driven: 4, completed: 0, unreachable: 2 });
});

test("[CALL10] a statement during the look has a look of its own", async () => {
  const { clock, made, watch, due, notes } = setup();
  await watch.note();
  await clock.advance(MINUTE);
  made.reconcile = async () => {
    await watch.note();
    return reconcileReport();
  };
  await watch.look();
  expect([due(), notes()]).toEqual([2 * MINUTE, 1]);
});

test("[CALL10] looks that fail come at longer and longer intervals, up to an hour", async () => {
  const { clock, made, watch, notes } = setup();
  await watch.note();
  await clock.advance(MINUTE);
  made.reconcile = () => Promise.reject(new Error("away"));
  const waits: number[] = [];
  for (let n = 0; n < 12; n++) {
    await watch.look();
    const wait = (watch.due ?? 0) - clock.now();
    waits.push(wait / MINUTE);
    await clock.advance(wait);
  }
  expect(waits).toEqual([2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60]);
  expect(notes()).toBe(1);
});
