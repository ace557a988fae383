import { describe, expect, test } from "vitest";
import type { StorePageRange } from "../../src/object/store.ts";
import { cursorAfter, isInRange, type KeyRange, keyRange } from "../../src/partition/turns/store-range.ts";

const ALL: KeyRange = { lower: "", inclusive: true, upper: null, reverse: false, limit: 1_000 };

describe("the keys that a range asks for", () => {
  test.each<[string, StorePageRange, Partial<KeyRange>]>([
    ["nothing given", {}, {}],
    ["a prefix", { prefix: "ab" }, { lower: "ab", upper: "ac" }],
    ["a start within the prefix", { prefix: "a", start: "ab" }, { lower: "ab", upper: "b" }],
    ["a start before the prefix", { prefix: "b", start: "a" }, { lower: "b", upper: "c" }],
    ["a start after", { startAfter: "b" }, { lower: "b", inclusive: false }],
    ["a start after one before the prefix", { prefix: "b", startAfter: "a" }, { lower: "b", upper: "c" }],
    ["a start after the prefix itself", { prefix: "b", startAfter: "b" }, { lower: "b", inclusive: false, upper: "c" }],
    ["an end within the prefix", { prefix: "a", end: "ab" }, { lower: "a", upper: "ab" }],
    ["an end beyond the prefix", { prefix: "a", end: "c" }, { lower: "a", upper: "b" }],
    ["an end alone", { end: "c" }, { upper: "c" }],
    ["a page after another", { start: "a", cursor: ">b" }, { lower: "b", inclusive: false }],
    ["a page after another, start after", { startAfter: "a", cursor: ">b" }, { lower: "b", inclusive: false }],
    [
      "backwards",
      { reverse: true, startAfter: "a", end: "c" },
      { lower: "a", inclusive: false, upper: "c", reverse: true },
    ],
    ["a page after another backwards", { reverse: true, end: "c", cursor: "<b" }, { upper: "b", reverse: true }],
    ["limits at their ends", { limit: 10_000 }, { limit: 10_000 }],
    ["one row", { limit: 1 }, { limit: 1 }],
  ])("[OBJ8] %s", (_name, range, keys) => {
    expect(keyRange(range)).toEqual({ ...ALL, ...keys });
  });

  test.each([
    ["z", "{"],
    ["a\u{10ffff}", "b"],
    ["a\u{10fffe}", "a\u{10ffff}"],
    // Half of a pair is no character.
    ["\ud7ff", "\ue000"],
    ["\ue000", "\ue001"],
    ["\u{10ffff}\u{10ffff}", null],
  ])("[OBJ8] of the prefix %j end before %j", (prefix, upper) => {
    expect(keyRange({ prefix })).toMatchObject({ lower: prefix, upper });
  });

  test.each<[string, StorePageRange]>([
    ["no limit", { limit: 0 }],
    ["too high a limit", { limit: 10_001 }],
    ["half a row", { limit: 1.5 }],
    ["a bound that is no text", { start: 1 as unknown as string }],
    ["two lower bounds", { start: "a", startAfter: "b" }],
    ["a cursor of the other direction", { cursor: "<a" }],
    ["a cursor of the other direction backwards", { cursor: ">a", reverse: true }],
    ["a cursor without a key", { cursor: ">" }],
  ])("[OBJ8] refuses %s", (_name, range) => {
    expect(() => keyRange(range)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });

  test("[OBJ8] a cursor is the last key and its direction", () => {
    expect([cursorAfter("a", false), cursorAfter("a", true)]).toEqual([">a", "<a"]);
  });
});

test.each([
  ["a", false],
  ["b", true],
  ["bb", true],
  ["d", false],
  ["e", false],
])("[OBJ8] whether %j is from b on and before d", (key, there) => {
  expect(isInRange(key, { ...ALL, lower: "b", upper: "d" })).toBe(there);
  expect(isInRange(key, { ...ALL, lower: "b", upper: "d", inclusive: false })).toBe(there && key !== "b");
  expect(isInRange(key, { ...ALL, lower: "b" })).toBe(key !== "a");
});
