import { beforeEach, expect, test } from "vitest";
import { ShardCleaner } from "../../src/partition/moves/shard-cleaner.ts";
import { many, OWNER, order, ShardEnd } from "./shard-fixture.ts";

let said: unknown[];
beforeEach(() => {
  said = [];
});

/** A shard that has left, with so many rows behind it, and the cleaner of its partition. */
function left(count: number) {
  const end = new ShardEnd(OWNER);
  end.write("a", many(count));
  end.offer(1);
  end.changes.clear(0);
  end.ownership.apply(0, { kind: "commit", move: 1 }, end.clock.now(), order(1));
  const cleaner = new ShardCleaner({
    ...end,
    onStart: () => said.push("start"),
    onEnd: () => said.push("end"),
    onError: (error) => said.push(error),
  });
  return { end, cleaner };
}

test("[MIG5] removes the rows of a shard that has left a few at a time, with a pause after each", async () => {
  const { end, cleaner } = left(450);
  expect([cleaner.dirty(0), cleaner.busy, end.clock.timers]).toEqual([true, true, 0]);
  cleaner.start();
  // What is under way needs no second start.
  cleaner.start();
  expect([said, end.clock.timers]).toEqual([["start"], 1]);
  const rest: number[] = [];
  for (let step = 0; step < 5; step++) {
    expect([cleaner.dirty(0), cleaner.busy]).toEqual([step < 4, step < 4]);
    await end.clock.advance(1);
    rest.push(end.rows().length);
  }
  expect(rest).toEqual([250, 50, 0, 0, 0]);
  expect([said.at(-1), end.clock.timers]).toEqual(["end", 0]);
  expect(cleaner.dirty(7)).toBe(false);
});

test("[MIG5] a partition that has ended removes nothing more, and starts nothing", async () => {
  const { end, cleaner } = left(450);
  cleaner.start();
  await end.clock.advance(1);
  cleaner.stop();
  await end.clock.advance(100);
  expect(end.rows()).toHaveLength(250);
  said = [];
  cleaner.start();
  expect([said, end.clock.timers]).toEqual([[], 0]);
});

test("[MIG5] a failure is told, takes nothing, and can be tried again", async () => {
  const { end, cleaner } = left(10);
  const failure = new Error("disk I/O error");
  end.storage.failing = failure;
  cleaner.start();
  await end.clock.advance(1);
  expect(said).toEqual(["start", failure]);
  end.storage.failing = undefined;
  expect(end.rows()).toHaveLength(10);
  cleaner.start();
  await end.clock.advance(10);
  expect([end.rows(), said.at(-1), cleaner.busy]).toEqual([[], "end", false]);
});
