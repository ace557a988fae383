import { describe, expect, test } from "vitest";
import { floating, gates, open, setup } from "./turn-engine-fixture.ts";

describe("deadlines", () => {
  test("[TURN5] one deadline that starts a later turn does not put off the others", async () => {
    const { made, clock } = setup();
    const first = made.send("Lab", "a", "slowBump", { gate: "a1" }, { timeout: 50 });
    const second = made.send("Lab", "b", "slowBump", { gate: "b1" }, { timeout: 100 });
    const third = made.send("Lab", "a", "slowBump", { gate: "a2" }, { timeout: 30_000 });
    await clock.advance(60);
    expect(await first).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    let answered = false;
    void second.then(() => {
      answered = true;
    });
    await clock.advance(100);
    expect(answered).toBe(true);
    open("a2");
    await clock.advance(1);
    expect(await third).toMatchObject({ response: "1" });
  });

  test("[TURN5] a timeout that is no number does not stop the deadlines of others", { timeout: 5_000 }, async () => {
    const { made, clock } = setup();
    // Counts timers instead of letting the clock spin for ever.
    let spins = 0;
    const after = clock.after.bind(clock);
    clock.after = (delay, action) => {
      if (Number.isNaN(delay) && ++spins > 50) return () => undefined;
      return after(Number.isNaN(delay) ? 1 : delay, action);
    };
    void made.send("Lab", "odd", "oddTimeout", { other: "x", gate: "never" });
    await clock.advance(1);
    const second = made.send("Lab", "b", "slowBump", { gate: "b1" }, { timeout: 100 });
    let answered = false;
    void second.then(() => {
      answered = true;
    });
    await clock.advance(200);
    expect({ answered, spins: spins < 10 }).toEqual({ answered: true, spins: true });
  });
});

describe("memory", () => {
  test("[TURN1] [LIFE2] making room never drops the object being opened: two instances would run beside one another", async () => {
    const { made, clock } = setup({ maxObjects: 1 });
    const busy = made.send("Lab", "busy", "slowBump", { gate: "busy" });
    await clock.advance(1);
    const first = made.send("Lab", "a", "slowBump", { gate: "1" });
    await clock.advance(1);
    const second = made.send("Lab", "a", "slowBump", { gate: "2" });
    await clock.advance(1);
    const beside = gates.has("2");
    open("1");
    await clock.advance(1);
    open("2");
    open("busy");
    await clock.advance(1);
    expect(await Promise.all([first, second, busy])).toMatchObject([
      { response: "1" },
      { response: "2" },
      { response: "1" },
    ]);
    expect(beside).toBe(false);
  });

  test("[LIFE2] objects that are only read count with their size", async () => {
    const { made } = setup({ partitionMemory: 1_000_000 });
    for (let index = 0; index < 8; index++) await made.call("Lab", `big${index}`, "fill", { bytes: 100_000 });
    made.crash("p0");
    for (let index = 0; index < 8; index++) await made.call("Lab", `big${index}`, "peek");
    const { activations } = await made.partition("p0").core();
    const real = [...activations.map.values()].reduce((sum, activation) => sum + activation.bytes, 0);
    expect(activations.bytes).toBe(real);
    expect(real).toBeLessThan(1_500_000);
  });

  test("[TURN2] a state put back as it was is the state that is read next", async () => {
    const { made } = setup();
    await made.call("Lab", "a", "bump");
    await made.call("Lab", "a", "replace");
    expect(await made.call("Lab", "a", "peek")).toBe(1);
    expect(await made.call("Lab", "a", "bump")).toBe(2);
  });
});

describe("starting", () => {
  test("[CALL4] the call that starts a partition is not overtaken by those right after it", async () => {
    const { made, clock } = setup();
    await made.call("Lab", "a", "bump");
    made.crash("p0");
    const calls = [1, 2, 3].map((index) => made.send("Lab", "a", "bump", undefined, { callId: `c${index}` }));
    await clock.advance(10);
    expect(await Promise.all(calls)).toMatchObject([{ response: "2" }, { response: "3" }, { response: "4" }]);
  });
});

describe("deadlock detection", () => {
  test("[TURN7] an answer that is on its way is no wait: two turns in a row on one object are no cycle", async () => {
    const { made, clock } = setup();
    const busy = made.send("Lab", "k", "slowBump", { gate: "k" });
    await clock.advance(1);
    const outer = made.send("Lab", "x", "bumpOther", { other: "k" });
    await clock.advance(1);
    const inner = made.send("Lab", "k", "bumpOther", { other: "x" });
    await clock.advance(1);
    open("k");
    await clock.advance(5);
    expect(await Promise.all([busy, outer, inner])).toMatchObject([
      { response: "1" },
      { response: "2" },
      { response: "1" },
    ]);
  });

  test("[TURN7] a readonly turn that runs beside another one is not waited for", async () => {
    const { made, clock } = setup();
    await made.call("Lab", "k", "bump");
    const reader = made.send("Lab", "k", "peekAndBump", { other: "x", gate: "r1" });
    const writer = made.send("Lab", "x", "peekOther", { other: "k", gate: "r2" });
    await clock.advance(1);
    open("r1");
    await clock.advance(1);
    open("r2");
    await clock.advance(5);
    expect(await writer).toMatchObject({ response: "1" });
    expect(await reader).toMatchObject({ response: "1" });
  });

  test("[TURN7] a turn that has ended waits for nobody", async () => {
    const { made, clock } = setup();
    await made.call("Lab", "a", "fireAndForget", { other: "b", gate: "f" });
    open("f");
    await clock.advance(5);
    expect(floating).toEqual([]);
    expect(await made.call("Lab", "a", "peek")).toBe(1);
  });
});

describe("reentrant turns", () => {
  test.each([
    ["fails", "peek", 1],
    ["storeAndFail", "keys", []],
  ])("[TURN2] an inner turn that fails leaves no trace: %s", async (what, look, left) => {
    const { made } = setup();
    await made.call("Again", "a", "addOne");
    await made.call("Again", "a", "survive", { what });
    expect(await made.call("Again", "a", look)).toEqual(left);
  });

  test("[TURN2] an inner turn that fails deletes nothing", async () => {
    const { made } = setup();
    await made.call("Again", "a", "addOne");
    await made.call("Again", "a", "survive", { what: "vanishAndFail" });
    expect(await made.call("Again", "a", "peek")).toBe(1);
  });

  test("[TURN1] a readonly inner turn changes nothing", async () => {
    const { made } = setup();
    await made.call("Again", "a", "survive", { what: "cheat" });
    expect(await made.call("Again", "a", "peek")).toBe(0);
  });

  test("[TURN2] the outer turn's reference to the state outlives an inner failure", async () => {
    const { made } = setup();
    expect(await made.call("Again", "a", "keepReference")).toBe(1);
    expect(await made.call("Again", "a", "peek")).toBe(1);
  });

  test("[TURN2] an inner turn that fails takes back only what it did itself", async () => {
    const { made, clock } = setup();
    const both = made.send("Again", "a", "both");
    await clock.advance(10);
    expect(await both).toMatchObject({ response: "1" });
  });

  test("[TURN7] a writing call from inside a shared readonly turn is refused at once, not left hanging", async () => {
    const { made, clock } = setup();
    await made.call("Again", "a", "addOne");
    const reader = made.send("Again", "a", "readThenFail", { gate: "r" }, { timeout: 20_000 });
    await clock.advance(1);
    open("r");
    let reply: unknown;
    void reader.then((answer) => {
      reply = answer;
    });
    await clock.advance(100);
    expect(reply).toMatchObject({ error: { code: "INTERNAL" } });
    expect(made.thrown.map(String)).not.toContainEqual(expect.stringContaining("SyntaxError"));
  });
});

describe("values", () => {
  test("[TURN9] the limits of messages are bytes, between neighbours too", async () => {
    const { made } = setup({ maxMessage: 1_000 });
    await expect(made.call("Lab", "a", "echoOf", { other: "b", text: "€".repeat(700) })).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
    });
  });

  test("[OBJ2] a request nested too deep is INVALID_ARGUMENT", async () => {
    const { made, clock } = setup();
    const message = { ...made.message("Lab", "a", "echo"), request: "[".repeat(5_000) + "]".repeat(5_000) };
    const reply = made.router.call(message);
    await clock.advance(1);
    expect(await reply).toMatchObject({ error: { code: "INVALID_ARGUMENT" } });
  });

  test("[OBJ3] `__proto__` is a key like any other and pollutes nothing", async () => {
    const { made, clock } = setup();
    const message = {
      ...made.message("Lab", "a", "echo"),
      request: '{"__proto__":{"polluted":1},"b":[{"__proto__":2}]}',
    };
    const reply = made.router.call(message);
    await clock.advance(1);
    expect(await reply).toMatchObject({ response: '{"__proto__":{"polluted":1},"b":[{"__proto__":2}]}' });
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
