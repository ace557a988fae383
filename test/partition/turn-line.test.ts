import { EdgeverseError } from "edgeverse";
import { describe, expect, test } from "vitest";
import { RELEASED } from "../../src/partition/turns/outcome.ts";
import { gates, open, setup } from "./turn-engine-fixture.ts";

describe("turns in line", () => {
  async function busy(config = {}) {
    const { made, clock } = setup(config);
    const running = made.send("Lab", "a", "slowBump", { gate: "g" }, { timeout: 60_000 });
    await clock.advance(1);
    const { engine } = await made.partition("p0").core();
    return { made, clock, running, engine };
  }

  test("[TURN8] of a whole partition are bounded, whatever they wait for", async () => {
    const { made, clock, running, engine } = await busy({ partitionMailbox: 2 });
    const other = made.send("Lab", "b", "slowBump", { gate: "h" });
    const waiting = [made.send("Lab", "a", "bump"), made.send("Lab", "b", "bump")];
    await clock.advance(1);
    expect(engine.waiting).toBe(2);
    const error = { code: "OVERLOADED", retryAfter: 1, message: expect.stringContaining("2 turns wait in this") };
    expect(await clock.until(made.send("Lab", "a", "bump"))).toMatchObject({ error });
    for (const gate of ["g", "h"]) open(gate);
    await clock.until(Promise.all([running, other, ...waiting]));
    expect(engine.waiting).toBe(0);
  });

  test("[TURN6] [TURN1] one that gives up lets those behind it start", async () => {
    const { made, clock } = setup();
    await made.call("Lab", "a", "bump");
    const reader = made.send("Lab", "a", "slowPeek", { gate: "r" });
    await clock.advance(1);
    const { engine } = await made.partition("p0").core();
    const writer = made.send("Lab", "a", "bump", undefined, { timeout: 50 });
    const behind = made.send("Lab", "a", "peek");
    await clock.advance(10);
    expect(engine.waiting).toBe(2);
    await clock.advance(50);
    expect(await writer).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    expect(await behind).toMatchObject({ response: "1" });
    expect(engine.waiting).toBe(0);
    open("r");
    expect(await clock.until(reader)).toMatchObject({ response: "1" });
  });

  test("[TURN6] end with the engine, as those that run, and none starts after that", async () => {
    const { made, clock, running, engine } = await busy();
    const waiting = made.send("Lab", "a", "slowBump", { gate: "never" });
    await clock.advance(1);
    engine.stop(new EdgeverseError("CONFLICT", "over"));
    const over = { error: { code: "CONFLICT", message: "over" } };
    expect(await clock.until(Promise.all([running, waiting]))).toMatchObject([over, over]);
    expect([engine.waiting, [...engine.running]]).toEqual([0, []]);
    expect(await clock.until(made.send("Lab", "b", "slowBump", { gate: "never" }))).toMatchObject(over);
    expect(gates.has("never")).toBe(false);
  });

  test("[MIG1] go where they are sent, except those that stay", async () => {
    const { made, clock, running, engine } = await busy();
    const waiting = ["1", "2"].map((gate) => made.send("Lab", "a", "slowBump", { gate }));
    await clock.advance(1);
    const [turn] = engine.running;
    const activation = turn?.activation;
    if (activation === undefined) throw new Error("nothing runs");
    const [first] = activation.mailbox.waitingTurns();
    engine.takeOut(activation, (one) => (one === first ? undefined : RELEASED));
    // It has called again, and is behind the other one as before.
    expect(engine.waiting).toBe(2);
    for (const gate of ["g", "1", "2"]) {
      open(gate);
      await clock.advance(1);
    }
    const replies = await clock.until(Promise.all([running, ...waiting]));
    expect(replies).toMatchObject([{ response: "1" }, { response: "2" }, { response: "3" }]);
  });
});
