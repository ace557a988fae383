import { beforeEach, describe, expect, test } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import type { MethodDefinition, TypeDefinition } from "../../src/object/registry.ts";
import { Activation } from "../../src/partition/turns/activation.ts";
import { outgoingError } from "../../src/partition/turns/outgoing-error.ts";
import type { Observer } from "../../src/partition/turns/ports.ts";
import type { TurnServices } from "../../src/partition/turns/turn.ts";
import { Turn, type TurnPlan } from "../../src/partition/turns/turn.ts";

let told: unknown[][];
beforeEach(() => {
  told = [];
});
const observer = {
  methodThrew: (...args) => told.push(["threw", ...args]),
  warn: (...args) => told.push(["warns", ...args]),
} as Partial<Observer> as Observer;

function turn({ readonly = false } = {}): Turn {
  const activation = new Activation<Turn>({ type: "T" } as TypeDefinition, "a", 7, 1, 1);
  const info = { caller: { kind: "client" }, deadline: 9, callId: undefined, requestId: "r", traceparent: undefined };
  const plan = { readonly, method: { name: "look" } as MethodDefinition, info } as Partial<TurnPlan> as TurnPlan;
  const made = new Turn(activation, plan, {} as TurnServices);
  if (readonly) made.restrict({});
  return made;
}

describe("an EdgeverseError that leaves a turn", () => {
  test("[HTTP2] is told with all it says, cut to what can be stored", () => {
    const details = { seats: [1, 2] };
    const given = new EdgeverseError("CALL_FAILED", "m".repeat(5_000), {
      reason: "r".repeat(300),
      details,
      retryAfter: 3,
      retryable: true,
    });
    const error = outgoingError(turn(), given, observer);
    expect(error.toWire()).toEqual({
      code: "CALL_FAILED",
      message: "m".repeat(4_096),
      reason: "r".repeat(256),
      details,
      retryAfter: 3,
      retryable: true,
    });
    expect([error.cause, error.details === details, told]).toEqual([given, false, []]);
  });

  test("[HTTP2] says no more than it did", () => {
    const error = outgoingError(turn(), new EdgeverseError("CALL_FAILED", "no"), observer);
    expect(error.toWire()).toEqual({ code: "CALL_FAILED", message: "no", retryable: false });
  });

  test("[HTTP2] leaves without details that are no JSON", () => {
    const details = (value: unknown) =>
      outgoingError(turn(), new EdgeverseError("CALL_FAILED", "no", { details: value }), observer).details;
    expect(details({ at: () => 1 })).toEqual({ omitted: expect.stringContaining("function") });
    expect(details("x".repeat(70_000))).toEqual({ omitted: expect.any(String) });
  });

  test.each([
    ["a fault of the platform", "UNAVAILABLE", new Error("disk"), 1],
    ["what another partition said", "UNAVAILABLE", new EdgeverseError("UNAVAILABLE", "gone"), 0],
    ["nothing below it", "UNAVAILABLE", undefined, 0],
    ["an error of the method's", "CALL_FAILED", new Error("why"), 0],
  ] as const)("with %s is a warning or none", (_name, code, cause, warnings) => {
    const given = new EdgeverseError(code, "no", { cause });
    outgoingError(turn(), given, observer);
    expect(told).toEqual(
      Array(warnings).fill(["warns", expect.stringContaining("platform"), { key: "T/a", error: given }]),
    );
  });
});

describe("anything else that a method throws", () => {
  test("[HTTP2] is INTERNAL to the caller, and known to the observer as it is", () => {
    for (const thrown of [new Error("secret"), "text", undefined, new TypeError("Cannot add property x")]) {
      told = [];
      const error = outgoingError(turn(), thrown, observer);
      expect(error.toWire()).toEqual({ code: "INTERNAL", message: "T/a failed unexpectedly", retryable: false });
      expect(error.cause).toBe(thrown);
      expect(told).toEqual([["threw", "T/a", "r", thrown]]);
    }
  });

  test("[TURN2] a write to the frozen state of a readonly method names the method, and the author's line", () => {
    const frozen = Object.freeze({ value: 1, list: Object.freeze([1]) }) as { value?: number; list: number[] };
    const writes = [
      () => (frozen.value = 2),
      () => frozen.list.push(2),
      () => delete frozen.value,
      () => Object.defineProperty(frozen, "value", { value: 3 }),
    ];
    for (const write of writes) {
      let thrown: unknown;
      try {
        write();
      } catch (error) {
        thrown = error;
      }
      const { cause } = outgoingError(turn({ readonly: true }), thrown, observer) as { cause: TypeError };
      expect(cause).toBeInstanceOf(TypeError);
      expect(cause.message).toBe(
        `Cannot change the state of T/a: T.look is declared readonly. ${(thrown as Error).message}`,
      );
      expect([cause.cause, told.at(-1)]).toEqual([thrown, ["threw", "T/a", "r", cause]]);
      expect(cause.stack).toContain("outgoing-error.test");
      expect(cause.stack).toContain("T.look is declared readonly");
      expect(outgoingError(turn(), thrown, observer).cause).toBe(thrown);
    }
  });

  test("[TURN2] another error of a readonly method stays as it is", () => {
    for (const thrown of [new TypeError("x is not a function"), new Error("Cannot add property x")]) {
      expect(outgoingError(turn({ readonly: true }), thrown, observer).cause).toBe(thrown);
    }
    const bare = new TypeError("Cannot add property x, object is not extensible");
    Object.defineProperty(bare, "stack", { value: undefined });
    const { cause } = outgoingError(turn({ readonly: true }), bare, observer) as { cause: TypeError };
    expect([cause.message, typeof cause.stack]).toEqual([expect.stringContaining("T.look"), "string"]);
  });
});
