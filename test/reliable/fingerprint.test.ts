import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { derivedCallId, fingerprint, isFingerprint, isOf } from "../../src/reliable/fingerprint.ts";

/** The same value with the keys of every object in another order. */
function shuffled(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) return value.map((member) => shuffled(member, random));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, shuffled(member, random)] as const);
  for (let index = entries.length - 1; index > 0; index--) {
    const other = random() % (index + 1);
    [entries[index], entries[other]] = [entries[other]!, entries[index]!];
  }
  return Object.fromEntries(entries);
}

const json = fc.jsonValue();

describe("fingerprint", () => {
  const sha = (text: string) => createHash("sha256").update(text).digest("hex");

  test("[CALL1] is method and request as they are, or their hash when it is shorter: pinned, stored ones are compared for 30 days", () => {
    expect(fingerprint("add", { by: 2, a: [1, "é"] })).toBe('add\n{"a":[1,"é"],"by":2}');
    expect(fingerprint("get", undefined)).toBe("get\nnull");
    expect(fingerprint("get", null)).toBe("get\nnull");
    const [longest, longer] = ["é".repeat(58), "é".repeat(59)];
    expect(fingerprint("add", longest)).toBe(`add\n"${longest}"`);
    expect(fingerprint("add", longer)).toBe(sha(`add\n"${longer}"`));
  });

  test("[CALL1] is known from the hash that older code stored of a short request", () => {
    const print = fingerprint("add", { by: 2 });
    expect(isFingerprint(print, print)).toBe(true);
    expect(isFingerprint(sha('add\n{"by":2}'), print)).toBe(true);
    expect(isFingerprint(sha('add\n{"by":3}'), print)).toBe(false);
    expect(isFingerprint(fingerprint("add", { by: 3 }), print)).toBe(false);
    // A hash is not hashed once more.
    const hash = fingerprint("add", "a".repeat(99));
    expect(isFingerprint(hash, hash)).toBe(true);
    expect(isFingerprint(sha(hash), hash)).toBe(false);
  });

  test("[CALL1] does not depend on the order of keys, at any depth", () => {
    fc.assert(
      fc.property(json, fc.infiniteStream(fc.nat()), (request, stream) => {
        const random = () => stream.next().value as number;
        expect(fingerprint("m", shuffled(request, random))).toBe(fingerprint("m", request));
      }),
    );
    expect(fingerprint("m", { b: { d: 1, c: 2 }, a: 0 })).toBe(fingerprint("m", { a: 0, b: { c: 2, d: 1 } }));
  });

  test("[CALL1] does not depend on white space, escapes or how a number is written", () => {
    fc.assert(
      fc.property(json, (request) => {
        const parsed: unknown = JSON.parse(JSON.stringify(request, null, "\t "));
        expect(fingerprint("m", parsed)).toBe(fingerprint("m", request));
      }),
    );
    const texts = ['{"a":1,"b":"é"}', ' { "b" : "\\u00e9",\n"a": 1.0e0 } '];
    expect(new Set(texts.map((text) => fingerprint("m", JSON.parse(text)))).size).toBe(1);
  });

  test("[CALL1] differs for any other request", () => {
    const stable = (value: unknown): string => JSON.stringify(sorted(value));
    fc.assert(
      fc.property(json, json, (left, right) => {
        const same = stable(left) === stable(right);
        expect(fingerprint("m", left) === fingerprint("m", right)).toBe(same);
      }),
    );
  });

  test("[CALL1] what looks alike is told apart", () => {
    const requests: unknown[] = [
      null,
      0,
      "0",
      "",
      "null",
      false,
      [],
      {},
      [null],
      [[]],
      [{}],
      { a: null },
      { a: {} },
      { a: [] },
      "a",
      ["a"],
      ["a", "b"],
      ["a,b"],
      ['a","b'],
      { a: "b" },
      { "a:b": "" },
      { 'a":"b': 1 },
      { a: 1, b: 2 },
      { a: { b: 2 } },
      { b: 1, a: 2 },
      [1, 2],
      [2, 1],
      [12],
      "1",
      1,
      "é",
      "e\u0301",
      "\ud800",
      "\ufffd",
      JSON.parse('{"__proto__":1}'),
      JSON.parse('{"__proto__":{"a":1}}'),
    ];
    expect(new Set(requests.map((request) => fingerprint("m", request))).size).toBe(requests.length);
  });

  test("[CALL1] the method counts", () => {
    const names = ["add", "Add", "ad", "add_", "deposit"];
    expect(new Set(names.map((name) => fingerprint(name, { by: 1 }))).size).toBe(names.length);
    expect(fingerprint("a", "b")).not.toBe(fingerprint("ab", ""));
  });
});

/** The value in a form whose JSON is the same exactly for equal values. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return ["array", ...value.map(sorted)];
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return ["object", ...entries.flatMap(([key, member]) => [key, sorted(member)])];
}

describe("the fingerprint of a call that a client makes for somebody", () => {
  const owner = createHash("sha256").update("ann").digest("hex").slice(0, 32);

  test("[ACC2] [CALL1] says for whom, pinned: a stored one is compared for 30 days", () => {
    expect(fingerprint("get", undefined, "ann")).toBe(`get\nnull\n@${owner}`);
    const long = fingerprint("add", "a".repeat(99));
    expect(fingerprint("add", "a".repeat(99), "ann")).toBe(`${long}\n@${owner}`);
  });

  test("[ACC2] is that identity's alone; one without is anybody's, whatever its request says", () => {
    for (const request of [undefined, "a".repeat(99), `\n@${owner}`, { "": `\n@${owner}` }]) {
      const [theirs, open] = [fingerprint("get", request, "ann"), fingerprint("get", request)];
      expect([isOf(theirs, "ann"), isOf(theirs, "bob"), isOf(theirs, undefined)]).toEqual([true, false, false]);
      expect([isOf(open, "bob"), isOf(open, undefined)]).toEqual([true, true]);
      expect(isFingerprint(theirs, open) || isFingerprint(open, theirs)).toBe(false);
    }
  });
});

describe("the call id of a call that a reliable call makes", () => {
  test("[CALL7] is 40 hexadecimal digits, pinned: another attempt, by another version, must make the same", () => {
    const text = createHash("sha256").update("Wallet/ann\norder-1\ncharge").digest("hex");
    expect(derivedCallId("Wallet/ann", "order-1", "charge")).toBe(text.slice(0, 40));
  });

  test("[CALL7] is another for every caller, call and label", () => {
    const ids = [
      derivedCallId("Wallet/ann", "order-1", "charge"),
      derivedCallId("Wallet/bob", "order-1", "charge"),
      derivedCallId("Wallet/ann", "order-2", "charge"),
      derivedCallId("Wallet/ann", "order-1", "refund"),
    ];
    expect(new Set(ids).size).toBe(4);
  });
});
