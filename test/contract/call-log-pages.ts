import { beforeAll, expect, test } from "vitest";
import type { CallLog, PendingCall } from "../../src/reliable/ports.ts";
import { callRecord, newType } from "../support/call-records.ts";
import { all, HOUR, OLD } from "./readable-log.ts";

/** What every log beside the owners must do about many calls: read and remove them page by page. */
export function describePages(made: () => CallLog): void {
  let log: CallLog;
  beforeAll(() => {
    log = made();
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
    const [brief, lasting] = [newType(), newType()];
    const own = { [brief]: OLD + 10, [lasting]: OLD - 10 };
    const of = (of: string, n: number) => callRecord({ type: of, callId: `${n}`, finishedAt: OLD + n });
    await log.write([of(type, 5), of(type, -5), of(brief, 5), of(brief, 15), of(lasting, -5), of(lasting, -15)]);
    expect(await log.countFinished(OLD, own)).toEqual({ success: 3, failed: 0, expired: 0 });
    expect(await log.removeFinished(OLD, 2, own)).toEqual({ success: 2, failed: 0, expired: 0 });
    expect(await log.removeFinished(OLD, 2, own)).toEqual({ success: 1, failed: 0, expired: 0 });
    const names = async (of: string) => (await all(log, of)).map(({ callId }) => callId);
    expect([await names(brief), await names(lasting)]).toEqual([["15"], ["-5"]]);
    expect(await names(type)).not.toContain("-5");
    expect(await log.removeFinished(end, 10)).toEqual({ success: 3, failed: 0, expired: 0 });
    expect((await all(log, type)).map((call) => call.callId).sort()).toEqual(["fresh", "p"]);
  });
}
