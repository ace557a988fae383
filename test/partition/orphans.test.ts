import { EdgeverseError, method, VirtualObject } from "edgeverse";
import { ManualClock, MemoryCallLog, SqliteStorage, TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { CallCounters } from "../../src/observe/call-counters.ts";
import { OrphanWatch } from "../../src/partition/calls/orphan-watch.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import type { CallRecord } from "../../src/reliable/call-record.ts";
import { reconcileReport } from "../support/reconcile-report.ts";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

let runs: string[] = [];

class Probe extends VirtualObject<{ total: number }> {
  static override readonly type = "Probe";
  static override readonly state = z.object({ total: z.number().default(0) });
  static override readonly methods = {
    add: method({ log: "write-ahead" }),
    later: method({ log: "write-behind" }),
  };
  add() {
    runs.push(this.id);
    return ++this.state.total;
  }
  later() {
    return ++this.state.total;
  }
}

/** A log that counts what it is asked, and tells a test when it has written pending calls. */
class WatchedLog extends MemoryCallLog {
  statements = 0;
  onPending = () => {};

  override async write(records: readonly CallRecord[]): Promise<void> {
    this.statements++;
    await super.write(records);
    if (records.some(({ status }) => status === "pending")) this.onPending();
  }

  override pending(options: Parameters<MemoryCallLog["pending"]>[0]) {
    this.statements++;
    return super.pending(options);
  }
}

function setup() {
  runs = [];
  const clock = new ManualClock();
  const log = new WatchedLog(clock);
  const made = new TestCluster({ objects: [Probe], partitions: 2, clock, log });
  const call = (id: string, callId: string, name = "add") => made.call("Probe", id, name, undefined, { callId });
  const notes = () =>
    [...made.storages.values()].flatMap((storage) => storage.query("SELECT key FROM meta WHERE key = 'orphans'"));
  return { clock, log, made, call, notes };
}

test("[CALL10] a call whose row the log has, and which a crash kept from its acceptance, runs by itself, once", async () => {
  const { clock, log, made, call, notes } = setup();
  const owner = made.ownerOf(Probe, "a");
  log.onPending = () => {
    log.onPending = () => {};
    // Nobody calls again: the caller gives up before the partition is back.
    made.unreachable.add(owner);
    made.crash(owner);
  };
  const answer = call("a", "c").catch((error: EdgeverseError) => error.code);
  await clock.advance(MINUTE / 2);
  expect([await answer, runs, (await log.find("Probe", "a", "c"))?.status]).toEqual(["UNAVAILABLE", [], "pending"]);
  made.unreachable.delete(owner);
  await clock.advance(3 * MINUTE);
  expect([runs, (await log.find("Probe", "a", "c"))?.status]).toEqual([["a"], "success"]);
  await clock.advance(10 * MINUTE);
  expect([notes(), made.storage(owner).wake]).toEqual([[], null]);
  expect(await call("a", "c")).toBe(1);
});

test("[CALL10] a call whose row the log wrote and did not confirm runs by itself, once", async () => {
  const { clock, log, made, call } = setup();
  log.onPending = () => {
    throw new EdgeverseError("LOG_UNAVAILABLE", "the answer was lost");
  };
  await expect(call("a", "c")).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  log.onPending = () => {};
  expect(runs).toEqual([]);
  await clock.advance(3 * MINUTE);
  expect([runs, (await log.find("Probe", "a", "c"))?.status]).toEqual([["a"], "success"]);
  expect(made.storage(made.ownerOf(Probe, "a")).wake).toBeNull();
});

test("[MEM2] an idle cluster asks Postgres nothing, and has no alarms", async () => {
  const { clock, log, made, call, notes } = setup();
  await call("a", "c1");
  await call("b", "c2", "later");
  expect(notes().length).toBeGreaterThan(0);
  await clock.advance(5 * MINUTE);
  const statements = log.statements;
  await clock.advance(DAY);
  expect(log.statements).toBe(statements);
  expect(notes()).toEqual([]);
  for (const storage of made.storages.values()) expect(storage.wake).toBeNull();
});

test("[MEM2] calls that are written behind give no cause to look", async () => {
  const { clock, log, call, notes } = setup();
  const looks = log.pending.bind(log);
  let looked = 0;
  log.pending = (options) => {
    looked++;
    return looks(options);
  };
  await call("a", "c", "later");
  await clock.advance(10 * MINUTE);
  expect([notes(), looked]).toEqual([[], 0]);
});

test("[CALL10] calls without end do not put the look off", async () => {
  const { clock, log, made, call } = setup();
  const owner = made.ownerOf(Probe, "a");
  log.onPending = () => {
    log.onPending = () => {};
    made.unreachable.add(owner);
    made.crash(owner);
  };
  const answer = call("a", "lost").catch((error: EdgeverseError) => error.code);
  await clock.advance(MINUTE / 2);
  await answer;
  made.unreachable.delete(owner);
  for (let index = 0; index < 40; index++) {
    await call("a", `c${index}`);
    await clock.advance(MINUTE / 4);
  }
  expect(await log.find("Probe", "a", "lost")).toMatchObject({ status: "success" });
});

test("[CALL10] while the log is away the look is put off, and made up for", async () => {
  const { clock, log, made, call, notes } = setup();
  log.onPending = () => {
    throw new EdgeverseError("LOG_UNAVAILABLE", "the answer was lost");
  };
  await call("a", "c").catch(() => undefined);
  log.onPending = () => {};
  log.down = true;
  await clock.advance(DAY);
  expect(notes()).toHaveLength(1);
  const { wake } = made.storage(made.ownerOf(Probe, "a"));
  expect((wake ?? 0) - clock.now()).toBeLessThanOrEqual(60 * MINUTE);
  expect(log.statements).toBeLessThan(50);
  log.down = false;
  await clock.advance(61 * MINUTE);
  expect([runs, notes(), (await log.find("Probe", "a", "c"))?.status]).toEqual([["a"], [], "success"]);
});

test("[CALL10] an orphan of the last seconds before the look that statements without end can't put off is found", async () => {
  const { clock, log, call } = setup();
  const start = clock.now();
  for (let index = 0; clock.now() < start + 4.5 * MINUTE; index++) {
    await call("a", `c${index}`);
    await clock.advance(MINUTE / 3);
  }
  await clock.advance(start + 5 * MINUTE - 2_000 - clock.now());
  log.onPending = () => {
    throw new EdgeverseError("LOG_UNAVAILABLE", "the answer was lost");
  };
  await expect(call("a", "lost")).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  log.onPending = () => {};
  await clock.advance(3 * MINUTE);
  expect(await log.find("Probe", "a", "lost")).toMatchObject({ status: "success" });
});

test("[CALL10] after a look that came early, the next one is a minute after the last statement", async () => {
  const storage = new SqliteStorage();
  migrate(storage);
  const clock = new ManualClock();
  const start = clock.now();
  const looks: number[] = [];
  const reconcile = async () => {
    looks.push(clock.now() - start);
    return reconcileReport();
  };
  const watch = new OrphanWatch({ storage, clock, reconcile, counters: new CallCounters(), onDue: () => {} });
  for (let index = 0; index < 30; index++) {
    await watch.note();
    await clock.advance(MINUTE / 6);
  }
  await watch.look();
  expect([looks, watch.due]).toEqual([[5 * MINUTE], start + 5 * MINUTE + (5 * MINUTE) / 6]);
  await clock.advance(MINUTE);
  await watch.look();
  expect([looks.length, watch.due]).toEqual([2, undefined]);
});
