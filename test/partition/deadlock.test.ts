import { describe, expect, test } from "vitest";
import type { ChainLink, Reply } from "../../src/object/message.ts";
import type { Turn } from "../../src/partition/turns/turn.ts";
import { open, setup } from "./turn-engine-fixture.ts";

type Made = ReturnType<typeof setup>["made"];

/** A call that turns elsewhere wait for, oldest first. */
function call(made: Made, id: string, chain: readonly ChainLink[], name = "bump", type = "Lab"): Promise<Reply> {
  return made.partition("p0").call({ ...made.message(type, id, name), chain });
}
const link = (key: string, turn = "t"): ChainLink => ({ key, turn, readonly: false });

async function running(made: Made): Promise<Turn> {
  const [turn] = (await made.partition("p0").core()).engine.running;
  return turn as Turn;
}

describe("the chain of a call", () => {
  test("[TURN7] has at most 64 turns", async () => {
    const { made, clock } = setup();
    await made.call("Lab", "a", "bump");
    const chain = (length: number) => Array.from({ length }, (_, n) => link(`Lab/away${n}`));
    expect(await clock.until(call(made, "a", chain(63)))).toMatchObject({ response: "2" });
    const tooLong = { code: "DEADLOCK", message: expect.stringContaining("over 64 long") };
    expect(await clock.until(call(made, "a", chain(64)))).toMatchObject({ error: tooLong });
    expect(await clock.until(call(made, "a", []))).toMatchObject({ response: "3" });
  });

  test("[TURN7] that comes back to the turn that began it is refused at once, and will be every time", async () => {
    const { made, clock } = setup();
    const slow = made.send("Lab", "a", "slowBump", { gate: "g" });
    await clock.advance(1);
    const { id } = await running(made);
    const chain = [link("Lab/x"), link("Lab/a", id), link("Lab/y")];
    expect(await clock.until(call(made, "a", chain))).toMatchObject({
      error: {
        code: "DEADLOCK",
        retryable: false,
        details: { chain: ["Lab/x", "Lab/a", "Lab/y", "Lab/a"] },
      },
    });
    open("g");
    expect(await clock.until(slow)).toMatchObject({ response: "1" });
  });

  test("[TURN7] that has been on the object with another turn may wait there", async () => {
    const { made, clock } = setup();
    const slow = made.send("Lab", "a", "slowBump", { gate: "g" });
    await clock.advance(1);
    const { id } = await running(made);
    const waiting = call(made, "a", [link("Lab/a", "ended"), link("Lab/b", id)]);
    await clock.advance(1);
    expect((await made.partition("p0").core()).engine.waiting).toBe(1);
    open("g");
    expect(await clock.until(slow)).toMatchObject({ response: "1" });
    expect(await clock.until(waiting)).toMatchObject({ response: "2" });
  });

  test("[TURN7] that comes back to a reentrant type runs within the turn that began it", async () => {
    const { made, clock } = setup();
    const outer = made.send("Again", "a", "fails", { gate: "g" });
    await clock.advance(1);
    const { id } = await running(made);
    // The outer turn has added 100.
    expect(await clock.until(call(made, "a", [link("Again/a", id), link("Lab/y")], "addOne", "Again"))).toMatchObject({
      response: "101",
    });
    const other = call(made, "a", [link("Again/a", "ended")], "addOne", "Again");
    open("g");
    expect(await clock.until(outer)).toMatchObject({ error: { reason: "NO" } });
    expect(await clock.until(other)).toMatchObject({ response: "1" });
  });
});

describe("a cycle of calls", () => {
  test("[TURN7] of two objects is refused where it would close, and may be tried again", async () => {
    const { made, clock } = setup();
    const [one, two] = [
      made.send("Lab", "a", "bumpOther", { other: "b", gate: "1" }),
      made.send("Lab", "b", "bumpOther", { other: "a", gate: "2" }),
    ];
    await clock.advance(1);
    open("1");
    await clock.advance(1);
    open("2");
    expect(await clock.until(two)).toMatchObject({
      error: { code: "DEADLOCK", retryable: true, details: { chain: ["Lab/b", "Lab/a", "Lab/b"] } },
    });
    expect(await clock.until(one)).toMatchObject({ response: "1" });
    const { stats } = (await made.partition("p0").core()).engine.waits;
    expect([stats.searches, stats.steps > 0]).toEqual([2, true]);
  });

  test("[TURN7] is not looked for where nobody waits for the call", async () => {
    const { made, clock } = setup();
    const slow = made.send("Lab", "a", "slowBump", { gate: "g" });
    await clock.advance(1);
    const next = made.send("Lab", "a", "bump");
    await clock.advance(1);
    expect((await made.partition("p0").core()).engine.waits.stats.searches).toBe(0);
    open("g");
    expect(await clock.until(Promise.all([slow, next]))).toMatchObject([{ response: "1" }, { response: "2" }]);
  });
});
