import { describe, expect, test } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import type { CallMessage, Reply } from "../../src/object/message.ts";
import { CallAnswers } from "../../src/partition/calls/call-answers.ts";
import { CRASHED, outcomeReply, stillPending } from "../../src/partition/calls/call-replies.ts";
import { CallWaiters } from "../../src/partition/calls/call-waiters.ts";
import type { StoredCall } from "../../src/partition/storage/stored-call.ts";
import type { CallRecord } from "../../src/reliable/call-record.ts";
import { checkSame } from "../../src/reliable/fingerprint.ts";
import { MemoryCallLog } from "../../src/testing/memory-call-log.ts";
import { callers, message, ROOM } from "./call-callers-fixture.ts";
import { activationOf, pendingCall, takenEntry } from "./call-entry-fixture.ts";

const error = { code: "CALL_FAILED", message: "no", retryable: false } as const;

describe("[CALL1] callers that wait for a call", () => {
  const never = () => expect.fail("not again");

  function waiting(made = callers()) {
    const waiters = new CallWaiters(made.parts);
    const entry = takenEntry("c");
    const heard: Reply[] = [];
    const wait = (changes: Partial<CallMessage> = {}, replayed = false, again: () => Promise<Reply> = never) =>
      void waiters.add(entry, message(changes), replayed, again).then((reply) => heard.push(reply));
    return { ...made, waiters, entry, heard, wait };
  }

  test("hear of its outcome, once; those of a later call that it is a repetition", async () => {
    const { clock, parts, waiters, entry, heard, wait } = waiting();
    wait();
    wait({}, true);
    waiters.accepted(entry);
    await clock.advance(1);
    expect(heard).toEqual([]);
    const reply = { kind: "response", response: "1" } as const;
    const { record } = entry.stored;
    entry.stored = { ...entry.stored, record: { ...record, status: "success", response: "1" } };
    waiters.answer(entry, reply);
    waiters.answer(entry, { kind: "error", error });
    // Nothing is left to wait for.
    expect(parts.deadlines.size).toBe(0);
    await clock.advance(1_000);
    expect(heard).toEqual([reply, { ...reply, replayed: true }]);
    wait({}, true);
    waiters.answer(entry, { kind: "error", error });
    await clock.advance(1);
    expect(heard[2]).toEqual({ kind: "error", error, replayed: true });
  });

  test("hear of no repetition when the call is taken back: it has no outcome", async () => {
    const { clock, waiters, entry, heard, wait } = waiting();
    wait({}, true);
    waiters.answer(entry, { kind: "error", error });
    await clock.advance(1);
    expect(heard).toEqual([{ kind: "error", error }]);
  });

  test("hear of its acceptance if they ask for no more", async () => {
    const { clock, waiters, entry, heard, wait } = waiting();
    wait({ reliable: { callId: "c", answer: "accepted" } }, true);
    wait();
    waiters.accepted(entry);
    await clock.advance(1);
    expect(heard).toEqual([{ kind: "accepted", callId: "c" }]);
  });

  test("[TURN5] wait until their deadlines, and learn what is known by then", async () => {
    const { clock, waiters, entry, heard, wait } = waiting();
    wait();
    wait({ deadline: 1_600 });
    await clock.advance(499);
    expect(heard).toEqual([]);
    await clock.advance(1);
    entry.accepted = true;
    await clock.advance(100);
    expect(heard).toEqual([stillPending("c", false), stillPending("c", true)]);
    waiters.answer(entry, { kind: "response", response: "1" });
    await clock.advance(1);
    expect(heard).toHaveLength(2);
  });

  test("[MIG1] ask again when it leaves before that", async () => {
    const { clock, waiters, entry, heard, wait } = waiting();
    const reply = { kind: "response", response: "from there" } as const;
    wait({}, false, async () => reply);
    waiters.release(entry);
    await clock.advance(1_000);
    expect(heard).toEqual([reply]);
  });

  test("[TURN8] are bounded; each leaves its room, and the memory of its request to the turn", async () => {
    const { clock, waiters, entry, heard, wait, held } = waiting();
    for (let n = 0; n < ROOM; n++) {
      waiters.checkRoom();
      wait({ deadline: 1_100 + n });
    }
    const overloaded = expect.objectContaining({ code: "OVERLOADED", retryAfter: 1 });
    expect(() => waiters.checkRoom()).toThrow(overloaded);
    expect(() => waiters.add(entry, message(), false, never)).toThrow(overloaded);
    entry.counted = 0;
    await clock.advance(100);
    waiters.checkRoom();
    expect(held.bytes).toBe(0);
    waiters.answer(entry, { kind: "response", response: "1" });
    await clock.advance(1);
    expect([heard.length, entry.waiters.size]).toEqual([ROOM, 0]);
    expect(held.bytes).toBeGreaterThan(0);
    for (let n = 0; n < ROOM; n++) wait();
    expect(() => waiters.checkRoom()).toThrow(overloaded);
  });
});

describe("[CALL1] the answer of a call", () => {
  const record = (changes: Partial<CallRecord>) => pendingCall("c", 1, changes).record;

  test("is its outcome; a parked one says so", () => {
    expect(outcomeReply(record({ status: "success", response: "1" }))).toEqual({ kind: "response", response: "1" });
    expect(outcomeReply(record({ status: "success" }))).toEqual({ kind: "response", response: "null" });
    for (const status of ["failed", "expired"] as const)
      expect(outcomeReply(record({ status, error }))).toEqual({ kind: "error", error });
    const details = { callId: "c", status: "parked" };
    expect(outcomeReply(record({ status: "parked", error: CRASHED }))).toMatchObject({
      error: { code: "UNAVAILABLE", retryable: false, details, message: expect.stringContaining(CRASHED.message) },
    });
    for (const status of ["pending", "parked"] as const)
      expect(outcomeReply(record({ status }))).toMatchObject({ error: { code: "UNAVAILABLE", retryable: true } });
    expect(CRASHED.retryable).toBe(false);
  });

  test("after the deadline says whether it will run", () => {
    expect(stillPending("c", true)).toMatchObject({
      error: {
        code: "DEADLINE_EXCEEDED",
        message: expect.stringContaining("is accepted"),
        details: { callId: "c", status: "pending" },
      },
    });
    expect(stillPending("c", false)).toMatchObject({
      error: { message: expect.stringContaining("before the call was"), details: { callId: "c", status: "unknown" } },
    });
  });

  test("is refused if its id named another call", () => {
    expect(() => checkSame(record({ requestHash: "h" }), "h")).not.toThrow();
    const reused = expect.objectContaining({ code: "CALL_ID_REUSED" });
    expect(() => checkSame(record({ requestHash: "h" }), "other")).toThrow(reused);
  });
});

describe("[CALL6] a stored outcome", () => {
  const ended: StoredCall = {
    ...pendingCall("c", 1, { status: "success", response: "1", finishedAt: 9 }),
    log: "write-ahead",
  };
  const activation = activationOf("a");

  test("leaves after the commit, as a repetition; not before the log has it", async () => {
    const log = new MemoryCallLog({ now: () => 1 });
    const { parts, table, clock, storage } = callers(log);
    table.finish([{ ...ended, accepted: false }]);
    const answers = new CallAnswers(parts);
    expect(answers.waits(ended)).toBe(true);
    expect(answers.waits({ ...ended, logged: true })).toBe(false);
    expect(answers.waits({ ...ended, record: { ...ended.record, status: "parked" } })).toBe(false);
    const reply = { kind: "response", response: "1", replayed: true };
    const first = answers.again(ended, activation);
    await clock.advance(1);
    expect(await first).toEqual(reply);
    expect(storage.query("SELECT logged FROM marks")).toEqual([{ logged: 1 }]);
    expect(await log.find("T", "a", "c")).toMatchObject({ status: "success" });
    log.down = true;
    const second = answers.again({ ...ended, logged: true }, activation);
    await clock.advance(1);
    expect(await second).toEqual(reply);
  });

  test("is not told while the log can't take it", async () => {
    const log = new MemoryCallLog({ now: () => 1 });
    const { parts, table, storage } = callers(log);
    table.finish([{ ...ended, accepted: false }]);
    log.down = true;
    const answers = new CallAnswers(parts);
    const failed = { error: { code: "LOG_UNAVAILABLE", details: { callId: "c", status: "success" } } };
    expect(await answers.again(ended, activation)).toMatchObject(failed);
    expect(await answers.ofEnded(ended)).toMatchObject(failed);
    expect(storage.query("SELECT logged FROM marks")).toEqual([{ logged: 0 }]);
  });

  test("leaves at once where there is no log, and not if the commit is lost", async () => {
    const { parts, clock, commit } = callers();
    const answers = new CallAnswers(parts);
    expect(answers.waits(ended)).toBe(false);
    const told = answers.again(ended, activation);
    await clock.advance(1);
    expect(await told).toMatchObject({ response: "1", replayed: true });
    const lost = answers.again(ended, activation);
    commit.discard(new EdgeverseError("UNAVAILABLE", "lost"));
    expect(await lost).toMatchObject({ kind: "error", error: { code: "UNAVAILABLE", message: "lost" } });
  });
});
