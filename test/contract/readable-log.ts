import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import type { CallKey, CallRecord } from "../../src/reliable/call-record.ts";
import type { FinalCounts, LoggedCall, ReadableLog } from "../../src/reliable/ports.ts";
import { callRecord, newType } from "../support/call-records.ts";

export const HOUR = 3_600_000;
export const OLD = Date.UTC(2001, 0, 1);

/** A log that can be read, and how calls get in and out. */
export interface ReadableHarness {
  readonly log: ReadableLog;
  /** Puts calls of new ids in, each newer than those before. */
  put(records: readonly CallRecord[]): Promise<void>;
  /** Removes, or counts, all that finished before a time. */
  clean(before: number, dryRun: boolean): Promise<FinalCounts>;
}

/** What every log of reliable calls must do, in Postgres or local: list, count, and forget what is old. */
export function describeReading(made: () => ReadableHarness): void {
  let log: ReadableLog;
  let put: ReadableHarness["put"];
  let clean: ReadableHarness["clean"];
  beforeAll(() => {
    ({ log, put, clean } = made());
  });

  test("[CALL5] a call is listed with everything that was written of it", async () => {
    const type = newType();
    const error = {
      code: "CALL_FAILED",
      message: "no",
      retryable: false,
      reason: "SOLD_OUT",
      details: { left: 0 },
    } as const;
    const full = callRecord({
      type,
      status: "failed",
      error,
      response: null,
      caller: '{"sub": "u1"}',
      traceId: "0af7651916cd43dd8448eb211c80319c",
      attempts: 3,
      epoch: 7,
      requestHash: "ab".repeat(32),
      expiresAt: 1_900_000_000_123,
    });
    const open = { type, status: "pending", response: null, finishedAt: null } as const;
    const records = [
      full,
      callRecord({ ...open, request: null }),
      callRecord({ type, request: "null", response: "0" }),
      callRecord({ ...open, status: "parked", error, attempts: 4 }),
    ];
    await put(records);
    const found = await all(log, type);
    const expected = records.map(({ shard: _, ...record }) => expect.objectContaining(record));
    expect(found).toEqual([...expected].reverse());
    for (const { seq } of found) expect(seq).toMatch(/^\d+$/);
  });

  test("[CALL5] NUL, lone surrogates and what looks like our own wrapper are listed as they are", async () => {
    const type = newType();
    const values = ["a\u0000b", "\ud800", "\\u0000", "😀\ud83d", { "edgeverse:json": "1" }];
    const texts = values.map((value) => JSON.stringify(value));
    await put(texts.map((text, n) => callRecord({ type, callId: `c${n}`, request: text, response: text })));
    const found = (await all(log, type)).reverse();
    const parsed = (text: string | null) => JSON.parse(text ?? "") as unknown;
    expect(found.map(({ request }) => parsed(request))).toEqual(values);
    expect(found.map(({ response }) => parsed(response))).toEqual(values);
  });

  test("[CALL5] [CALL14] lists newest first, by page, by status, type and id", async () => {
    const type = newType();
    const id = `o-${randomUUID()}`;
    const records = Array.from({ length: 25 }, (_, n) =>
      callRecord({
        type,
        id: n % 5 === 0 ? id : `other-${n % 3}`,
        callId: `c${n}`,
        ...(n % 2 === 0 ? {} : { status: "expired" as const }),
      }),
    );
    for (const record of records) await put([record]);
    const names = (calls: readonly LoggedCall[]) => calls.map((call) => call.callId);
    const newest = records.map((record) => record.callId).reverse();
    expect(names(await all(log, type, 7))).toEqual(newest);
    expect(names(await all(log, type, 1))).toEqual(newest);
    const some = async (filter: object) => names((await log.list({ ...filter, limit: 100 })).calls);
    const odd = newest.filter((c) => Number(c.slice(1)) % 2 === 1);
    expect(await some({ type, status: "expired" })).toEqual(odd);
    expect(await some({ id })).toEqual(["c20", "c15", "c10", "c5", "c0"]);
    expect(await some({ type, id, status: "success" })).toEqual(["c20", "c10", "c0"]);
    expect(await some({ type, status: "pending" })).toEqual([]);
    expect(await log.list({ type: newType(), limit: 1 })).toEqual({ calls: [] });
    const page = await log.list({ type, status: "expired", limit: 5 });
    const next = await log.list({ type, status: "expired", limit: 5, before: page.next });
    expect([...names(page.calls), ...names(next.calls)]).toEqual(odd.slice(0, 10));
  });

  test("[CALL5] pages of large calls are short", async () => {
    const type = newType();
    const large = JSON.stringify("x".repeat(900_000));
    const open = { type, status: "pending", response: null, finishedAt: null } as const;
    for (let n = 0; n < 6; n++) await put([callRecord({ ...open, callId: `c${n}`, request: large })]);
    expect((await log.list({ type, limit: 5 })).calls).toHaveLength(4);
    const found = await all(log, type, 5);
    expect(found.map(({ callId }) => callId)).toEqual(["c5", "c4", "c3", "c2", "c1", "c0"]);
    expect(found.every(({ request }) => request === large)).toBe(true);
  });

  test("[CALL15] counts calls by type and status, and says how old the first is and what they take", async () => {
    const [one, two] = [newType(), newType()].sort() as [string, string];
    const open = { status: "pending", response: null, finishedAt: null } as const;
    await put([
      callRecord({ type: two, acceptedAt: OLD + 5, finishedAt: OLD + 6 }),
      callRecord({ type: one, status: "failed", response: null, acceptedAt: OLD + 1 }),
      callRecord({ type: two, acceptedAt: OLD + 3, response: JSON.stringify(noise(50_000)) }),
      callRecord({ ...open, type: two, acceptedAt: OLD + 2 }),
    ]);
    const { counts } = await log.stats();
    const ours = counts.filter(({ type }) => type === one || type === two);
    expect(ours).toEqual([
      { type: one, status: "failed", count: 1, oldest: OLD + 1, bytes: expect.any(Number) },
      { type: two, status: "pending", count: 1, oldest: OLD + 2, bytes: expect.any(Number) },
      { type: two, status: "success", count: 2, oldest: OLD + 3, bytes: expect.any(Number) },
    ]);
    expect(ours[2]?.bytes).toBeGreaterThan(50_000);
    expect(ours[2]?.bytes).toBeLessThan(200_000);
  });

  test("[CALL16] finds the calls that others have made, in order of acceptance", async () => {
    const [type, other] = [newType(), newType()];
    const [a, b] = ["a", "b"].map((callId) => ({ type, id: "o1", callId })) as [CallKey, CallKey];
    const by = (cause: unknown) => JSON.stringify({ kind: "object", type, id: "o1", cause });
    const error = { code: "CALL_FAILED", message: "no".repeat(1_000), retryable: false, details: { left: 0 } } as const;
    const open = { status: "pending", response: null, finishedAt: null } as const;
    await put([
      callRecord({ type, id: "o1", callId: "a" }),
      callRecord({ type: other, callId: "3", caller: by(a), acceptedAt: OLD + 3, ...open }),
      callRecord({ type: other, callId: "1", caller: by(a), acceptedAt: OLD + 1, finishedAt: OLD + 9, attempts: 2 }),
      callRecord({
        type: other,
        callId: "2",
        caller: by(b),
        acceptedAt: OLD + 2,
        status: "failed",
        response: null,
        error,
      }),
      // The same call id elsewhere is another call, and so is what only looks like a cause.
      callRecord({ type: other, callId: "4", caller: by({ ...a, id: "o2" }) }),
      callRecord({ type: other, callId: "5", caller: by("a") }),
      callRecord({ type: other, callId: "6", caller: JSON.stringify({ kind: "object", type, id: 'x"cause":' }) }),
    ]);
    const short = { code: "CALL_FAILED", message: expect.stringMatching(/^(no)+$/), retryable: false };
    const of = (callId: string, cause: CallKey) => ({ type: other, id: "o1", callId, cause, method: "m" });
    const [first, second, third] = [
      { ...of("1", a), status: "success", attempts: 2, acceptedAt: OLD + 1, finishedAt: OLD + 9, error: null },
      {
        ...of("2", b),
        status: "failed",
        attempts: 1,
        acceptedAt: OLD + 2,
        finishedAt: expect.any(Number),
        error: short,
      },
      { ...of("3", a), status: "pending", attempts: 1, acceptedAt: OLD + 3, finishedAt: null, error: null },
    ];
    expect(await log.causedBy([a], 10)).toEqual({ calls: [first, third], complete: true });
    const both = await log.causedBy([a, b], 3);
    expect(both).toEqual({ calls: [first, second, third], complete: true });
    expect(both.calls[1]?.error?.message.length).toBeLessThan(1_000);
    expect(await log.causedBy([a, b], 2)).toMatchObject({ complete: false, calls: { length: 2 } });
    expect(await log.causedBy([{ ...a, callId: "c" }], 10)).toEqual({ calls: [], complete: true });
  });

  test("[CALL9] counts and removes what finished before a time, and nothing that is open or younger", async () => {
    const type = newType();
    const old = (n: number, status: "success" | "failed" | "expired") =>
      callRecord({ type, callId: `c${n}`, id: `o${n}`, status, acceptedAt: OLD, finishedAt: OLD + n });
    const open = { type, status: "pending", response: null, acceptedAt: OLD, finishedAt: null } as const;
    const fresh = callRecord({ type, callId: "fresh" });
    await clean(OLD + HOUR, false);
    await put([old(3, "expired"), old(1, "success"), callRecord({ ...open, callId: "p" })]);
    await put([old(2, "failed"), old(4, "success"), callRecord({ ...open, callId: "q", status: "parked" }), fresh]);
    const expected = { success: 2, failed: 1, expired: 1 };
    expect(await clean(OLD + HOUR, true)).toEqual(expected);
    expect(await all(log, type)).toHaveLength(7);
    expect(await clean(OLD + HOUR, false)).toEqual(expected);
    expect((await all(log, type)).map((call) => call.callId).sort()).toEqual(["fresh", "p", "q"]);
    expect(await clean(OLD + HOUR, true)).toEqual({ success: 0, failed: 0, expired: 0 });
  });

  test("[HTTP11] refuses a limit out of bounds, and a page that it never gave", async () => {
    const invalid = { code: "INVALID_ARGUMENT" };
    for (const limit of [0, 1_001, 1.5]) await expect(log.list({ limit })).rejects.toMatchObject(invalid);
    for (const before of ["", "x", "-1", "[1]", "null"]) {
      await expect(log.list({ limit: 1, before }), before).rejects.toMatchObject(invalid);
    }
  });
}

/** Letters that can't be compressed much. */
function noise(length: number): string {
  let text = "";
  while (text.length < length) text += randomUUID();
  return text;
}

/** All calls of a type, by pages. */
export async function all(log: ReadableLog, type: string, limit = 100): Promise<LoggedCall[]> {
  const calls: LoggedCall[] = [];
  for (let before: string | undefined; ; ) {
    const page = await log.list({ type, limit, before });
    calls.push(...page.calls);
    if (page.next === undefined) return calls;
    before = page.next;
  }
}
