import { describe, expect, test } from "vitest";
import { CallWrites } from "../../src/partition/calls/call-writes.ts";
import type { ReliableCallParts } from "../../src/partition/calls/reliable-call-parts.ts";
import { MemoryCallLog } from "../../src/testing/memory-call-log.ts";
import { callers } from "./call-callers-fixture.ts";
import { takenEntry } from "./call-entry-fixture.ts";

describe("[CALL2] what a commit writes of reliable calls", () => {
  function setup(log?: MemoryCallLog) {
    const made = callers(log);
    const alarms = { count: 0, failing: false };
    const onProgress = () => {
      alarms.count++;
      if (alarms.failing) throw new Error("no alarm");
    };
    const writes = new CallWrites({ ...made.parts, onProgress } as ReliableCallParts);
    const { storage, clock, commit } = made;
    const ids = (table: string) => storage.query(`SELECT call_id AS id FROM ${table} ORDER BY id`).map(({ id }) => id);
    const next = async () => {
      commit.settled(null, () => {});
      await clock.advance(0);
      return [ids("pending"), ids("marks")];
    };
    const end = (entry: ReturnType<typeof takenEntry>) => {
      const outcome = { status: "success", response: "1", finishedAt: 5 } as const;
      entry.stored = { ...entry.stored, record: { ...entry.stored.record, ...outcome } };
      writes.ended(entry);
    };
    return { writes, alarms, next, end };
  }

  test("is the acceptance of those that have arrived, and the outcome of those that have ended by then", async () => {
    const { writes, next, end } = setup();
    const [a, b, gone] = ["a", "b", "gone"].map((id) => takenEntry(id)) as [never, never, never];
    for (const entry of [a, b, gone]) writes.arrived(entry);
    end(b);
    writes.forget(gone);
    expect(await next()).toEqual([["a"], ["b"]]);
    expect([a, b, gone].map(({ written }) => written)).toEqual([true, false, false]);
    end(a);
    expect(await next()).toEqual([[], ["a", "b"]]);
    expect(await next()).toEqual([[], ["a", "b"]]);
  });

  test("[CALL3] sets the alarm that it needs: for a call that may be resumed, or an outcome for the log", async () => {
    for (const log of [undefined, new MemoryCallLog({ now: () => 1 })]) {
      const { writes, alarms, next, end } = setup(log);
      const [a, b] = [takenEntry("a"), takenEntry("b")];
      await next();
      expect(alarms.count).toBe(0);
      writes.arrived(a);
      await next();
      expect(alarms.count).toBe(1);
      writes.arrived(b);
      end(b);
      await next();
      expect(alarms.count).toBe(log === undefined ? 1 : 2);
      await next();
      expect(alarms.count).toBe(log === undefined ? 1 : 2);
    }
  });

  test("is written also if the alarm can't be set: the storage says what is wrong", async () => {
    const { writes, alarms, next } = setup();
    alarms.failing = true;
    writes.arrived(takenEntry("a"));
    expect(await next()).toEqual([["a"], []]);
  });
});
