import { ManualClock, MemoryCallLog } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import type { CallRecord } from "../../src/reliable/call-record.ts";
import { LogGate } from "../../src/reliable/log-gate.ts";
import { settle } from "../../src/testing/clocks.ts";
import { callRecord } from "../support/call-records.ts";

/** A log whose statements end when they are told to. */
class HeldLog extends MemoryCallLog {
  readonly batches: (readonly CallRecord[])[] = [];
  readonly refuses = new Set<string>();
  readonly #held: (() => void)[] = [];

  override async write(records: readonly CallRecord[]): Promise<void> {
    this.batches.push(records);
    await new Promise<void>((resolve) => this.#held.push(resolve));
    const refused = records.filter(({ callId }) => this.refuses.has(callId));
    await super.write(records.filter((record) => !refused.includes(record)));
    if (refused.length > 0) throw new EdgeverseError("INVALID_ARGUMENT", "refused", { details: { refused } });
  }

  /** Lets the statement under way end. */
  async release(): Promise<void> {
    this.#held.shift()?.();
    await settle();
  }
}

type End = "pending" | "written" | string;

function setup() {
  const clock = new ManualClock();
  const log = new HeldLog(clock);
  let notes = 0;
  const gate = new LogGate(log, clock, async () => {
    notes++;
  });
  const write = (changes: Partial<CallRecord>) => {
    const waiting: { end: End } = { end: "pending" };
    gate.write(callRecord(changes)).then(
      () => {
        waiting.end = "written";
      },
      (error: EdgeverseError) => {
        waiting.end = error.code;
      },
    );
    return waiting;
  };
  return { clock, log, gate, write, notes: () => notes };
}

const named = (index: number) => ({ callId: `c${index}` });

describe("LogGate", () => {
  test("[CALL6] resolves when the log holds the record, not before", async () => {
    const { log, write } = setup();
    const call = write(named(1));
    await settle();
    expect(call.end).toBe("pending");
    await log.release();
    expect(call.end).toBe("written");
    expect(await log.find("Contract", "o1", "c1")).toMatchObject({ callId: "c1" });
  });

  test("[CALL6] records that arrive during a statement share the next one, in order", async () => {
    const { log, write } = setup();
    const calls = Array.from({ length: 21 }, (_, index) => write(named(index)));
    await log.release();
    expect(calls.map(({ end }) => end)).toEqual(["written", ...Array<End>(20).fill("pending")]);
    await log.release();
    expect(calls.every(({ end }) => end === "written")).toBe(true);
    expect(log.batches.map((batch) => batch.map(({ callId }) => callId))).toEqual([
      ["c0"],
      Array.from({ length: 20 }, (_, index) => `c${index + 1}`),
    ]);
  });

  test("[CALL10] calls that nobody has accepted are noted before they are written, outcomes are not", async () => {
    const { log, write, notes } = setup();
    write(named(0));
    await log.release();
    expect([notes(), log.batches.length]).toEqual([0, 1]);
    write({ ...named(1), status: "pending", response: null, finishedAt: null });
    expect([notes(), log.batches.length]).toEqual([1, 1]);
    await settle();
    expect(log.batches.length).toBe(2);
    // These two share a statement.
    write(named(2));
    write({ ...named(3), status: "pending", response: null, finishedAt: null });
    await log.release();
    expect([notes(), log.batches.length]).toEqual([2, 3]);
  });

  test("[CALL6] a statement takes at most 500 records", async () => {
    const { log, write } = setup();
    for (let index = 0; index < 1_202; index++) write(named(index));
    for (let statement = 0; statement < 4; statement++) await log.release();
    expect(log.batches.map((batch) => batch.length)).toEqual([1, 500, 500, 201]);
  });

  test("[CALL6] too many waiting calls are refused at once, the waiting ones are not lost", async () => {
    const { log, write } = setup();
    const calls = Array.from({ length: 5_003 }, (_, index) => write(named(index)));
    await settle();
    expect(calls.filter(({ end }) => end === "LOG_UNAVAILABLE")).toHaveLength(2);
    for (let statement = 0; statement < 12; statement++) await log.release();
    expect(calls.filter(({ end }) => end === "written")).toHaveLength(5_001);
  });

  test("[CALL5] a call that is in a batch twice is written once, as it is last", async () => {
    const { log, write } = setup();
    write(named(0));
    const pending = write({ ...named(1), status: "pending", response: null, finishedAt: null });
    const done = write(named(1));
    write({ ...named(1), id: "another object" });
    await log.release();
    await log.release();
    expect(log.batches[1]?.map(({ id, status }) => [id, status])).toEqual([
      ["o1", "success"],
      ["another object", "success"],
    ]);
    expect([pending.end, done.end]).toEqual(["written", "written"]);
  });

  test("[CALL6] a failure refuses everyone who waits and, for a second, everyone who comes, without a statement", async () => {
    const { clock, log, gate, write } = setup();
    const calls = [1, 2, 3].map((index) => write(named(index)));
    log.down = true;
    await log.release();
    expect(calls.map(({ end }) => end)).toEqual(Array(3).fill("LOG_UNAVAILABLE"));
    for (const moment of [0, 500, 499]) {
      await clock.advance(moment);
      await expect(gate.write(callRecord({}))).rejects.toMatchObject({
        code: "LOG_UNAVAILABLE",
        retryable: true,
        retryAfter: 1,
      });
    }
    expect(log.batches).toHaveLength(1);
  });

  test("[CALL6] recovers after the rest, and rests again if the log is still away", async () => {
    const { clock, log, write } = setup();
    write(named(1));
    log.down = true;
    await log.release();
    await clock.advance(1_000);
    const early = write(named(2));
    await log.release();
    expect([early.end, log.batches.length]).toEqual(["LOG_UNAVAILABLE", 2]);
    log.down = false;
    const resting = write(named(3));
    await settle();
    expect(resting.end).toBe("LOG_UNAVAILABLE");
    await clock.advance(1_000);
    const late = write(named(4));
    await log.release();
    expect(late.end).toBe("written");
  });

  test("[CALL6] a record the log will never take fails alone; the gate stays open", async () => {
    const { log, write } = setup();
    log.refuses.add("c2");
    const calls = [0, 1, 2, 3].map((index) => write(named(index)));
    await log.release();
    await log.release();
    expect(calls.map(({ end }) => end)).toEqual(["written", "written", "INVALID_ARGUMENT", "written"]);
    const next = write(named(4));
    await log.release();
    expect(next.end).toBe("written");
  });

  test("[MEM2] an idle gate has no timer", async () => {
    const { clock, log, write } = setup();
    write(named(1));
    log.down = true;
    await log.release();
    expect(clock.timers).toBe(0);
  });
});
