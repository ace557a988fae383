import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CallRecord } from "../../src/reliable/call-record.ts";
import type { CallLog } from "../../src/reliable/ports.ts";
import { type CallHistory, callHistory, callRecord, newType } from "../support/call-records.ts";
import { describePages } from "./call-log-pages.ts";
import { all, describeReading, HOUR, OLD } from "./readable-log.ts";

/** A log to test, with one of the same kind whose database cannot be reached. */
export interface CallLogHarness {
  readonly log: CallLog;
  readonly broken: CallLog;
  close(): Promise<void>;
}

/** What every log beside the owners must do: what a local one must, and keep what is written to it. */
export function callLogContract(name: string, makeLog: () => Promise<CallLogHarness>): void {
  describe(`call log contract: ${name}`, () => {
    let harness: CallLogHarness;
    let log: CallLog;

    beforeAll(async () => {
      harness = await makeLog();
      log = harness.log;
    }, 60_000);
    afterAll(() => harness?.close());

    /** What was written of it. */
    const get = async (r: CallRecord) => {
      const { loggedAt: _, ...call } = (await log.find(r.type, r.id, r.callId)) ?? { loggedAt: 0 };
      return "callId" in call ? call : null;
    };

    test("[CALL16] a call is found with the time at which the log heard of it last", async () => {
      const pending = callRecord({ status: "pending", response: null, finishedAt: null });
      await log.write([pending]);
      const found = async () => (await log.find(pending.type, pending.id, pending.callId))?.loggedAt ?? 0;
      const first = await found();
      expect(first).toBeGreaterThan(OLD);
      await log.write([callRecord({ callId: pending.callId, attempts: 2 })]);
      const last = await found();
      expect(last).toBeGreaterThanOrEqual(first);
      await log.write([callRecord({ callId: pending.callId, attempts: 3, epoch: 9 })]);
      expect(await found()).toBe(last);
    });

    test("[CALL5] a record reads back as it was written", async () => {
      const error = {
        code: "CALL_FAILED",
        message: "no",
        retryable: false,
        reason: "SOLD_OUT",
        details: { left: 0 },
      } as const;
      const full = callRecord({
        status: "failed",
        error,
        response: null,
        caller: '{"sub": "u1"}',
        traceId: "0af7651916cd43dd8448eb211c80319c",
        attempts: 3,
        epoch: 7,
        shard: 8191,
        requestHash: "ab".repeat(32),
        expiresAt: 1_900_000_000_123,
        history: `[{"at": 1, "by": "p1", "what": "faulted", "error": ${JSON.stringify(JSON.stringify({ text: "a\u0000b\ud800" }))}, "attempt": 1}]`,
      });
      const bare = callRecord({ status: "pending", request: null, response: null, finishedAt: null });
      const falsy = callRecord({ request: "null", response: "0" });
      await log.write([full, bare, falsy]);
      for (const record of [full, bare, falsy])
        expect(await get(record)).toEqual({ ...record, seq: expect.stringMatching(/^\d+$/) });
      expect(await log.find(full.type, full.id, "another")).toBeNull();
    });

    test("[CALL5] JSON keeps its meaning, keys come back in the order of jsonb", async () => {
      const record = callRecord({ request: '{"bb":[1,2.5,-0.001,"é✓😀"],"a":{"z":null,"y":true}}' });
      await log.write([record]);
      const request = (await get(record))?.request ?? "";
      expect(JSON.parse(request)).toEqual(JSON.parse(record.request ?? ""));
      expect(Object.keys(JSON.parse(request))).toEqual(["a", "bb"]);
    });

    test("[CALL5] NUL, lone surrogates and what looks like our own wrapper survive, and spoil no batch", async () => {
      const values = [
        "a\u0000b",
        "\ud800",
        "x\udc00y",
        "\\u0000",
        "\\\u0000",
        "😀\ud83d",
        { "edgeverse:json": "1" },
        { "edgeverse:json": 1 },
        ["edgeverse:json"],
      ];
      const type = newType();
      const texts = [
        ...values.map((value) => JSON.stringify(value)),
        '{"\\u0065dgeverse:json":"[]"}',
        '"\\ud83d\\ude00"',
      ];
      const records = texts.map((text, n) =>
        callRecord({ type, callId: `c${n}`, request: text, response: text, caller: text }),
      );
      await log.write(records);
      for (const record of records) {
        const found = await get(record);
        for (const field of ["request", "response", "caller"] as const) {
          expect(JSON.parse(found?.[field] ?? ""), record.request ?? "").toEqual(JSON.parse(record[field] ?? ""));
        }
      }
    });

    test("[CALL5] replaying a batch changes nothing", async () => {
      const type = newType();
      const batch = [callRecord({ type }), callRecord({ type, status: "pending", response: null, finishedAt: null })];
      await log.write(batch);
      const before = await all(log, type);
      await log.write(batch);
      await log.write([...batch].reverse());
      expect(await all(log, type)).toEqual(before);
    });

    test("[CALL2] a finished call never changes, not even by a newer epoch", async () => {
      const done = callRecord({ epoch: 2 });
      await log.write([done]);
      const before = await get(done);
      const pending = { ...done, status: "pending", response: null, finishedAt: null, epoch: 9, attempts: 9 } as const;
      await log.write([{ ...pending, callId: done.callId }]);
      await log.write([{ ...done, status: "expired", response: null, epoch: 9 }]);
      expect(await get(done)).toEqual(before);
    });

    test("[CALL5] an older epoch is refused, attempts never go back", async () => {
      const now = callRecord({ status: "pending", response: null, finishedAt: null, epoch: 5, attempts: 2 });
      await log.write([now]);
      await log.write([{ ...now, epoch: 4, attempts: 8 }]);
      await log.write([{ ...now, epoch: 4, status: "success", response: '"stale"', finishedAt: OLD }]);
      await log.write([{ ...now, attempts: 1 }]);
      expect(await get(now)).toMatchObject({ status: "pending", epoch: 5, attempts: 2 });
      await log.write([{ ...now, epoch: 6, attempts: 3 }]);
      expect(await get(now)).toMatchObject({ status: "pending", epoch: 6, attempts: 3 });
    });

    test("[CALL5] a parked call stays parked until it is started again, and ends like a pending one", async () => {
      const open = { status: "pending", response: null, finishedAt: null } as const;
      const error = { code: "UNAVAILABLE", message: "no", retryable: false } as const;
      const pending = callRecord({ ...open, epoch: 3, attempts: 2 });
      const parked = { ...pending, status: "parked", error } as const;
      await log.write([pending]);
      await log.write([parked]);
      await log.write([pending]);
      expect(await get(pending)).toMatchObject({ status: "parked", error, finishedAt: null });
      expect((await log.list({ status: "parked", type: pending.type, limit: 1_000 })).calls).toContainEqual(
        expect.objectContaining({ callId: pending.callId }),
      );
      expect(
        (await log.pending({ staleBefore: Date.now() + HOUR, limit: 1_000 })).map(({ callId }) => callId),
      ).not.toContain(pending.callId);
      const before = await log.countFinished(Date.now() + HOUR);
      await log.write([{ ...parked, attempts: 1 }]);
      await log.write([{ ...pending, attempts: 3 }]);
      expect(await get(pending)).toMatchObject({ status: "pending", error: null, attempts: 3 });
      await log.write([{ ...parked, epoch: 2, attempts: 9 }]);
      await log.write([{ ...parked, attempts: 3 }]);
      expect(await get(pending)).toMatchObject({ status: "parked", attempts: 3 });
      expect(await log.countFinished(Date.now() + HOUR)).toEqual(before);
      await log.write([{ ...parked, status: "failed", attempts: 3, finishedAt: Date.now() }]);
      await log.write([{ ...parked, attempts: 9, epoch: 9 }]);
      expect(await get(pending)).toMatchObject({ status: "failed", error });
    });

    test("[CALL5] batches in any order, split and repeated in any way, give the same rows", async () => {
      const histories = fc.array(callHistory, { minLength: 1, maxLength: 4 });
      const property = fc.asyncProperty(histories, fc.infiniteStream(fc.nat()), async (made, random) => {
        const type = newType();
        const calls = made.map((history, n) => history.map((step) => ({ ...step, type, callId: `c${n}` })));
        for (const batch of shuffledBatches(calls, random)) await log.write(batch);
        for (const history of calls) {
          const { seq: _, ...row } = (await get(history[0]!)) ?? {};
          expect(row).toEqual(history.at(-1));
        }
      });
      await fc.assert(property, { numRuns: 25 });
    }, 60_000);

    describeReading(() => ({
      log,
      put: (records) => log.write(records),
      clean: (before, dryRun) => (dryRun ? log.countFinished(before) : log.removeFinished(before, 1_000)),
    }));
    describePages(() => log);

    test("[CALL5] takes 1,000 records at once, and no record; limits are enforced", async () => {
      const type = newType();
      const records = Array.from({ length: 1_000 }, (_, n) => callRecord({ type, callId: `c${n}` }));
      await log.write(records);
      expect(await all(log, type, 1_000)).toHaveLength(1_000);
      await log.write([]);
      const invalid = { code: "INVALID_ARGUMENT" };
      await expect(log.write([...records, callRecord({ type })])).rejects.toMatchObject(invalid);
      for (const limit of [0, 1_001, 1.5]) {
        await expect(log.list({ limit })).rejects.toMatchObject(invalid);
        await expect(log.pending({ staleBefore: 0, limit })).rejects.toMatchObject(invalid);
        await expect(log.removeFinished(0, limit)).rejects.toMatchObject(invalid);
      }
    });

    test("[CALL6] every method answers LOG_UNAVAILABLE, soon, when the database cannot be reached", async () => {
      const { broken } = harness;
      const started = performance.now();
      const actions = [
        () => broken.write([callRecord({})]),
        () => broken.find("T", "a", "b"),
        () => broken.list({ limit: 1 }),
        () => broken.stats(),
        () => broken.pending({ staleBefore: 0, limit: 1 }),
        () => broken.read(["1"]),
        () => broken.countFinished(0),
        () => broken.removeFinished(0, 1),
        () => broken.ping(),
      ];
      for (const action of actions)
        await expect(action()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE", retryable: true });
      expect(performance.now() - started).toBeLessThan(5_000);
      await log.ping();
    });
  });
}

/** All steps of all calls and some twice, shuffled, in batches that name no call twice. */
function shuffledBatches(calls: readonly CallHistory[], random: Iterator<number>): CallRecord[][] {
  const next = (bound: number) => (random.next().value as number) % bound;
  const steps = calls.flat();
  for (let extra = next(4); extra > 0; extra--) steps.push(steps[next(steps.length)]!);
  const batches: CallRecord[][] = [];
  let batch: CallRecord[] = [];
  while (steps.length > 0) {
    const [step] = steps.splice(next(steps.length), 1);
    if (batch.some((other) => other.callId === step!.callId) || next(3) === 0) {
      batches.push(batch);
      batch = [];
    }
    batch.push(step!);
  }
  return [...batches, batch];
}
