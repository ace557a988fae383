import { describe, expect, test } from "vitest";
import type { Entry } from "../../src/partition/calls/call-entry.ts";
import { CallQueues } from "../../src/partition/calls/call-queues.ts";
import { activationOf, foundEntry } from "./call-entry-fixture.ts";

const [A, B] = [activationOf("a"), activationOf("b")];

function setup() {
  const driven: string[] = [];
  const paused = new Set<string>();
  /** Calls that end as soon as they are driven. */
  const quick = new Set<Entry>();
  const queues: CallQueues = new CallQueues(
    (entry) => {
      driven.push(entry.stored.record.callId);
      if (quick.has(entry)) queues.done(entry);
    },
    (queue) => paused.has((queue[0] as Entry).activation.key),
  );
  const names = (entry: Entry) => queues.line(entry).map(({ stored }) => stored.record.callId);
  return { driven, paused, quick, queues, names };
}

const three = () => [foundEntry("1", 1, A), foundEntry("2", 2, A), foundEntry("3", 3, A)] as const;

describe("[CALL4] the reliable calls of an object", () => {
  test("are driven one after the other, each object's by themselves", () => {
    const { driven, queues, names } = setup();
    const [first, second, third] = three();
    const other = foundEntry("b", 9, B);
    for (const entry of [first, second, third, other]) queues.add(entry);
    expect(driven).toEqual(["1", "b"]);
    expect([names(third), names(other)]).toEqual([["1", "2", "3"], ["b"]]);
    queues.done(first);
    expect([driven, names(third)]).toEqual([
      ["1", "b", "2"],
      ["2", "3"],
    ]);
    queues.done(second);
    queues.done(third);
    expect([driven, names(third)]).toEqual([["1", "b", "2", "3"], []]);
    queues.add(first);
    expect(driven).toEqual(["1", "b", "2", "3", "1"]);
  });

  test("go on when one in the middle leaves, or one that is not there", () => {
    const { driven, queues, names } = setup();
    const [first, second, third] = three();
    queues.done(first);
    for (const entry of [first, second, third]) queues.add(entry);
    queues.done(second);
    queues.done(second);
    queues.done(foundEntry("4", 4, A));
    expect([driven, names(first)]).toEqual([["1"], ["1", "3"]]);
    queues.done(first);
    expect(driven).toEqual(["1", "3"]);
  });

  test("that end at once are worked off in a loop, however many wait", () => {
    const { driven, quick, queues } = setup();
    const first = foundEntry("first", 0, A);
    queues.add(first);
    for (let n = 1; n <= 20_000; n++) {
      const entry = foundEntry(String(n), n, A);
      quick.add(entry);
      queues.add(entry);
    }
    queues.done(first);
    expect([driven.length, driven.at(-1)]).toEqual([20_001, "20000"]);
  });

  test("are tried again if they are first, and only then", () => {
    const { driven, queues } = setup();
    const [first, second] = three();
    queues.retry(first);
    for (const entry of [first, second]) queues.add(entry);
    queues.retry(second);
    queues.retry(foundEntry("b", 1, B));
    expect(driven).toEqual(["1"]);
    queues.retry(first);
    expect(driven).toEqual(["1", "1"]);
  });

  test("are put back where they were, once", () => {
    const { driven, queues, names } = setup();
    const [first, second, third] = three();
    for (const entry of [first, second, third]) queues.add(entry);
    for (const entry of [first, second]) queues.done(entry);
    queues.putBack(first);
    queues.putBack(first);
    queues.putBack(second);
    expect(names(first)).toEqual(["1", "2", "3"]);
    expect(driven).toEqual(["1", "2", "3"]);
    queues.done(third);
    queues.putBack(third);
    expect(names(first)).toEqual(["1", "2", "3"]);
    queues.retry(first);
    expect(driven.at(-1)).toBe("1");
    const alone = foundEntry("b", 1, B);
    queues.putBack(alone);
    expect([names(alone), driven.at(-1)]).toEqual([["b"], "1"]);
  });

  test("[MIG1] do not start while their shard is drained; what may change that looks again", () => {
    const { driven, paused, queues } = setup();
    const [first, second, third] = three();
    paused.add(A.key);
    queues.add(first);
    queues.add(second);
    queues.lookAgain(first);
    queues.retry(first);
    expect(driven).toEqual([]);
    paused.clear();
    // It comes in behind, and a turn on the shard waits for it.
    queues.add(third);
    expect(driven).toEqual(["1"]);
    queues.lookAgain(first);
    queues.add(foundEntry("4", 4, A));
    expect(driven).toEqual(["1"]);
    paused.add(A.key);
    queues.done(first);
    expect(driven).toEqual(["1"]);
    paused.clear();
    queues.lookAgain(third);
    expect(driven).toEqual(["1", "2"]);
    queues.lookAgain(foundEntry("b", 1, B));
  });

  test("go on after one that could not be driven", () => {
    const failing = new Set(["1"]);
    const driven: string[] = [];
    const queues = new CallQueues(
      ({ stored: { record } }) => {
        if (failing.delete(record.callId)) throw new Error("bug");
        driven.push(record.callId);
      },
      () => false,
    );
    const [first] = three();
    expect(() => queues.add(first)).toThrow("bug");
    queues.retry(first);
    expect(driven).toEqual(["1"]);
  });
});
