import { expect, test } from "vitest";
import { WakeUps } from "../../src/partition/wake-ups.ts";
import { SqliteStorage } from "../../src/testing/sqlite-storage.ts";

/** Wake-ups of a partition whose parts ask for `times`, at a time that the test sets. */
function wakeUps(...times: (number | undefined)[]) {
  const storage = new SqliteStorage();
  const clock = { now: 0 };
  return { storage, clock, wakes: new WakeUps({ storage, now: () => clock.now, times: () => times }) };
}

test("the earliest time counts, and none when no part asks for any more", () => {
  const { storage, wakes } = wakeUps();
  wakes.by(500);
  wakes.by(900);
  expect(storage.wake).toBe(500);
  wakes.by(300);
  expect(storage.wake).toBe(300);
  wakes.rearm();
  expect(storage.wake).toBeNull();
});

test("the first wish of a new process takes the place of no other part's", () => {
  const { storage, wakes } = wakeUps(60_000, undefined);
  storage.wakeAt(60_000);
  wakes.by(1_000_000);
  expect(storage.wake).toBe(60_000);
});

test("a time that has passed is not waited for", () => {
  const { storage, clock, wakes } = wakeUps();
  wakes.by(1_000);
  clock.now = 2_000;
  storage.wakeAt(null);
  wakes.by(7_000);
  expect(storage.wake).toBe(7_000);
});

test("a time that the storage did not take is asked for again", () => {
  const { storage, wakes } = wakeUps(1_000);
  const { wakeAt } = storage;
  storage.wakeAt = () => {
    throw new Error("not now");
  };
  expect(() => wakes.rearm()).toThrow("not now");
  storage.wakeAt = wakeAt;
  wakes.by(5_000);
  expect(storage.wake).toBe(5_000);
});
