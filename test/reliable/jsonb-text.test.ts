import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromJsonbText, toJsonbText, wrapJsonText } from "../../src/reliable/jsonb-text.ts";

/** What jsonb refuses in a JSON text: U+0000, and half of a surrogate pair. */
const refused = (text: string) => {
  const strings: string[] = [];
  JSON.parse(text, (key, value) => {
    strings.push(key);
    if (typeof value === "string") strings.push(value);
    return value;
  });
  return strings.some((string) => string.includes("\0") || !string.isWellFormed());
};

/** As Postgres prints a jsonb value: an object of one key with one space. */
const printed = (text: string) => text.replace(/^\{"edgeverse:json":"/, '{"edgeverse:json": "');

/** JSON in which every character may be spelled as an escape. */
const spelled = fc
  .tuple(
    fc.string({ unit: fc.constantFrom("\0", "a", "\\", '"', "u", "\ud800", "\udc00", "😀", "0"), maxLength: 8 }),
    fc.boolean(),
  )
  .map(([text, escapes]) => {
    const json = JSON.stringify({ [text]: text });
    return escapes ? json.replace(/[a😀]/gu, (found) => [...found].map(escaped).join("")) : json;
  });
const escaped = (text: string) =>
  text
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");

describe("JSON texts in jsonb columns", () => {
  test("[CALL5] what jsonb refuses is wrapped, and what is stored is read as it was", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), spelled), (text) => {
        const stored = toJsonbText(text) as string;
        expect(refused(stored)).toBe(false);
        expect(fromJsonbText(printed(stored))).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ["nothing", null],
    ["a number", "17"],
    ["an emoji, escaped", '"\\ud83d\\ude00"'],
    ["an emoji, escaped in capitals", '"\\uD83D\\uDE00"'],
    ["a backslash before the letters u0000", '"\\\\u0000"'],
    ["a letter that is no ASCII, escaped", '"\\u00e9"'],
    ["a line break, escaped", '"\\u000a"'],
  ])("[CALL5] %s is stored as it is, so that SQL can ask for it", (_, text) => {
    expect(toJsonbText(text)).toBe(text);
    expect(fromJsonbText(text)).toBe(text);
  });

  test.each([
    ["U+0000", '"\\u0000"'],
    ["the first half of a pair", '"\\ud83d"'],
    ["the second half of a pair", '"\\uDE00"'],
    ["two first halves", '"\\ud83d\\ud83d"'],
    ["halves in the wrong order", '"\\ude00\\ud83d"'],
    ["U+0000 after other escapes", '"\\n\\u00e9\\\\\\u0000"'],
    ["what looks like a wrapper", '{"edgeverse:json":"1"}'],
    ["what looks like a wrapper, escaped", '{"\\u0065dgeverse:json":"1"}'],
  ])("[CALL5] %s is wrapped", (_, text) => {
    expect(toJsonbText(text)).toBe(wrapJsonText(text));
    expect(fromJsonbText(printed(wrapJsonText(text)))).toBe(text);
  });

  test("[CALL5] an application's own object that only begins like a wrapper is read as it is", () => {
    for (const stored of ['{"edgeverse:json": "1", "more": 2}', '{"edgeverse:json": 1}', '["edgeverse:json"]'])
      expect(fromJsonbText(stored)).toBe(stored);
  });
});
