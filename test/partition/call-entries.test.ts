import { describe, expect, test } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { blame, isExpired, keyOf, letGo, resumedEntry, rowBytes } from "../../src/partition/calls/call-entry.ts";
import { closedByLine } from "../../src/partition/calls/line-deadlock.ts";
import { OpenCalls } from "../../src/partition/calls/open-calls.ts";
import { RunningRequests } from "../../src/partition/calls/running-requests.ts";
import { activationOf, foundEntry, NOW, pendingCall, takenEntry } from "./call-entry-fixture.ts";

const link = (key: string) => ({ key, turn: "t", readonly: false });

describe("a reliable call in memory", () => {
  test("[CALL2] that was just taken is what its message says, and in no table", () => {
    const caller = { kind: "system" } as const;
    const chain = [link("T/b")];
    const entry = takenEntry("c", activationOf("a", 9), {
      request: '{"n":1}',
      traceparent: "00-trace-span-01",
      chain,
      reliable: { callId: "c", answer: "outcome", expiresAt: 99 },
    });
    expect(entry.stored).toEqual({
      seq: 0,
      position: 9,
      log: "write-behind",
      crashes: 0,
      logged: false,
      record: {
        callId: "c",
        type: "T",
        id: "a",
        shard: 1,
        method: "m",
        request: '{"n":1}',
        requestHash: "hash",
        status: "pending",
        response: null,
        error: null,
        caller: JSON.stringify(caller),
        traceId: "trace",
        attempts: 1,
        epoch: 3,
        acceptedAt: NOW,
        finishedAt: null,
        expiresAt: 99,
      },
    });
    expect(entry).toMatchObject({ held: true, requestBytes: 7, caller, chain, requestId: "r" });
    expect(entry).toMatchObject({ written: false, accepted: false, started: false, driving: false, refused: false });
    expect(entry.state).toEqual({ status: "pending", attempts: 1 });
    const bare = takenEntry("d");
    expect(bare.stored.record).toMatchObject({ request: null, traceId: null, expiresAt: null });
    expect([bare.requestBytes, bare.key === entry.key]).toEqual([0, false]);
  });

  test("[CALL3] that another process accepted goes on as the table has it", () => {
    const caller = { kind: "object", type: "T", id: "b" } as const;
    const stored = { ...pendingCall("c", 5, { attempts: 4, caller: JSON.stringify(caller) }), crashes: 1, bytes: 7 };
    const method = foundEntry("x", 1).method;
    const entry = resumedEntry(stored, activationOf("a"), method, false);
    expect(entry).toMatchObject({ key: takenEntry("c").key, stored, held: false, requestBytes: 7, caller, crashes: 1 });
    expect(entry).toMatchObject({ written: true, accepted: true, started: false, driving: false, refused: false });
    expect([entry.state, entry.requestId]).toEqual([{ status: "pending", attempts: 4 }, "c"]);
    expect(resumedEntry(stored, activationOf("a"), method, true)).toMatchObject({ crashes: 2, started: true });
    const unnamed = { ...stored, record: { ...stored.record, caller: null } };
    expect(resumedEntry(unnamed, activationOf("a"), method, true).caller).toEqual({ kind: "system" });
  });

  test("[TURN8] lets go of its request, which the table has, and counts its size on", () => {
    const entry = takenEntry("c", activationOf("a"), { request: '{"n":1}' });
    letGo(entry);
    expect([entry.held, entry.stored.record.request, entry.requestBytes]).toEqual([false, null, 7]);
    const bare = takenEntry("d");
    letGo(bare);
    expect(bare.held).toBe(true);
    const found = foundEntry("e", 1);
    const { stored } = found;
    letGo(found);
    expect(found.stored).toBe(stored);
  });

  test("[CALL2] is to blame for a commit that its data spoil, not for a full disk", () => {
    const entry = takenEntry("c");
    blame(entry, new EdgeverseError("STORAGE_FULL", "full"));
    expect([entry.crashes, entry.trouble?.code]).toEqual([0, "STORAGE_FULL"]);
    blame(entry, new EdgeverseError("COMMIT_REFUSED", "no"));
    expect([entry.crashes, entry.trouble?.code]).toEqual([1, "COMMIT_REFUSED"]);
  });

  test("[CALL8] has expired once its time has come", () => {
    const entry = takenEntry("c", activationOf("a"), { reliable: { callId: "c", answer: "outcome", expiresAt: 99 } });
    expect([98, 99, 100].map((now) => isExpired(entry, now))).toEqual([false, true, true]);
    expect(isExpired(takenEntry("d"), Number.MAX_SAFE_INTEGER)).toBe(false);
  });
});

describe("[TURN8] the calls that have not ended", () => {
  test("count what they take in the table, driven or not, until they end or leave", () => {
    const open = new OpenCalls();
    const [a, b] = [takenEntry("a", activationOf("a"), { request: "12345" }), takenEntry("b")];
    for (const entry of [a, b]) open.add(entry);
    expect([open.size, open.bytes]).toEqual([2, 2 * rowBytes({ bytes: 0 }) + 5]);
    expect([open.get(a.key), open.has(a), [...open.all()]]).toEqual([a, true, [a, b]]);
    const other = takenEntry("a");
    expect(open.has(other)).toBe(false);
    open.delete(other);
    expect(open.size).toBe(2);
    open.delete(a);
    open.delete(a);
    expect([open.size, open.bytes, open.has(a)]).toEqual([1, rowBytes({ bytes: 0 }), false]);
    open.setAside("x", 7, 40);
    open.setAside("x", 7, 50);
    open.setAside("y", 8, 60);
    expect([open.size, open.bytes, open.isAside("x"), open.isAside(b.key)]).toEqual([1, 500 + 110, true, false]);
    open.leave((position) => position === 8);
    expect([open.bytes, open.isAside("x"), open.isAside("y")]).toEqual([550, true, false]);
    open.return("x");
    open.return("x");
    expect([open.bytes, open.isAside("x")]).toEqual([500, false]);
    open.setAside(a.key, 7, 70);
    open.add(a);
    expect([open.bytes, open.isAside(a.key)]).toEqual([500 + 505, false]);
    open.setAside("x", 7, 40);
    open.clear();
    expect([open.size, open.bytes, open.isAside("x")]).toEqual([0, 0, false]);
    open.return("x");
    expect(open.bytes).toBe(0);
  });

  test("are named by object and call id", () => {
    const names = [
      { type: "T", id: "a", callId: "c" },
      { type: "U", id: "a", callId: "c" },
      { type: "T", id: "b", callId: "c" },
      { type: "T", id: "a", callId: "d" },
      { type: "T", id: "a\nc", callId: "" },
    ].map(keyOf);
    expect(new Set(names).size).toBe(5);
  });
});

describe("[TURN8] the memory of requests whose turns run", () => {
  const setup = () => {
    const held = { bytes: 0 };
    const add = (bytes: number) => {
      held.bytes += bytes;
    };
    return { held, requests: new RunningRequests({ add, free: (bytes) => add(-bytes) }) };
  };

  test("counts one that nobody waits for, until its turn has ended", () => {
    const { held, requests } = setup();
    const entry = takenEntry("c", activationOf("a"), { request: "x".repeat(10_000) });
    requests.callerLeft(entry);
    expect(held.bytes).toBe(0);
    requests.started(entry);
    const counted = held.bytes;
    expect(counted).toBeGreaterThanOrEqual(20_000);
    requests.callerLeft(entry);
    expect(held.bytes).toBe(counted);
    requests.ended(entry);
    requests.ended(entry);
    requests.callerLeft(entry);
    expect(held.bytes).toBe(0);
  });

  test("does not count one whose caller does, until the caller has left", () => {
    const { held, requests } = setup();
    const entry = takenEntry("c");
    const waiter = () => {};
    entry.waiters.add(waiter);
    requests.started(entry);
    requests.callerLeft(entry);
    expect(held.bytes).toBe(0);
    entry.waiters.delete(waiter);
    requests.callerLeft(entry);
    expect(held.bytes).toBeGreaterThan(0);
    requests.ended(entry);
    expect(held.bytes).toBe(0);
  });
});

describe("[TURN7] a circle through the line of a reliable call", () => {
  const deadlock = (...chain: string[]) => new EdgeverseError("DEADLOCK", "circle", { details: { chain } });
  const waitedFor = (...keys: string[]) => takenEntry("c", activationOf("a"), { chain: keys.map(link) });

  test("is there if a turn on the circle waits for a call of the line", () => {
    const circle = deadlock("T/x", "T/a", "T/b", "T/a");
    expect(closedByLine(circle, [waitedFor("T/b")])).toBe(true);
    expect(closedByLine(circle, [takenEntry("c"), waitedFor("T/y", "T/a")])).toBe(true);
    const joined = takenEntry("c");
    joined.joined.add([link("T/b")]);
    expect(closedByLine(circle, [joined])).toBe(true);
  });

  test("is not there if only what leads into the circle waits, or nobody", () => {
    const circle = deadlock("T/x", "T/y", "T/a", "T/b", "T/a");
    expect(closedByLine(circle, [waitedFor("T/x", "T/y"), takenEntry("d")])).toBe(false);
    expect(closedByLine(circle, [])).toBe(false);
  });

  test("is told by a deadlock alone, and only if it names the circle", () => {
    const other = new EdgeverseError("UNAVAILABLE", "away", { details: { chain: ["T/b", "T/b"] } });
    expect(closedByLine(other, [waitedFor("T/b")])).toBe(false);
    for (const details of [undefined, {}, { chain: "T/b" }])
      expect(closedByLine(new EdgeverseError("DEADLOCK", "?", { details }), [waitedFor("T/b")])).toBe(false);
  });
});
