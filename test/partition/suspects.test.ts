import { method, VirtualObject } from "edgeverse";
import { ManualClock, TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { Suspects } from "../../src/partition/calls/suspects.ts";
import { Deadlines } from "../../src/partition/turns/deadlines.ts";
import { activationOf, foundEntry } from "./call-entry-fixture.ts";

let clock: ManualClock;
let explode: () => void;
/** Ends of the process. */
let ends: number;

/** Waits; in a process that ends meanwhile, for ever. */
function pass(ms: number): Promise<void> {
  const process = ends;
  return new Promise((resolve) => clock.after(ms, () => (ends === process ? resolve() : undefined)));
}

class Task extends VirtualObject {
  static override readonly type = "Task";
  static override readonly methods = { work: method(), bomb: method() };
  async work() {
    await pass(100);
    return "done";
  }
  async bomb() {
    await pass(10);
    explode();
    await new Promise(() => undefined);
  }
}

test("[CALL2] a call that ends the process each time is parked, and none of those that ran beside it", async () => {
  const made = new TestCluster({ objects: [Task] });
  clock = made.clock as ManualClock;
  ends = 0;
  explode = () => {
    ends++;
    made.crash("p0");
  };
  const ids = ["a", "b", "c", "d", "e"];
  const options = (id: string) => ({ callId: `call-${id}`, answer: "accepted" }) as const;
  for (const id of ids) void made.send("Task", id, id === "c" ? "bomb" : "work", undefined, options(id));
  await clock.advance(5);
  for (let round = 0; round < 20; round++) {
    await clock.advance(1_000);
    await made.partition("p0").wake();
  }
  const statuses = made.storage("p0").query("SELECT id, status FROM calls ORDER BY id");
  expect(statuses).toEqual(ids.map((id) => ({ id, status: id === "c" ? "parked" : "success" })));
  expect(ends).toBe(3);
});

describe("[CALL2] calls that ran each time when the process ended", () => {
  function setup() {
    const clock = new ManualClock();
    const driven: string[] = [];
    const refused = new Set<unknown>();
    const suspects: Suspects = new Suspects(
      new Deadlines(clock),
      () => clock.now(),
      (entry) => {
        if (!refused.has(entry) && suspects.admits(entry)) driven.push(entry.stored.record.callId);
      },
    );
    const suspect = (id: string, crashes = 2) => Object.assign(foundEntry(id, 1, activationOf(id)), { crashes });
    return { clock, driven, refused, suspects, suspect };
  }

  test("start one after the other; others start beside them", () => {
    const { driven, suspects, suspect } = setup();
    const [a, b, c] = [suspect("a"), suspect("b", 3), suspect("c")];
    expect([a, b, c, a, b].map((entry) => suspects.admits(entry))).toEqual([true, false, false, true, false]);
    expect(suspects.admits(suspect("fine", 1))).toBe(true);
    suspects.leave(suspect("unknown"));
    expect(driven).toEqual([]);
    suspects.leave(a);
    expect(driven).toEqual(["b"]);
    suspects.leave(b);
    expect(driven).toEqual(["b", "c"]);
    suspects.leave(c);
    expect([driven, suspects.admits(a)]).toEqual([["b", "c"], true]);
  });

  test("wait for a second, should the one before them wait for another", async () => {
    const { clock, driven, suspects, suspect } = setup();
    const [a, b, c] = [suspect("a"), suspect("b"), suspect("c")];
    for (const entry of [a, b, c]) suspects.admits(entry);
    await clock.advance(999);
    expect(driven).toEqual([]);
    await clock.advance(1);
    expect(driven).toEqual(["b"]);
    await clock.advance(500);
    suspects.leave(b);
    expect(driven).toEqual(["b", "c"]);
    // The second of b is not that of c.
    await clock.advance(999);
    expect(suspects.admits(a)).toBe(false);
    await clock.advance(1);
    expect(driven).toEqual(["b", "c", "a"]);
  });

  test("wait in line again if they come back", async () => {
    const { clock, driven, suspects, suspect } = setup();
    const [a, b] = [suspect("a"), suspect("b")];
    suspects.admits(a);
    suspects.leave(a);
    expect([suspects.admits(b), suspects.admits(a)]).toEqual([true, false]);
    await clock.advance(1_000);
    expect(driven).toEqual(["a"]);
  });

  test("are passed over if they have left, or can't start now", () => {
    const { driven, refused, suspects, suspect } = setup();
    const [a, b, c, d] = [suspect("a"), suspect("b"), suspect("c"), suspect("d")];
    for (const entry of [a, b, c, d]) suspects.admits(entry);
    suspects.leave(b);
    refused.add(c);
    suspects.leave(a);
    expect(driven).toEqual(["d"]);
    refused.clear();
    suspects.leave(d);
    expect(driven).toEqual(["d", "c"]);
  });
});
