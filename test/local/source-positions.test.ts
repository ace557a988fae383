import { afterEach, expect, test } from "vitest";
import { SourcePositions } from "../../local/source-positions.ts";
import { cleanUp, folderWith } from "./host-process.ts";

afterEach(cleanUp);

/** A bundle of one line, which is the third of `author.ts`. */
const map = JSON.stringify({ version: 3, sources: ["author.ts"], names: [], mappings: "AAEA" });

test.each([
  ["at f (index.js:1:1)", "author.ts:3:1)"],
  ['{"error":"at index.js:1:1"}', 'author.ts:3:1"}'],
  ["no position", "no position"],
  ["at other.js:1:1", "at other.js:1:1"],
])("%j names the author's file", (text, end) => {
  const positions = new SourcePositions(folderWith({ "index.js": "f()", "index.js.map": map }));
  expect(positions.translate(text).endsWith(end)).toBe(true);
});

test("a line of two million characters is read once, not from each of them", () => {
  const positions = new SourcePositions(folderWith({ "index.js": "f()", "index.js.map": map }));
  const long = "x".repeat(2_000_000);
  const translated = positions.translate(`Error: ${long}\n    at f (index.js:1:1)`);
  expect(translated.startsWith(`Error: ${long}\n    at f (`)).toBe(true);
  expect(translated.endsWith("author.ts:3:1)")).toBe(true);
});
