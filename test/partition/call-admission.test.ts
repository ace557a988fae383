import { describe, expect, test } from "vitest";
import type { CallMessage } from "../../src/object/message.ts";
import type { MethodDefinition } from "../../src/object/registry.ts";
import { checkAdmission, checkCycle } from "../../src/partition/calls/call-admission.ts";
import { OpenCalls } from "../../src/partition/calls/open-calls.ts";
import { backlogRecord } from "../../src/partition/storage/stored-call.ts";
import { MemoryCallLog } from "../../src/testing/memory-call-log.ts";
import { BYTES, callers, message, ROOM } from "./call-callers-fixture.ts";
import { activationOf, pendingCall, takenEntry } from "./call-entry-fixture.ts";

describe("[TURN8] whether one more call is taken", () => {
  const method = { name: "m", log: "write-behind" } as MethodDefinition;
  const ahead = { callId: "c", answer: "outcome", log: "write-ahead" } as const;
  const chained = message({ chain: [{ key: "T/b", turn: "t", readonly: false }] });

  function admission(log?: MemoryCallLog) {
    const made = callers(log);
    const open = new OpenCalls();
    const admit = (given = message()) => checkAdmission(made.parts, open, given, activationOf("a"), method);
    return { ...made, open, admit };
  }

  test("depends on the number of those that are open; one that an open call waits for has twice the room", () => {
    const { open, admit } = admission();
    const overloaded = expect.objectContaining({ code: "OVERLOADED", retryAfter: 1 });
    const fill = (from: number, to: number) => {
      for (let n = from; n < to; n++) open.add(takenEntry(`c${n}`));
    };
    fill(0, ROOM - 1);
    expect(admit()).toBe("write-behind");
    fill(ROOM - 1, ROOM);
    expect(() => admit()).toThrow(overloaded);
    expect(() => admit(message({ chain: [] }))).toThrow(overloaded);
    expect(admit(chained)).toBe("write-behind");
    fill(ROOM, 2 * ROOM);
    expect(() => admit(chained)).toThrow(overloaded);
  });

  test("depends on the bytes that they take, and on those that the log has yet to see", () => {
    const pending = admission();
    pending.open.setAside("x", 7, BYTES - 1);
    expect(pending.admit()).toBe("write-behind");
    pending.open.setAside("y", 7, 1);
    const overloaded = expect.objectContaining({ code: "OVERLOADED", retryAfter: 5 });
    expect(() => pending.admit()).toThrow(overloaded);
    expect(() => pending.admit()).toThrow("of pending calls");
    expect(pending.admit(chained)).toBe("write-behind");
    pending.open.setAside("y", 7, BYTES + 1);
    expect(() => pending.admit(chained)).toThrow(overloaded);

    const backlog = admission(new MemoryCallLog({ now: () => 1 }));
    const record = backlogRecord(pendingCall("c", 1, { request: null, response: "x".repeat(BYTES / 2 - 400) }));
    backlog.table.backlog.append([record]);
    expect(backlog.admit()).toBe("write-behind");
    backlog.open.setAside("x", 7, BYTES / 2);
    expect(() => backlog.admit()).toThrow(overloaded);
    expect(() => backlog.admit()).toThrow("of pending calls");
    backlog.open.return("x");
    backlog.table.backlog.append([record]);
    const away = expect.objectContaining({ code: "LOG_UNAVAILABLE", retryAfter: 5 });
    expect(() => backlog.admit()).toThrow(away);
    expect(() => backlog.admit()).toThrow("of outcomes that wait for the log");
    const none = admission();
    none.table.backlog.append([record, record, record]);
    expect(none.admit()).toBe("write-behind");
  });

  test("depends on the object's own room, on the age of its id, and on the log that it asks for", async () => {
    const { engine, admit } = admission();
    const refused = expect.objectContaining({ code: "LOG_UNAVAILABLE", retryable: false });
    expect(() => admit(message({ reliable: ahead }))).toThrow(refused);
    expect(admission(new MemoryCallLog({ now: () => 1 })).admit(message({ reliable: ahead }))).toBe("write-ahead");
    engine.room = false;
    expect(() => admit()).toThrow(expect.objectContaining({ code: "OVERLOADED" }));
    const { clock, admit: later } = admission();
    const old = message({ reliable: { callId: "01900000-0000-7000-8000-000000000000", answer: "outcome" } });
    expect(later(old)).toBe("write-behind");
    await clock.advance(0x019000000000 + 2_000_000);
    expect(() => later(old)).toThrow(expect.objectContaining({ code: "EXPIRED_CALL_ID" }));
  });

  test("[TURN7] depends on whether its caller would wait for itself", () => {
    const { engine, parts } = callers();
    const check = (given: CallMessage) => () => checkCycle(parts, given, activationOf("a"));
    expect(check(chained)).not.toThrow();
    engine.cycle = ["T/a", "T/b"];
    expect(check(message())).not.toThrow();
    expect(check(chained)).toThrow(
      expect.objectContaining({ code: "DEADLOCK", retryable: false, details: { chain: ["T/b", "T/a", "T/b"] } }),
    );
  });
});
