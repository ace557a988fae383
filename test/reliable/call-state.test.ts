import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CODES, type ErrorCode } from "../../src/errors/codes.ts";
import { EdgeverseError, type WireError } from "../../src/errors/edgeverse-error.ts";
import { type CallStatus, isFinal } from "../../src/reliable/call-record.ts";
import { type CallEvent, type CallState, eventOfError, retryDelay, transition } from "../../src/reliable/call-state.ts";

const ERROR: WireError = { code: "CALL_FAILED", message: "no", retryable: false, reason: "NO" };
const FAULT: WireError = { code: "DEADLINE_EXCEEDED", message: "late", retryable: true };
const FOREVER = Number.POSITIVE_INFINITY;
const pending = (attempts: number): CallState => ({ status: "pending", attempts });

const anyEvent: fc.Arbitrary<CallEvent> = fc.oneof(
  fc.constant<CallEvent>({ kind: "started" }),
  fc.constant<CallEvent>({ kind: "expired" }),
  fc.json().map((response): CallEvent => ({ kind: "returned", response })),
  fc.string().map((message): CallEvent => ({ kind: "threw", error: { ...ERROR, message } })),
  fc
    .oneof(fc.integer({ min: 1, max: 20 }), fc.constant(FOREVER))
    .map((maxAttempts): CallEvent => ({ kind: "faulted", error: FAULT, maxAttempts })),
);

describe("the life of a reliable call", () => {
  test.each<[string, CallState, CallEvent, unknown]>([
    ["pending, started", pending(1), { kind: "started" }, pending(2)],
    [
      "pending, returned",
      pending(3),
      { kind: "returned", response: "1" },
      { status: "success", attempts: 3, response: "1" },
    ],
    ["pending, threw", pending(2), { kind: "threw", error: ERROR }, { status: "failed", attempts: 2, error: ERROR }],
    ["pending, faulted with attempts left", pending(2), { kind: "faulted", error: FAULT, maxAttempts: 3 }, pending(2)],
    [
      "pending, faulted through no fault of its own",
      pending(999),
      { kind: "faulted", error: FAULT, maxAttempts: FOREVER },
      pending(999),
    ],
    [
      "pending, faulted with none left",
      pending(3),
      { kind: "faulted", error: FAULT, maxAttempts: 3 },
      {
        status: "failed",
        attempts: 3,
        error: { ...FAULT, retryable: false, message: "Gave up after 3 attempts: late" },
      },
    ],
    [
      "pending, expired",
      pending(1),
      { kind: "expired" },
      {
        status: "expired",
        attempts: 1,
        error: expect.objectContaining({ code: "DEADLINE_EXCEEDED", reason: "EXPIRED", retryable: false }),
      },
    ],
  ])("[CALL2] %s", (_, state, event, next) => {
    expect(transition(state, event)).toEqual(next);
  });

  test("[CALL2] an outcome never changes, whatever happens after it", () => {
    const finals: fc.Arbitrary<CallState> = fc.oneof(
      fc.record({ status: fc.constant("success" as const), attempts: fc.nat(), response: fc.json() }),
      fc.record({
        status: fc.constantFrom("failed" as const, "expired" as const),
        attempts: fc.nat(),
        error: fc.constant(ERROR),
      }),
    );
    fc.assert(
      fc.property(finals, fc.array(anyEvent), (final, events) => {
        expect(events.reduce(transition, final)).toBe(final);
      }),
    );
  });

  test("[CALL2] any history ends at most once, at its first outcome; only starts count as attempts", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
        let state = pending(1);
        for (const event of events) {
          const before = structuredClone(state);
          const next = transition(state, event);
          expect(state).toEqual(before);
          if (before.status !== "pending") expect(next).toEqual(before);
          else {
            expect(next.attempts).toBe(before.attempts + (event.kind === "started" ? 1 : 0));
            if (event.kind === "returned") expect(next.status).toBe("success");
            if (event.kind === "threw") expect(next.status).toBe("failed");
            if (event.kind === "expired") expect(next.status).toBe("expired");
          }
          if (next.status === "failed" || next.status === "expired") expect(next.error.retryable).toBe(false);
          state = next;
        }
      }),
    );
  });

  test("[CALL2] a call that faults at every start ends after exactly so many starts", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), (maxAttempts) => {
        let state = pending(1);
        let faults = 0;
        while (state.status === "pending" && faults < 100) {
          state = transition(state, { kind: "faulted", error: FAULT, maxAttempts });
          faults++;
          if (state.status === "pending") state = transition(state, { kind: "started" });
        }
        expect([state.status, state.attempts, faults]).toEqual(["failed", maxAttempts, maxAttempts]);
      }),
    );
  });

  test.each(Object.keys(CODES) as ErrorCode[])("[CALL2] an error is an outcome unless it may pass: %s", (code) => {
    const error = new EdgeverseError(code, "x", { reason: "R", details: { a: 1 } });
    const event = eventOfError(error, 7);
    if (!CODES[code].retryable) expect(event).toEqual({ kind: "threw", error: error.toWire() });
    else {
      // Only these can be the call's own doing; the rest wait for a part of the cluster, however long.
      const own = code === "DEADLINE_EXCEEDED" || code === "DEADLOCK";
      expect(event).toEqual({ kind: "faulted", error: error.toWire(), maxAttempts: own ? 7 : FOREVER });
    }
  });

  test("[CALL2] the error's own mark counts, not the default of its code", () => {
    expect(eventOfError(new EdgeverseError("UNAVAILABLE", "x", { retryable: false }), 7).kind).toBe("threw");
    expect(eventOfError(new EdgeverseError("DEADLOCK", "x", { retryable: true }), 7)).toMatchObject({
      kind: "faulted",
      maxAttempts: 7,
    });
  });

  test("[CALL2] delays double from 50 ms to 30 s and stay there", () => {
    expect([1, 2, 3, 4, 9, 10].map(retryDelay)).toEqual([50, 100, 200, 400, 12_800, 25_600]);
    for (const attempts of [11, 12, 100, 1_000, 1e9]) expect(retryDelay(attempts)).toBe(30_000);
  });
});

test("[CALL2] a call that is pending or parked has no outcome yet, any other has", () => {
  const all: Record<CallStatus, boolean> = {
    pending: false,
    parked: false,
    success: true,
    failed: true,
    expired: true,
  };
  for (const [status, final] of Object.entries(all)) expect(isFinal(status as CallStatus), status).toBe(final);
});
