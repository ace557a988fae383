import { method, VirtualObject } from "edgeverse";
import { ManualClock, MemoryCallLog, TestCluster } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { placementOf } from "../../src/identity/object-id.ts";
import { ShardMap } from "../../src/placement/shard-map.ts";

let clock: ManualClock;

/** Notes the numbers of its calls in the order in which their turns began. */
class Sequence extends VirtualObject.withState(z.object({ seen: z.array(z.number()).default([]) })) {
  static override readonly type = "Sequence";
  static override readonly methods = {
    add: method({ request: z.object({ n: z.number() }) }),
    later: method({ request: z.object({ n: z.number() }) }),
    ahead: method({ request: z.object({ n: z.number() }), log: "write-ahead" }),
    seen: method({ readonly: true }),
  };
  add({ n }: { n: number }) {
    this.state.seen.push(n);
    return [...this.state.seen];
  }
  async later({ n }: { n: number }) {
    this.state.seen.push(n);
    await new Promise<void>((resolve) => clock.after(3, resolve));
    return [...this.state.seen];
  }
  ahead({ n }: { n: number }) {
    return this.add({ n });
  }
  seen() {
    return this.state.seen;
  }
}

interface Call {
  readonly id: string;
  readonly method: "add" | "later" | "ahead";
  readonly reliable: boolean;
}

const call: fc.Arbitrary<Call> = fc.record({
  id: fc.constantFrom("a", "b", "c"),
  method: fc.constantFrom("add", "later", "ahead"),
  reliable: fc.boolean(),
});

describe("a batch", () => {
  test.each([
    ["where the objects stay", false],
    ["while their shards move", true],
  ])("[HTTP14] runs the calls of one object in their order: %s", async (_, moving) => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 2, maxLength: 14 }), fc.nat(4), async (calls, head) => {
        clock = new ManualClock();
        const made = new TestCluster({
          clock,
          objects: [Sequence],
          partitions: 2,
          config: { shards: 8, rebalance: "off" },
          log: new MemoryCallLog(clock),
        });
        const ids = ["a", "b", "c"];
        for (const id of ids) await made.call("Sequence", id, "seen");
        if (moving) {
          for (const id of ids) {
            const map = new ShardMap(made.coordinator.map() as never);
            const shard = map.shard(placementOf(id)) as number;
            const to = map.owner(shard) === "p0" ? "p1" : "p0";
            await made.command({ kind: "move-shard", shard, to }).catch(() => undefined);
          }
          await clock.advance(head * 5);
        }
        const messages = calls.map(({ id, method, reliable }, n) =>
          made.message("Sequence", id, method, { n }, reliable ? { callId: `c${n}` } : {}),
        );
        let replies: unknown[] | undefined;
        void made.router.batch(messages).then((answers) => {
          replies = answers;
        });
        for (let round = 0; replies === undefined && round < 200; round++) await clock.advance(10);
        const expected = new Map<string, number[]>();
        calls.forEach(({ id }, n) => {
          const seen = [...(expected.get(id) ?? []), n];
          expected.set(id, seen);
          expect(replies?.[n]).toMatchObject({ kind: "response", response: JSON.stringify(seen) });
        });
        for (const [id, seen] of expected) expect(await made.call("Sequence", id, "seen")).toEqual(seen);
      }),
      { numRuns: 40 },
    );
  });
});
