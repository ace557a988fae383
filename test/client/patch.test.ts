import * as fc from "fast-check";
import { createPatch } from "rfc6902";
import { expect, test } from "vitest";
import { applyPatch } from "../../client/patch.ts";

test("[CLIENT8] what a patch makes of a document is what another implementation made it from", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (before, after) => {
      const [one, other] = [before, after].map((value) => JSON.parse(JSON.stringify(value)));
      expect(applyPatch(one, createPatch(one, other))).toEqual(other);
      // Nothing of the old document was changed.
      expect(one).toEqual(JSON.parse(JSON.stringify(before)));
    }),
    { numRuns: 300 },
  );
});

test.each([
  [[{ op: "move", from: "/a/0", path: "/b" }], { a: [2], b: 1 }],
  [[{ op: "copy", from: "/a", path: "/a/1" }], { a: [1, [1, 2], 2] }],
  [[{ op: "add", path: "/a/-", value: 3 }], { a: [1, 2, 3] }],
  [[{ op: "add", path: "/~0~1", value: 3 }], { a: [1, 2], "~/": 3 }],
  [
    [
      { op: "test", path: "/a", value: [1, 2] },
      { op: "remove", path: "/a" },
    ],
    {},
  ],
  [[{ op: "add", path: "", value: 1 }], 1],
])("[CLIENT8] %j", (patch, result) => {
  expect(applyPatch({ a: [1, 2] }, patch)).toEqual(result);
});

test.each([
  [{ op: "remove", path: "/x" }],
  [{ op: "replace", path: "/a/2", value: 1 }],
  [{ op: "add", path: "/a/3", value: 1 }],
  [{ op: "add", path: "/a/01", value: 1 }],
  [{ op: "add", path: "/a/length", value: 1 }],
  [{ op: "add", path: "/x/y", value: 1 }],
  [{ op: "add", path: "a", value: 1 }],
  [{ op: "test", path: "/a", value: [1] }],
  [{ op: "copy", from: "/constructor", path: "/c" }],
  [{ op: "merge", path: "/a", value: 1 }],
])("[CLIENT8] %j does not fit", (step) => {
  expect(() => applyPatch({ a: [1, 2] }, [step])).toThrow("Cannot apply the patch");
});

test("[CLIENT8] what a patch leaves alone is shared, and no prototype is changed", () => {
  const before = { same: { a: 1 }, other: { b: 1 } };
  const after = applyPatch(before, [{ op: "replace", path: "/other/b", value: 2 }]) as typeof before;
  expect([after.same === before.same, before.other]).toEqual([true, { b: 1 }]);
  applyPatch({}, [{ op: "add", path: "/__proto__", value: { polluted: true } }]);
  expect(Object.prototype).not.toHaveProperty("polluted");
});
