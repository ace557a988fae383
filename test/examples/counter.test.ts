import { TestCluster } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Counter } from "../../examples/counter.ts";

describe("Counter", () => {
  test("the value is the sum of every `by` that was acknowledged since the last reset, crashes or not", async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: -1_000, max: 1_000 }).map((by) => ({ do: "add" as const, by })) },
      fc.constantFrom(
        { do: "reset" as const },
        { do: "crash" as const },
        { do: "fail" as const },
        { do: "bad" as const },
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const cluster = new TestCluster({ objects: [Counter] });
        const counter = cluster.object(Counter, "c");
        await counter.get();
        let sum = 0;
        for (const next of steps) {
          if (next.do === "add") {
            sum += next.by;
            expect(await counter.add({ by: next.by })).toEqual({ value: sum });
          } else if (next.do === "reset") {
            sum = 0;
            expect(await counter.reset()).toEqual({ value: 0 });
          } else if (next.do === "crash") cluster.crash("p0");
          else if (next.do === "bad") {
            await expect(counter.add({ by: 0.5 })).rejects.toMatchObject({
              code: "INVALID_ARGUMENT",
            });
          } else {
            await counter.get();
            cluster.storage("p0").failing = new Error("disk full");
            await expect(counter.add({ by: 7_777 })).rejects.toMatchObject({
              code: "UNAVAILABLE",
            });
            cluster.storage("p0").failing = undefined;
          }
          expect(await counter.get()).toEqual({ value: sum });
        }
      }),
      { numRuns: 25 },
    );
  });

  test("calls that come together are all counted, on every counter, wherever it lives", async () => {
    const cluster = new TestCluster({ objects: [Counter], partitions: 3 });
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => cluster.object(Counter, `c${index % 10}`).add({ by: index })),
    );
    let sum = 0;
    for (let index = 0; index < 10; index++) {
      sum += (await cluster.object(Counter, `c${index}`).get()).value;
    }
    expect(sum).toBe((199 * 200) / 2);
  });
});
