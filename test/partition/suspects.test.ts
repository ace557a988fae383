import { method, VirtualObject } from "edgeverse";
import { type ManualClock, TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";

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
