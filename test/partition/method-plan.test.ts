import { describe, expect, test } from "vitest";
import type { MethodDefinition } from "../../src/object/registry.ts";
import type { VirtualObject } from "../../src/object/virtual-object.ts";
import { encodeCopy, encodeText, learnFrom, methodPlan } from "../../src/partition/turns/method-plan.ts";
import type { TurnPlan } from "../../src/partition/turns/turn.ts";

const methodOf = (returns: MethodDefinition["returns"]) =>
  ({ name: "act", readonly: false, returns }) as Partial<MethodDefinition> as MethodDefinition;
const plan = (method: MethodDefinition, request?: unknown) => methodPlan(method, request, {} as TurnPlan);

describe("what is known of a method", () => {
  test.each([
    ["unknown", 1, "value"],
    ["unknown", Promise.resolve(), "promise"],
    ["value", 1, "value"],
    ["value", Promise.resolve(), "promise"],
    ["promise", 1, "promise"],
    ["promise", Promise.resolve(), "promise"],
  ] as const)("[TURN1] was %s; it returns %s: now it is %s", (before, result, after) => {
    const method = methodOf(before);
    learnFrom(method, result);
    expect(method.returns).toBe(after);
    expect(plan(method).async).toBe(after === "promise");
  });

  test("[TURN1] one that nobody has called may return a promise", () => {
    expect(plan(methodOf("unknown")).async).toBe(true);
  });

  test("[OBJ5] a plan calls it with the parsed request, on the object", () => {
    const object = {
      by: 2,
      act({ n }: { n: number }) {
        return n * this.by;
      },
    };
    expect(plan(methodOf("unknown"), { n: 3 }).run(object as unknown as VirtualObject<unknown>)).toBe(6);
  });
});

describe("a response", () => {
  test("[OBJ3] is a copy", () => {
    const value = { list: [1, { a: null }] };
    const copy = encodeCopy(() => 100)(value);
    expect([copy, copy === value]).toEqual([value, false]);
    expect(encodeText(() => 100)(value)).toBe(JSON.stringify(value));
  });

  test("[TURN9] has at most so many bytes of JSON", () => {
    for (const encode of [encodeCopy, encodeText]) {
      for (const text of ["x".repeat(98), "€".repeat(32)]) {
        expect(() => encode(() => 100)(text)).not.toThrow();
        expect(() => encode(() => 100)(`${text}xxx`)).toThrow(expect.objectContaining({ code: "PAYLOAD_TOO_LARGE" }));
      }
    }
  });

  test("[OBJ2] must be a JSON value: the error says where it is none", () => {
    const refused = { code: "INVALID_RESPONSE", details: { path: ["deep", 1] } };
    for (const encode of [encodeCopy, encodeText])
      expect(() => encode(() => 100)({ deep: [1, () => 1] })).toThrow(expect.objectContaining(refused));
  });

  test("[HTTP2] whose own code throws passes that on", () => {
    const odd = {
      get a() {
        throw new RangeError("odd");
      },
    };
    expect(() => encodeCopy(() => 100)(odd)).toThrow(RangeError);
  });
});
