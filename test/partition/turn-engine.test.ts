import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const gates = new Map<string, () => void>();
const gate = (name: string) => new Promise<void>((resolve) => gates.set(name, resolve));
const floating: unknown[] = [];
const open = (name: string) => gates.get(name)?.();
const some = z.object({ gate: z.string() });

class Base extends VirtualObject<{ value: number; pad?: string | undefined }> {
  static override readonly state = z.object({ value: z.number().default(0), pad: z.string().optional() });
  static override readonly methods = {
    bump: method(),
    peek: method({ readonly: true }),
    slowBump: method({ request: some }),
    slowPeek: method({ readonly: true, request: some }),
    replace: method(),
    bumpOther: method({ request: z.object({ other: z.string(), gate: z.string().optional() }) }),
    peekAndBump: method({ readonly: true, request: z.object({ other: z.string(), gate: z.string() }) }),
    peekOther: method({ request: z.object({ other: z.string(), gate: z.string() }) }),
    fireAndForget: method({ request: z.object({ other: z.string(), gate: z.string() }) }),
    oddTimeout: method({ request: z.object({ other: z.string(), gate: z.string() }) }),
    fill: method({ request: z.object({ bytes: z.number() }) }),
    echo: method({ request: z.unknown() }),
    echoOf: method({ request: z.object({ other: z.string(), text: z.string() }) }),
  };
  bump() {
    return ++this.state.value;
  }
  peek() {
    return this.state.value;
  }
  async slowBump({ gate: name }: { gate: string }) {
    const before = this.state.value;
    await gate(name);
    this.state.value = before + 1;
    return this.state.value;
  }
  async slowPeek({ gate: name }: { gate: string }) {
    await gate(name);
    return this.state.value;
  }
  /** Takes its own change back by putting a copy in the state's place. */
  replace() {
    const before = structuredClone(this.state);
    this.state.value += 100;
    this.state = before;
  }
  async bumpOther({ other, gate: name }: { other: string; gate?: string | undefined }) {
    if (name !== undefined) await gate(name);
    return await this.object(Base, other).bump();
  }
  async peekAndBump({ other, gate: name }: { other: string; gate: string }) {
    await gate(name);
    return await this.object(Base, other).bump();
  }
  async peekOther({ other, gate: name }: { other: string; gate: string }) {
    return await this.object(Base, other).slowPeek({ gate: name });
  }
  fireAndForget({ other, gate: name }: { other: string; gate: string }) {
    void this.object(Base, other)
      .bumpOther({ other: this.id, gate: name })
      .catch((error: unknown) => floating.push(error));
  }
  async oddTimeout({ other, gate: name }: { other: string; gate: string }) {
    await this.object(Base, other, { timeout: Number.NaN }).slowBump({ gate: name });
  }
  fill({ bytes }: { bytes: number }) {
    this.state.pad = "x".repeat(bytes);
  }
  echo(request: unknown) {
    return request;
  }
  async echoOf({ other, text }: { other: string; text: string }) {
    const answer = (await this.object(Base, other).echo(text)) as string;
    return answer.length;
  }
}
class Lab extends Base {
  static override readonly type = "Lab";
}
// Stubs need the served class: `Base` stands for `Lab` in the code above.
Object.defineProperty(Base, "type", { value: "Lab" });

class Again extends VirtualObject<{ value: number }> {
  static override readonly type = "Again";
  static override readonly reentrant = true;
  static override readonly state = z.object({ value: z.number().default(0) });
  static override readonly methods = {
    fails: method({ request: z.object({ gate: z.string().optional() }) }),
    addOne: method(),
    vanishAndFail: method(),
    storeAndFail: method(),
    cheat: method({ readonly: true }),
    peek: method({ readonly: true }),
    keys: method({ readonly: true }),
    survive: method({ request: z.object({ what: z.string() }) }),
    keepReference: method(),
    both: method(),
    readThenFail: method({ readonly: true, request: some }),
  };
  async fails({ gate: name }: { gate?: string | undefined }) {
    this.state.value += 100;
    if (name !== undefined) await gate(name);
    throw this.fail("NO", "no");
  }
  addOne() {
    return ++this.state.value;
  }
  vanishAndFail() {
    this.deleteSelf();
    throw this.fail("NO", "no");
  }
  storeAndFail() {
    this.store.put("left", "behind");
    throw this.fail("NO", "no");
  }
  cheat() {
    this.state.value = 777;
  }
  peek() {
    return this.state.value;
  }
  keys() {
    return this.store.list().map((row) => row.key);
  }
  async survive({ what }: { what: string }) {
    const self = this.object(Again, this.id) as unknown as Record<string, (request?: unknown) => Promise<unknown>>;
    await self[what]?.(what === "fails" ? {} : undefined).catch(() => undefined);
  }
  async keepReference() {
    const { state } = this;
    await this.object(Again, this.id)
      .fails({})
      .catch(() => undefined);
    state.value += 1;
    return this.state.value;
  }
  async both() {
    const self = this.object(Again, this.id);
    const failing = self.fails({ gate: "both" }).catch(() => undefined);
    await self.addOne();
    open("both");
    await failing;
    return this.state.value;
  }
  async readThenFail({ gate: name }: { gate: string }) {
    await gate(name);
    await this.object(Again, this.id).addOne();
  }
}

function setup(config: Record<string, string | number> = {}) {
  gates.clear();
  const made = new TestCluster({ objects: [Lab, Again], config });
  return { made, clock: made.clock };
}

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
    const { made } = setup({ maxObjectBytes: 1_000_000 });
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
