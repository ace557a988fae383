import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { callIdTime, checkCallId, checkCallIdAge } from "../../src/reliable/call-id.ts";

const DAY = 86_400_000;
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

function uuid7(time: number, rest = "7abc-8def-0123456789ab"): string {
  const hex = time.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-${rest}`;
}

function ulid(time: number, rest = "0123456789ABCDEF"): string {
  let text = "";
  for (let left = BigInt(time), digit = 0; digit < 10; digit++, left /= 32n)
    text = CROCKFORD[Number(left % 32n)] + text;
  return text + rest;
}

const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });

describe("call ids", () => {
  test.each([
    // The example of RFC 9562, appendix A.6.
    ["017F22E2-79B0-7CC3-98C4-DC0C0C07398F", Date.UTC(2022, 1, 22, 19, 22, 22)],
    // The example of the ULID specification.
    ["01ARZ3NDEKTSV4RRFFQ69G5FAV", 1_469_922_850_259],
    ["01BX5ZZKBKACTAV9WEVGEMMVRZ", 1_508_808_576_371],
    ["7ZZZZZZZZZZZZZZZZZZZZZZZZZ", 2 ** 48 - 1],
  ])("[CALL9] the time of %s", (id, made) => {
    expect(callIdTime(id)).toBe(made);
    expect(callIdTime(id.toLowerCase())).toBe(made);
  });

  test("[CALL9] the time of any UUIDv7 and ULID can be told", () => {
    fc.assert(
      fc.property(time, (made) => {
        expect(callIdTime(uuid7(made))).toBe(made);
        expect(callIdTime(ulid(made))).toBe(made);
      }),
    );
  });

  test.each([
    ["a UUIDv4", "f47ac10b-58cc-4372-a567-0e02b2c3d479"],
    ["a UUIDv1", "c232ab00-9414-11ec-b3c8-9f6bdeced846"],
    ["a UUID of version 7 and another variant", "017f22e2-79b0-7cc3-18c4-dc0c0c07398f"],
    ["a UUID in braces", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}"],
    ["a UUID with more after it", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f:deposit"],
    ["a UUID of version 7 that ends early", "017f22e2-79b0-7cc3-98c4-dc0c0c07398"],
    ["a UUID of version 7 with a letter that is no digit", "017f22e2-79b0-7xyz-98c4-dc0c0c07398f"],
    ["a UUID without dashes", "017f22e279b07cc398c4dc0c0c07398f"],
    ["a ULID that overflows", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ"],
    ["a ULID with a letter outside of its alphabet", "01ARZ3NDEKTSV4RRFFQ69G5FAU"],
    ["a ULID that is too short", "01ARZ3NDEKTSV4RRFFQ69G5FA"],
    ["a name", "order-17"],
    ["nothing", ""],
  ])("[CALL9] of %s it can't", (_, id) => {
    expect(callIdTime(id)).toBeUndefined();
    expect(() => checkCallIdAge(id, 10_000 * DAY, DAY)).not.toThrow();
  });

  test("[CALL9] an id is refused from the moment its mark may be gone", () => {
    const now = 1_800_000_000_000;
    const retention = 30 * DAY;
    for (const make of [uuid7, ulid]) {
      for (const made of [now - retention, now, now + DAY]) checkCallIdAge(make(made), now, retention);
      for (const made of [now - retention - 1, 0]) {
        expect(() => checkCallIdAge(make(made), now, retention)).toThrow(
          expect.objectContaining({ code: "EXPIRED_CALL_ID" }),
        );
      }
    }
  });

  test("[CALL1] a call id is 1–255 visible ASCII characters", () => {
    const visible = Array.from({ length: 0x7e - 0x20 }, (_, index) => String.fromCharCode(0x21 + index));
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...visible), minLength: 1, maxLength: 255 }), (id) => {
        expect(() => checkCallId(id)).not.toThrow();
      }),
    );
    for (const bad of ["", " ", "a b", "a\n", "\ta", "a\u0000", "a\u007f", "é", "😀", "x".repeat(256)]) {
      expect(() => checkCallId(bad), JSON.stringify(bad)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    }
  });
});
