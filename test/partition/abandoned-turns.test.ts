import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const gates = new Map<string, () => void>();
const gate = (name: string) => new Promise<void>((resolve) => gates.set(name, resolve));
let activations = 0;

/** Its `onActivate` waits at gate `a1`, `a2`, … while `slowActivation` is on. */
let slowActivation = false;
class Sleepy extends VirtualObject<{ value: number }> {
  static override readonly type = "Sleepy";
  static override readonly state = z.object({ value: z.number().default(0) });
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number() }) }),
    slowAdd: method({ request: z.object({ by: z.number(), gate: z.string() }) }),
    slowVanish: method({ request: z.object({ gate: z.string() }) }),
    keepState: method({ request: z.object({ gate: z.string() }) }),
    floatingWrite: method({ request: z.object({ gate: z.string() }) }),
    peek: method({ readonly: true }),
  };
  protected override async onActivate() {
    if (slowActivation) await gate(`a${++activations}`);
  }
  add({ by }: { by: number }) {
    this.state.value += by;
    return this.state.value;
  }
  async slowAdd({ by, gate: name }: { by: number; gate: string }) {
    await gate(name);
    this.state.value += by;
    return this.state.value;
  }
  async slowVanish({ gate: name }: { gate: string }) {
    this.deleteSelf();
    await gate(name);
  }
  protected override onDelete() {}
  /** Goes on with the state after its turn ended. */
  keepState({ gate: name }: { gate: string }) {
    const { state } = this;
    void gate(name).then(() => {
      state.value += 1_000;
    });
  }
  floatingWrite({ gate: name }: { gate: string }) {
    void gate(name)
      .then(() => {
        this.state.value += 1_000;
      })
      .catch(() => undefined);
  }
  peek() {
    return this.state.value;
  }
}

function setup() {
  gates.clear();
  activations = 0;
  slowActivation = false;
  const made = new TestCluster({ objects: [Sleepy] });
  return { made, clock: made.clock };
}

describe("turns that go on after their end", () => {
  test("[TURN6] a method whose onActivate passed the deadline never runs, least of all in the next turn", async () => {
    const { made, clock } = setup();
    await made.call("Sleepy", "a", "add", { by: 1 });
    made.crash("p0");
    slowActivation = true;
    const late = made.send("Sleepy", "a", "add", { by: 100 }, { timeout: 50 });
    await clock.advance(60);
    expect(await late).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    slowActivation = false;
    const next = made.send("Sleepy", "a", "slowAdd", { by: 1, gate: "g" });
    await clock.advance(1);
    gates.get("a1")?.();
    await clock.advance(1);
    gates.get("g")?.();
    await clock.advance(1);
    expect(await next).toMatchObject({ response: "2" });
  });

  test("[TURN6] a readonly turn abandoned in onActivate does not bring an old state back", async () => {
    const { made, clock } = setup();
    await made.call("Sleepy", "a", "add", { by: 1 });
    made.crash("p0");
    slowActivation = true;
    const late = made.send("Sleepy", "a", "peek", undefined, { timeout: 50 });
    await clock.advance(60);
    expect(await late).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    slowActivation = false;
    expect(await made.call("Sleepy", "a", "add", { by: 1 })).toBe(2);
    gates.get("a1")?.();
    await clock.advance(1);
    expect(await made.call("Sleepy", "a", "add", { by: 1 })).toBe(3);
  });

  test("[TURN6] a deletion abandoned at its deadline leaves the next turn alone", async () => {
    const { made, clock } = setup();
    await made.call("Sleepy", "a", "add", { by: 1 });
    const late = made.send("Sleepy", "a", "slowVanish", { gate: "v" }, { timeout: 50 });
    await clock.advance(60);
    expect(await late).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    const next = made.send("Sleepy", "a", "slowAdd", { by: 1, gate: "g" });
    await clock.advance(1);
    gates.get("v")?.();
    await clock.advance(1);
    gates.get("g")?.();
    await clock.advance(1);
    expect(await next).toMatchObject({ response: "2" });
  });

  test("[TURN2] a state kept beyond the turn changes nothing: memory is what was committed", async () => {
    const { made, clock } = setup();
    await made.call("Sleepy", "a", "add", { by: 1 });
    await made.call("Sleepy", "a", "keepState", { gate: "k" });
    gates.get("k")?.();
    await clock.advance(1);
    expect(await made.call("Sleepy", "a", "peek")).toBe(1);
    expect(await made.call("Sleepy", "a", "add", { by: 1 })).toBe(2);
  });

  test("[TURN1] a floating promise of one turn writes nothing into the next one", async () => {
    const { made, clock } = setup();
    await made.call("Sleepy", "a", "floatingWrite", { gate: "f" });
    const next = made.send("Sleepy", "a", "slowAdd", { by: 1, gate: "g" });
    await clock.advance(1);
    gates.get("f")?.();
    await clock.advance(1);
    gates.get("g")?.();
    await clock.advance(1);
    expect(await next).toMatchObject({ response: "1" });
  });

  test("[TURN6] a slow method abandoned at its deadline has no effect when it wakes in another one's turn", async () => {
    const { made, clock } = setup();
    const late = made.send("Sleepy", "a", "slowAdd", { by: 100, gate: "z" }, { timeout: 50 });
    await clock.advance(60);
    expect(await late).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    const next = made.send("Sleepy", "a", "slowAdd", { by: 1, gate: "g" });
    await clock.advance(1);
    gates.get("z")?.();
    await clock.advance(1);
    gates.get("g")?.();
    await clock.advance(1);
    expect(await next).toMatchObject({ response: "1" });
  });
});
