import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fnv1a32 } from "../../src/identity/fnv1a.ts";

/** The definition, byte by byte and without 32-bit tricks: an independent reading of RFC 9923. */
function reference(text: string): number {
  let hash = 0x811c9dc5n;
  for (const byte of Buffer.from(text, "utf8")) hash = ((hash ^ BigInt(byte)) * 0x01000193n) % 2n ** 32n;
  return Number(hash);
}

describe("fnv1a32", () => {
  test.each([
    ["", 0x811c9dc5],
    ["a", 0xe40c292c],
    ["b", 0xe70c2de5],
    ["foobar", 0xbf9cf968],
  ])("[ID2] the hash of %j", (text, hash) => {
    expect(fnv1a32(text)).toBe(hash);
  });

  test.each(["é", "日本", "😀", "a😀b", "\u007f\u0080", "\u07ff\u0800", "\uffff", "𐀀", "\ud800", "x\udc00y"])(
    "[ID2] the UTF-8 bytes count, not the characters: %j",
    (text) => {
      expect(fnv1a32(text)).toBe(reference(text));
    },
  );

  test("[ID2] equals the byte-wise definition on any unicode, as an unsigned number", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        expect(fnv1a32(text)).toBe(reference(text));
      }),
      { numRuns: 500 },
    );
  });

  test("[ID2] any sequence of UTF-16 units, also a malformed one, hashes like its UTF-8 encoding", () => {
    const units = fc.array(fc.nat(0xffff), { maxLength: 40 }).map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(units, (text) => {
        expect(fnv1a32(text)).toBe(reference(text));
      }),
    );
  });
});
