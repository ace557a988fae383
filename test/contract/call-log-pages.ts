import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import type { CallLog, LoggedCall, PendingCall } from "../../src/reliable/ports.ts";
import { callRecord, newType } from "../support/call-records.ts";

export const HOUR = 3_600_000;
export const OLD = Date.UTC(2001, 0, 1);

/** What every log of reliable calls must do about many calls: list, read and remove them page by page. */
export function describePages(made: () => CallLog): void {
  let log: CallLog;
  beforeAll(() => {
    log = made();
  });

  test("[CALL5] lists newest first, by page, by status, type and id", async () => {
    const type = newType();
    const id = `o-${randomUUID()}`;
    const records = Array.from({ length: 25 }, (_, n) =>
      callRecord({
        type,
        id: n % 5 === 0 ? id : "other",
        callId: `c${n}`,
        ...(n % 2 === 0 ? {} : { status: "expired" as const }),
      }),
    );
    for (const record of records) await log.write([record]);
    const names = (calls: readonly LoggedCall[]) => calls.map((call) => call.callId);
    const newest = records.map((record) => record.callId).reverse();
    expect(names(await all(log, type, 7))).toEqual(newest);
    const some = async (filter: object) => names((await log.list({ ...filter, limit: 100 })).calls);
    expect(await some({ type, status: "expired" })).toEqual(newest.filter((c) => Number(c.slice(1)) % 2 === 1));
    expect(await some({ id })).toEqual(["c20", "c15", "c10", "c5", "c0"]);
    expect(await some({ type, id, status: "success" })).toEqual(["c20", "c10", "c0"]);
    expect(await log.list({ type: newType(), limit: 1 })).toEqual({ calls: [] });
  });

  test("[CALL10] pending gives calls nobody accepted, and those nobody has touched, oldest first", async () => {
    const type = newType();
    const open = { type, status: "pending", response: null, finishedAt: null } as const;
    await log.write([
      callRecord({ ...open, callId: "accepted", epoch: 3 }),
      callRecord({ ...open, callId: "new", epoch: 0, attempts: 0, requestHash: "" }),
      callRecord({ type, callId: "done" }),
      callRecord({ ...open, callId: "new-2", epoch: 0 }),
    ]);
    const sweep = async (staleBefore: number) => {
      const found: PendingCall[] = [];
      for (let after: string | undefined; ; after = found.at(-1)?.seq) {
        const page = await log.pending({ staleBefore, limit: 2, ...(after === undefined ? {} : { after }) });
        found.push(...page);
        if (page.length < 2) return found.filter((call) => call.type === type).map((call) => call.callId);
      }
    };
    expect(await sweep(OLD)).toEqual(["new", "new-2"]);
    expect(await sweep(Date.now() + HOUR)).toEqual(["accepted", "new", "new-2"]);
  });

  test("[CALL10] reads calls by their places, and pages of large calls are short", async () => {
    const type = newType();
    const large = JSON.stringify("x".repeat(900_000));
    const open = { type, status: "pending", response: null, finishedAt: null, epoch: 0 } as const;
    for (let n = 0; n < 6; n++) await log.write([callRecord({ ...open, callId: `c${n}`, request: large })]);
    const places = (await log.pending({ staleBefore: OLD, limit: 1_000 })).filter((call) => call.type === type);
    expect(places.map(({ seq: _, ...key }) => key)).toEqual(
      [0, 1, 2, 3, 4, 5].map((n) => ({ type, id: "o1", callId: `c${n}` })),
    );
    const seqs = places.map(({ seq }) => seq);
    expect((await log.read([...seqs].reverse())).map(({ callId }) => callId)).toEqual(["c0", "c1", "c2", "c3"]);
    expect(await log.read(seqs.slice(4))).toMatchObject([
      { callId: "c4", request: large, epoch: 0, status: "pending" },
      { callId: "c5", request: large },
    ]);
    expect(await log.read([])).toEqual([]);
    expect((await log.list({ type, limit: 5 })).calls).toHaveLength(4);
    expect((await all(log, type, 5)).map(({ callId }) => callId)).toEqual(["c5", "c4", "c3", "c2", "c1", "c0"]);
    const over = callRecord({ type, request: JSON.stringify("x".repeat(1_700_000)), response: large });
    await log.write([over]);
    expect((await log.list({ type, limit: 1 })).calls).toMatchObject([{ callId: over.callId }]);
  });

  test("[CALL9] retention counts and removes finished calls, oldest first, bounded, never a pending one", async () => {
    const type = newType();
    const old = (n: number, status: "success" | "failed" | "expired") =>
      callRecord({ type, callId: `c${n}`, status, acceptedAt: OLD, finishedAt: OLD + n });
    const pending = callRecord({
      type,
      callId: "p",
      status: "pending",
      response: null,
      acceptedAt: OLD,
      finishedAt: null,
    });
    const fresh = callRecord({ type, callId: "fresh" });
    await log.write([old(3, "expired"), old(1, "success"), pending, old(2, "failed"), old(4, "success"), fresh]);
    const end = OLD + HOUR;
    expect(await log.countFinished(end)).toEqual({ success: 2, failed: 1, expired: 1 });
    expect(await log.removeFinished(end, 2)).toEqual({ success: 1, failed: 1, expired: 0 });
    expect((await all(log, type)).map((call) => call.callId).sort()).toEqual(["c3", "c4", "fresh", "p"]);
    expect(await log.removeFinished(OLD + 3, 10)).toEqual({ success: 0, failed: 0, expired: 0 });
    expect(await log.removeFinished(end, 10)).toEqual({ success: 1, failed: 0, expired: 1 });
    expect(await log.countFinished(end)).toEqual({ success: 0, failed: 0, expired: 0 });
    expect((await all(log, type)).map((call) => call.callId).sort()).toEqual(["fresh", "p"]);
  });
}

/** All calls of a type, by pages. */
export async function all(log: CallLog, type: string, limit = 100): Promise<LoggedCall[]> {
  const calls: LoggedCall[] = [];
  for (let before: string | undefined; ; ) {
    const page = await log.list({ type, limit, before });
    calls.push(...page.calls);
    if (page.next === undefined) return calls;
    before = page.next;
  }
}
