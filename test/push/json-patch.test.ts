import fc from "fast-check";
import { applyPatch, type Operation } from "rfc6902";
import { describe, expect, test } from "vitest";
import { patchBetween } from "../../src/push/json-patch.ts";

const json = fc.jsonValue({ maxDepth: 4, depthSize: "small" });

function applied(before: string, patch: string): unknown {
  const document = { root: JSON.parse(before) as unknown };
  const steps = JSON.parse(patch) as Operation[];
  const faults = applyPatch(
    document,
    steps.map((step) => ({ ...step, path: `/root${step.path}` })),
  );
  expect(faults.filter((fault) => fault !== null)).toEqual([]);
  return document.root;
}

describe("patches", () => {
  test("[PUSH11] a patch makes the one value of the other, wherever there is one", () => {
    fc.assert(
      fc.property(json, json, fc.array(json), (one, other, list) => {
        // Much is shared, so that patches are worth while.
        const before = JSON.stringify({ list: [...list, one], rest: [other, "x".repeat(200)] });
        const after = JSON.stringify({ list: [other, ...list], rest: [one, "x".repeat(200)] });
        const patch = patchBetween(before, after);
        if (patch !== undefined) expect(applied(before, patch)).toEqual(JSON.parse(after));
      }),
      { numRuns: 500 },
    );
  });

  test("[PUSH11] an entry more of a long list is one step, and takes no time", () => {
    const list = Array.from({ length: 4_000 }, (_, index) => ({ index }));
    const patch = patchBetween(JSON.stringify({ list }), JSON.stringify({ list: [...list, { index: -1 }] }));
    expect(patch).toBe('[{"op":"add","path":"/list/4000","value":{"index":-1}}]');
  });

  test("[PUSH11] where the whole is shorter, or a key leads to a prototype, there is no patch", () => {
    expect(patchBetween('{"a":1}', '{"b":2}')).toBeUndefined();
    const long = "x".repeat(500);
    expect(patchBetween(`{"a":"${long}","__proto__":{"b":1}}`, `{"a":"${long}","__proto__":{"b":2}}`)).toBeUndefined();
    expect(patchBetween(`{"a":"${long}","~/":1}`, `{"a":"${long}","~/":2}`)).toBe(
      '[{"op":"replace","path":"/~0~1","value":2}]',
    );
  });
});
