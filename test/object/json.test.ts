import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  copyJson,
  exceedsBytes,
  freezeJson,
  JsonTooLargeError,
  jsonText,
  MAX_DEPTH,
  NotJsonError,
  parseJson,
} from "../../src/object/json.ts";

/** Arrays within arrays, so many levels. */
function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

function pathOf(value: unknown): readonly (string | number)[] | undefined {
  try {
    copyJson(value);
    return undefined;
  } catch (error) {
    if (error instanceof NotJsonError) return error.path;
    throw error;
  }
}

describe("copyJson", () => {
  test("[OBJ3] a copy is what JSON would carry, and shares nothing", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const copied = copyJson(value);
        // Through text on both sides: -0 is 0 in JSON.
        expect(JSON.stringify(copied)).toBe(JSON.stringify(value));
        expect(sharesNothing(copied, value)).toBe(true);
      }),
    );
  });

  test("[OBJ3] one object in two places is copied to each", () => {
    const shared = { n: 1 };
    const copied = copyJson({ a: shared, b: [shared] }) as { a: object; b: object[] };
    expect(copied).toEqual({ a: { n: 1 }, b: [{ n: 1 }] });
    expect(copied.a).not.toBe(copied.b[0]);
  });

  test("[OBJ2] undefined is null as a value and left out as a member", () => {
    expect(copyJson(undefined)).toBeNull();
    expect(Object.keys(copyJson({ a: undefined, b: null, c: { d: undefined } }) as object)).toEqual(["b", "c"]);
    expect(pathOf([undefined])).toEqual([0]);
  });

  test("[OBJ3] a key named __proto__ is data: it sets no prototype and is not lost", () => {
    const hostile: unknown = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"a":{"__proto__":null}}');
    const copied = copyJson(hostile) as Record<string, unknown>;
    expect(JSON.stringify(copied)).toBe(JSON.stringify(hostile));
    expect(Object.getPrototypeOf(copied)).toBe(Object.prototype);
    expect(copied["admin"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
  });

  test("[OBJ3] objects without a prototype are plain", () => {
    expect(copyJson(Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 });
  });

  class Point {
    x = 1;
  }
  class Points extends Point {}
  test.each([
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["-Infinity", Number.NEGATIVE_INFINITY],
    ["bigint", 1n],
    ["symbol", Symbol("s")],
    ["function", () => 1],
    ["Date", new Date(0)],
    ["Map", new Map()],
    ["Set", new Set()],
    ["RegExp", /x/],
    ["bytes", new Uint8Array(1)],
    ["buffer", new ArrayBuffer(1)],
    ["boxed number", Object(1)],
    ["boxed string", Object("s")],
    ["Error", new Error("e")],
    ["promise", Promise.resolve(1)],
    ["class instance", new Point()],
    ["instance of a subclass", new Points()],
    ["inherited members", Object.create({ a: 1 })],
  ])("[OBJ2] not JSON, found anywhere: %s", (_, bad) => {
    expect(pathOf(bad)).toEqual([]);
    expect(pathOf({ items: [0, { when: bad }] })).toEqual(["items", 1, "when"]);
    expect(() => copyJson({ items: [0, { when: bad }] })).toThrow(/^items\.1\.when is /);
  });

  test("[OBJ2] toJSON is not asked: it is a function like any other", () => {
    expect(pathOf({ toJSON: () => 1 })).toEqual(["toJSON"]);
  });

  test("[OBJ2] holes in an array are not JSON", () => {
    // biome-ignore lint/suspicious/noSparseArray: that is what is tested
    expect(pathOf([1, , 3])).toEqual([1]);
  });

  test("[OBJ2] a cycle is found and does not exhaust the stack", () => {
    const ring: Record<string, unknown> = {};
    ring["self"] = { back: [ring] };
    expect(() => copyJson(ring)).toThrow(NotJsonError);
  });

  test(`[TURN9] ${MAX_DEPTH} levels pass, one more does not, a hundred thousand neither`, () => {
    expect(copyJson(nested(MAX_DEPTH))).toEqual(nested(MAX_DEPTH));
    for (const levels of [MAX_DEPTH + 1, 100_000]) expect(() => copyJson(nested(levels))).toThrow(NotJsonError);
  });

  test("[TURN9] a value far over the limit is refused without being walked to the end", () => {
    let looks = 0;
    const many = Array.from({ length: 1_000 }, () => ({
      get text() {
        looks++;
        return "x".repeat(100);
      },
    }));
    expect(() => copyJson(many, 5_000)).toThrow(JsonTooLargeError);
    expect(looks).toBeLessThan(100);
  });

  test("[TURN9] a value whose JSON fits the limit is never refused", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const limit = Buffer.byteLength(JSON.stringify(value));
        expect(() => copyJson(value, limit)).not.toThrow();
      }),
      { examples: [[["a", "b"]], [["", "", ""]]] },
    );
  });

  test.each<[string, (count: number) => unknown]>([
    ["long numbers", (count) => Array(count).fill(-1.2345678901234567e-100)],
    ["escapes", (count) => "\u0001".repeat(count)],
    ["three-byte characters", (count) => ["日".repeat(count)]],
    ["keys", (count) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`\u0001${index}`, false]))],
  ])("[TURN9] the limit is exact in bytes of JSON, whatever the value is made of: %s", (_, make) => {
    const limit = 10_000;
    for (let count = 50; count < 5_000; count += 98) {
      const over = Buffer.byteLength(JSON.stringify(make(count))) > limit;
      const copied = () => copyJson(make(count), limit);
      if (over) expect(copied, `${count}`).toThrow(JsonTooLargeError);
      else expect(copied, `${count}`).not.toThrow();
    }
  });

  test("[TURN9] a refused copy leaves no limit behind for the next", () => {
    expect(() => copyJson("x".repeat(100), 10)).toThrow(JsonTooLargeError);
    expect(copyJson("x".repeat(100))).toHaveLength(100);
  });
});

describe("jsonText", () => {
  test("[OBJ2] is the JSON of what copyJson accepts, and refuses the rest", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(jsonText(value)).toBe(JSON.stringify(value));
      }),
    );
    expect(jsonText(undefined)).toBe("null");
    expect(() => jsonText({ at: new Date(0) })).toThrow(NotJsonError);
  });
});

describe("parseJson", () => {
  test("[TURN9] limits the depth of arrays, objects and mixtures", () => {
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
      ['[{"a":', "}]"],
    ] as const) {
      const step = open.startsWith("[{") ? 2 : 1;
      const text = (levels: number) => `${open.repeat(levels / step)}1${close.repeat(levels / step)}`;
      expect(JSON.stringify(parseJson(text(MAX_DEPTH)))).toBe(text(MAX_DEPTH));
      expect(() => parseJson(text(MAX_DEPTH + step))).toThrow(NotJsonError);
    }
  });

  test("[TURN9] the shortest text that is too deep is found", () => {
    const text = `${"[".repeat(MAX_DEPTH + 1)}${"]".repeat(MAX_DEPTH + 1)}`;
    expect(() => parseJson(text)).toThrow(NotJsonError);
    expect(() => parseJson(text.slice(1, -1))).not.toThrow();
  });

  test("[TURN9] a hostile text of a million brackets is refused, not fatal", () => {
    expect(() => parseJson(`${"[".repeat(500_000)}${"]".repeat(500_000)}`)).toThrow();
  });

  test("[TURN9] what can be copied can be parsed, and the other way round", () => {
    for (const levels of [MAX_DEPTH - 1, MAX_DEPTH]) {
      expect(parseJson(jsonText(nested(levels)))).toEqual(copyJson(nested(levels)));
    }
  });

  test.each(["", "{", "nul", "'a'", "{a:1}", "[1,]", "NaN", "undefined", "\u00a01"])(
    "refuses what is not JSON: %j",
    (text) => {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    },
  );

  test("wide values and brackets within strings are not deep", () => {
    expect(parseJson(JSON.stringify("[".repeat(1_000)))).toBe("[".repeat(1_000));
    const wide = Array.from({ length: 1_000 }, () => [1]);
    expect(parseJson(JSON.stringify(wide))).toEqual(wide);
  });
});

describe("exceedsBytes", () => {
  test.each([
    ["a", 1],
    ["é", 2],
    ["日", 3],
    ["😀", 4],
    // Half a pair is encoded as U+FFFD.
    ["\ud800", 3],
  ])("[TURN9] is exact at the boundary for %j", (character, bytes) => {
    for (const times of [1, 7, 100]) {
      const text = character.repeat(times);
      expect(exceedsBytes(text, bytes * times)).toBe(false);
      expect(exceedsBytes(text, bytes * times - 1)).toBe(true);
      expect(exceedsBytes(`${text}a`, bytes * times)).toBe(true);
    }
  });

  test("[TURN9] agrees with the encoder for any text and limit", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: -3, max: 3 }), (text, off) => {
        const bytes = Buffer.byteLength(text);
        expect(exceedsBytes(text, bytes + off)).toBe(off < 0);
      }),
    );
    expect(exceedsBytes("", 0)).toBe(false);
  });
});

describe("freezeJson", () => {
  test("[TURN1] freezes every level of the value it returns", () => {
    const value = { list: [{ n: 1 }], text: "x", nothing: null };
    expect(freezeJson(value)).toBe(value);
    for (const part of [value, value.list, value.list[0]]) expect(Object.isFrozen(part)).toBe(true);
  });
});

function sharesNothing(left: unknown, right: unknown): boolean {
  if (typeof left !== "object" || left === null) return true;
  if (left === right) return false;
  return Object.entries(left).every(([key, member]) => sharesNothing(member, (right as Record<string, unknown>)[key]));
}
