import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { settle } from "../../src/testing/clocks.ts";

type Op = {
  do: "put" | "delete" | "get" | "list" | "vanish" | "fail";
  key: string;
  value: number;
  prefix: string;
  start: string;
  limit: number;
};
const gates = new Map<string, () => void>();
const gate = (name: string) => new Promise<void>((resolve) => gates.set(name, resolve));
const reasons: string[] = [];

/** Runs any operations on its store in one turn and answers with what it saw. */
class Shelf extends VirtualObject {
  static override readonly type = "Shelf";
  static override readonly methods = { run: method({ request: z.array(z.any()) }), same: method() };
  run(ops: Op[]): unknown {
    const seen: unknown[] = [];
    for (const op of ops) {
      if (op.do === "put") this.store.put(op.key, op.value);
      if (op.do === "delete") seen.push(this.store.delete(op.key));
      if (op.do === "get") seen.push(this.store.get(op.key) ?? null);
      if (op.do === "list") seen.push(this.store.list({ prefix: op.prefix, start: op.start, limit: op.limit }));
      if (op.do === "vanish") this.deleteSelf();
      if (op.do === "fail") throw this.fail("NO", "no");
    }
    return seen;
  }
  /** Writes one small set of rows over and over. */
  same() {
    for (let time = 0; time < 10; time++) this.store.put("k", "x".repeat(1_000_000));
  }
}

/** Takes its time to leave. */
class Slow extends VirtualObject<{ value: number }> {
  static override readonly type = "Slow";
  static override readonly state = z.object({ value: z.number().default(0), left: z.number().optional() });
  static override readonly methods = { bump: method(), peek: method({ readonly: true }) };
  protected override async onDeactivate(reason: string) {
    reasons.push(reason);
    this.state.value += 100;
    await gate("leave");
  }
  bump() {
    return ++this.state.value;
  }
  peek() {
    return this.state.value;
  }
}

const utf8 = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right));
const key = fc.constantFrom(
  "a",
  "ab",
  "b",
  "\uffff",
  "\ue000x",
  "😀",
  "😀a",
  "\u{10ffff}",
  "\ud7ff",
  "z'\"%_",
  "__proto__",
);
const op = fc.record({
  do: fc.constantFrom("put", "put", "put", "delete", "get", "list", "list", "vanish", "fail") as fc.Arbitrary<Op["do"]>,
  key,
  value: fc.nat(99),
  prefix: fc.oneof(fc.constant(""), key),
  start: fc.oneof(fc.constant(""), key),
  limit: fc.integer({ min: 1, max: 4 }),
});

describe("the store", () => {
  test("[TURN2] [LIFE3] rows over turns, batches, deletions and commits are those of a sorted map", async () => {
    const turn = fc.record({
      ops: fc.array(op, { maxLength: 6 }),
      after: fc.constantFrom("nothing", "nothing", "commit", "delete", "crash"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 8 }), async (turns) => {
        const made = new TestCluster({ objects: [Shelf] });
        const clock = made.clock;
        await made.partition("p0").core();
        let model = new Map<string, number>();
        const replies: { reply: Promise<unknown>; expected: unknown }[] = [];
        for (const { ops, after } of turns) {
          const draft = new Map(model);
          const seen: unknown[] = [];
          let failed = false;
          let gone = false;
          for (const { do: what, key, value, prefix, start, limit } of ops) {
            if (what === "put") draft.set(key, value);
            if (what === "delete") seen.push(draft.delete(key));
            if (what === "get") seen.push(draft.get(key) ?? null);
            if (what === "list") {
              const rows = [...draft]
                .filter(([row]) => row.startsWith(prefix) && utf8(row, start) >= 0)
                .sort(([left], [right]) => utf8(left, right));
              seen.push(rows.slice(0, limit).map(([row, stored]) => ({ key: row, value: stored })));
            }
            if (what === "vanish") gone = true;
            if (what === "fail") {
              failed = true;
              break;
            }
          }
          if (!failed) model = gone ? new Map() : draft;
          const reply = made
            .send("Shelf", "s", "run", ops)
            .then((got) => (got.kind === "response" ? JSON.parse(got.response) : got.kind));
          replies.push({ reply, expected: failed ? "error" : seen });
          await settle();
          if (after === "delete") {
            void made.router.lifecycle({
              action: "delete",
              type: "Shelf",
              id: "s",
              deadline: clock.now() + 1_000,
              requestId: "d",
              caller: { kind: "worker" },
            });
            model = new Map();
          }
          await settle();
          if (after === "commit" || after === "crash") await clock.advance(1);
          if (after === "crash") made.crash("p0");
        }
        await clock.advance(1);
        for (const { reply, expected } of replies) expect(await reply).toEqual(expected);
        const rows = made
          .storage("p0")
          .query<{ key: string; value: string }>("SELECT key, value FROM rows ORDER BY key");
        expect(rows.map((row) => [row.key, Number(row.value)])).toEqual(
          [...model].sort(([left], [right]) => utf8(left, right)),
        );
      }),
      { numRuns: 300, interruptAfterTimeLimit: 4_000 },
    );
  });

  test("[TURN9] a row written again replaces what it counted for before", async () => {
    const made = new TestCluster({ objects: [Shelf] });
    expect(await made.call("Shelf", "s", "same")).toBeNull();
  });
});

describe("leaving memory", () => {
  test("[LIFE2] a call that arrives while onDeactivate runs waits and finds what it left", async () => {
    const made = new TestCluster({ objects: [Slow] });
    const clock = made.clock;
    reasons.length = 0;
    await made.call("Slow", "a", "bump");
    await clock.advance(80_000);
    await made.call("Slow", "other", "bump");
    expect(reasons).toEqual(["idle"]);
    const calls = [made.send("Slow", "a", "bump"), made.send("Slow", "a", "bump"), made.send("Slow", "a", "peek")];
    await clock.advance(10);
    gates.get("leave")?.();
    await clock.advance(10);
    expect(await Promise.all(calls)).toMatchObject([{ response: "102" }, { response: "103" }, { response: "103" }]);
    expect((await made.partition("p0").core()).activations.map.has("Slow/a")).toBe(true);
  });

  test("[LIFE2] an onDeactivate that hangs is abandoned and changes nothing", async () => {
    const made = new TestCluster({ objects: [Slow] });
    const clock = made.clock;
    await made.call("Slow", "a", "bump");
    await clock.advance(80_000);
    await made.call("Slow", "other", "bump");
    const call = made.send("Slow", "a", "bump");
    await clock.advance(11_000);
    expect(await call).toMatchObject({ response: "2" });
  });

  test("[LIFE3] creates and deletes that race leave one of both, and rows of neither life mix", async () => {
    const made = new TestCluster({ objects: [Shelf] });
    const clock = made.clock;
    const put = (key: string) => made.send("Shelf", "s", "run", [{ do: "put", key, value: 1 }]);
    const message = {
      type: "Shelf",
      id: "s",
      deadline: clock.now() + 1_000,
      requestId: "l",
      caller: { kind: "worker" },
    } as const;
    const replies = [
      put("first"),
      made.router.lifecycle({ ...message, action: "delete" }),
      made.router.lifecycle({ ...message, action: "create" }),
      put("second"),
      made.router.lifecycle({ ...message, action: "create" }),
    ];
    await clock.advance(5);
    expect((await Promise.all(replies)).map((reply) => (reply as { response?: string }).response)).toEqual([
      "[]",
      '{"existed":true}',
      '{"created":true}',
      "[]",
      '{"created":false}',
    ]);
    expect(made.storage("p0").query("SELECT key FROM rows")).toEqual([{ key: "second" }]);
  });
});
