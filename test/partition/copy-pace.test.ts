import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CopyPace } from "../../src/partition/moves/copy-pace.ts";

const RANGE = { first: 0, last: 9 };
/** Rows of a message. */
const MESSAGE = 200;

/** Copies until callers are stopped, while `written` rows are written for each message; messages it took, and rows left. */
function copy(first: number, written: (message: number) => number): { messages: number; left: number } {
  const pace = new CopyPace();
  let [noted, sent] = [first, 0];
  const changes = {
    get last() {
      return noted;
    },
    left: (_: unknown, after: number, most: number) => Math.min(most, noted - after),
  };
  // The message that ends the first pass.
  if (pace.isTime(changes, RANGE, { scan: null, change: 0 }, MESSAGE)) return { messages: 0, left: noted };
  for (let messages = 1; messages < 10_000; messages++) {
    const rows = Math.min(MESSAGE, noted - sent);
    sent += rows;
    noted += written(messages);
    if (pace.isTime(changes, RANGE, { scan: null, change: sent }, rows)) return { messages, left: noted - sent };
  }
  throw new Error("it goes on for ever");
}

describe("the pace of a copy", () => {
  test("[MIG2] does not stop callers while the first pass goes on, nor at its end if much has changed", () => {
    const pace = new CopyPace();
    const scan = { kind: 0, position: 1, type: "T", id: "a", key: "" } as const;
    const changes = { last: 0, left: () => 0 };
    expect(pace.isTime(changes, RANGE, null, 0)).toBe(false);
    expect(pace.isTime(changes, RANGE, { scan, change: 0 }, 3)).toBe(false);
    expect(pace.isTime(changes, RANGE, { scan: null, change: 0 }, 3)).toBe(true);
    expect(copy(5_000, () => 0)).toEqual({ messages: 25, left: 0 });
  });

  test("[MIG2] what is left at the end does not depend on how much had to be copied", () => {
    for (const first of [0, 100, 10_000, 1_000_000]) expect(copy(first, () => 5).left).toBeLessThanOrEqual(32);
  });

  test("[MIG2] stops callers soon when more is written than is sent", () => {
    const { messages } = copy(1_000, () => 400);
    expect(messages).toBeLessThan(40);
  });

  /** Whether it is time, asked at the end of rounds with so many rows each; more changes are always left than few. */
  const rounds = (rows: readonly number[], left = 33) => {
    const pace = new CopyPace();
    const changes = { last: 1, left: (_: unknown, _after: number, most: number) => Math.min(most, left) };
    return [0, ...rows].map((sent, n) => {
      changes.last = n + 1;
      return pace.isTime(changes, RANGE, { scan: null, change: n }, sent);
    });
  };

  test("[MIG2] stops callers when 32 changes are left", () => {
    expect([rounds([], 32), rounds([], 33)]).toEqual([[true], [false]]);
  });

  test("[MIG2] stops callers when a round is not shorter than the one before", () => {
    expect(rounds([9, 8, 7])).toEqual([false, false, false, false]);
    expect(rounds([9, 8, 8])).toEqual([false, false, false, true]);
    expect(rounds([9, 10])).toEqual([false, false, true]);
  });

  test("[MIG2] stops callers after twelve rounds, though each is a little shorter", () => {
    const shorter = Array.from({ length: 12 }, (_, n) => 100 - n);
    expect(rounds(shorter)).toEqual([...Array<boolean>(12).fill(false), true]);
  });

  test("[MIG2] comes to an end whatever is written", () => {
    fc.assert(
      fc.property(fc.nat(5_000), fc.array(fc.nat(400), { minLength: 1, maxLength: 50 }), (first, writes) => {
        copy(first, (message) => writes[message % writes.length] as number);
      }),
    );
  });
});
