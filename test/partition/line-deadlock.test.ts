import { method, VirtualObject } from "edgeverse";
import { ManualClock, TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";

let clock: ManualClock;
let tries = 0;

class Pair extends VirtualObject.withState(z.object({ n: z.number().default(0) })) {
  static override readonly type = "Pair";
  static override readonly methods = {
    plain: method({ request: z.object({ to: z.string() }) }),
    reliable: method({ request: z.object({ to: z.string() }) }),
    add: method(),
  };
  async plain({ to }: { to: string }) {
    tries++;
    await new Promise<void>((resolve) => clock.after(5, resolve));
    return await this.object(Pair, to).add();
  }
  async reliable({ to }: { to: string }) {
    return await this.object(Pair, to, { callId: this.callIdFor("x") }).add();
  }
  add() {
    return ++this.state.n;
  }
}

function setup() {
  clock = new ManualClock();
  tries = 0;
  return new TestCluster({ objects: [Pair], partitions: 1, clock, log: false });
}

test("[TURN7] [CALL4] a circle through the line of a reliable call fails it at once, and the line goes on", async () => {
  const made = setup();
  const first = made.send("Pair", "a", "plain", { to: "b" }, { callId: "k1" });
  const second = made.send("Pair", "b", "reliable", { to: "a" }, { callId: "k2" });
  await clock.advance(100);
  expect(await first).toMatchObject({
    error: { code: "DEADLOCK", retryable: false, details: { chain: ["Pair/a", "Pair/b", "Pair/a"] } },
  });
  expect(await second).toMatchObject({ response: "1" });
  expect(tries).toBe(1);
});

test("[TURN7] [CALL2] a circle of plain calls is gone when the reliable call that met it is tried again", async () => {
  const made = setup();
  const beside = made.send("Pair", "b", "plain", { to: "a" });
  await clock.advance(1);
  const call = made.send("Pair", "a", "plain", { to: "b" }, { callId: "k1" });
  const behind = made.send("Pair", "a", "add", undefined, { callId: "k2" });
  await clock.advance(1_000);
  const replies = await Promise.all([beside, call, behind]);
  expect(replies.map(({ kind }) => kind)).toEqual(["response", "response", "response"]);
  expect(tries).toBe(3);
});
