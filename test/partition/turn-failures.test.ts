import { type EdgeverseError, method, VirtualObject } from "edgeverse";
import { SqliteStorage, TestCluster } from "edgeverse/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { consoleObserver } from "../../durable/console-observer.ts";

const gates = new Map<string, () => void>();
const gate = (name: string) => new Promise<void>((resolve) => gates.set(name, resolve));
let thrown: unknown;

class Box extends VirtualObject<{ n: number }> {
  static override readonly type = "Box";
  static override readonly state = z.object({ n: z.number().default(0) });
  static override readonly methods = {
    put: method({ request: z.object({ key: z.string() }) }),
    listed: method(),
    listedAsync: method(),
    get: method({ readonly: true }),
    rows: method({ readonly: true }),
    throws: method(),
    throwsLater: method(),
    floating: method({ request: z.object({ gate: z.string() }) }),
    slowPlain: method({ request: z.object({ gate: z.string() }) }),
  };
  put({ key }: { key: string }) {
    this.store.put(key, 1);
    return ++this.state.n;
  }
  listed() {
    this.store.list();
    return ++this.state.n;
  }
  async listedAsync() {
    this.store.list();
    await Promise.resolve();
    return ++this.state.n;
  }
  get() {
    return this.state.n;
  }
  rows() {
    return this.store.list().map(({ key }) => key);
  }
  throws() {
    throw thrown;
  }
  async throwsLater() {
    await Promise.resolve();
    throw thrown;
  }
  floating({ gate: name }: { gate: string }) {
    void gate(name)
      .then(() => {
        this.state.n += 1_000;
      })
      .catch(() => undefined);
  }
  /** Returns a promise without being declared async. */
  slowPlain({ gate: name }: { gate: string }): Promise<number> {
    return gate(name).then(() => this.state.n);
  }
}

/** Adds itself to the totals as it leaves memory. */
class Visit extends VirtualObject {
  static override readonly type = "Visit";
  static override readonly methods = { touch: method() };
  touch() {}
  protected override async onDeactivate() {
    await this.object(Totals, "t").add({ by: 1 });
  }
}

class Totals extends VirtualObject<{ sum: number }> {
  static override readonly type = "Totals";
  static override readonly state = z.object({ sum: z.number().default(0) });
  static override readonly methods = {
    add: method({ request: z.object({ by: z.number() }) }),
    sum: method({ readonly: true }),
  };
  add({ by }: { by: number }) {
    this.state.sum += by;
    return this.state.sum;
  }
  sum() {
    return this.state.sum;
  }
}

const MB = 1024 * 1024;

class Nested extends VirtualObject<{ marks: string[] }> {
  static override readonly type = "Nested";
  static override readonly state = z.object({ marks: z.array(z.string()).default([]) });
  static override readonly reentrant = true;
  static override readonly methods = { outer: method(), inner: method(), keys: method({ readonly: true }) };
  async outer() {
    for (let index = 0; index < 5; index++) this.store.put(`outer${index}`, "x".repeat(MB - 10));
    try {
      await this.object(Nested, this.id).inner();
      return "fine";
    } catch (error) {
      return (error as EdgeverseError).code;
    }
  }
  async inner() {
    this.state.marks.push("inner");
    for (let index = 0; index < 5; index++) this.store.put(`inner${index}`, "x".repeat(MB - 10));
  }
  keys() {
    return { marks: this.state.marks, keys: this.store.list().map(({ key }) => key) };
  }
}

function setup(config: Record<string, string | number> = {}) {
  gates.clear();
  const made = new TestCluster({ objects: [Box, Visit, Totals, Nested], config });
  return { made, clock: made.clock };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("making room", () => {
  test("[TURN1] [TURN3] an object that a leaving one calls while it is opened itself has one instance", async () => {
    const { made, clock } = setup({ maxObjects: 2 });
    await made.call("Visit", "a", "touch");
    await made.call("Visit", "b", "touch");
    // Opening the totals makes room: both visits leave, and each adds 1 to the totals on its way out.
    expect(await made.call("Totals", "t", "add", { by: 10 })).toBe(12);
    await clock.advance(10);
    made.crash("p0");
    expect(await made.call("Totals", "t", "sum")).toBe(12);
  });
});

describe("a commit that fails inside a turn", () => {
  for (const name of ["listed", "listedAsync"]) {
    test(`[TURN3] [TURN4] a turn that was running then is not acknowledged: ${name}`, async () => {
      const { made, clock } = setup();
      await made.call("Box", "a", "get");
      const before = made.send("Box", "a", "put", { key: "k" });
      made.storage("p0").failing = new Error("disk I/O error");
      // Its listing sends the rows of the turn before to the database.
      const during = made.send("Box", "a", name);
      await clock.advance(100);
      expect(await before).toMatchObject({ error: { code: "UNAVAILABLE" } });
      const reply = await during;
      made.storage("p0").failing = undefined;
      made.crash("p0");
      const stored = await made.call("Box", "a", "get");
      // Either it failed and nothing is there, or it was acknowledged and all of it is.
      expect([reply.kind, stored]).toEqual(["error", 0]);
      expect(await made.call("Box", "a", "rows")).toEqual([]);
    });
  }
});

describe("whatever a method throws", () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const values: [string, unknown][] = [
    ["a BigInt inside", { big: 1n }],
    ["a cycle", circular],
    ["a cause without a text", new Error("why", { cause: Object.create(null) })],
    ["undefined", undefined],
    ["a symbol", Symbol("s")],
  ];
  test.each(values)("the production observer takes %s", (_, value) => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    expect(() => consoleObserver.methodThrew("Box/a", "r1", value)).not.toThrow();
  });

  for (const name of ["throws", "throwsLater"]) {
    test(`[TURN2] it is answered INTERNAL at once and the object goes on: ${name}`, async () => {
      vi.spyOn(console, "error").mockImplementation(() => undefined);
      const { made, clock } = setup();
      // What runs in production hears of it.
      made.thrown.push = (value) => {
        consoleObserver.methodThrew("Box/a", "r1", value);
        return 0;
      };
      await made.call("Box", "a", "put", { key: "k" });
      thrown = { big: 1n };
      const bad = made.send("Box", "a", name, undefined, { timeout: 1_000 });
      await clock.advance(10);
      const next = made.send("Box", "a", "put", { key: "k" }, { timeout: 500 });
      await clock.advance(2_000);
      expect(await next).toMatchObject({ response: "2" });
      expect(await bad).toMatchObject({ error: { code: "INTERNAL" } });
    });
  }
});

describe("inner turns", () => {
  test("[TURN2] an inner turn whose rows do not fit leaves nothing, neither state nor some of the rows", async () => {
    const { made } = setup();
    expect(await made.call("Nested", "a", "outer")).toBe("PAYLOAD_TOO_LARGE");
    const outer = Array.from({ length: 5 }, (_, index) => `outer${index}`);
    expect(await made.call("Nested", "a", "keys")).toEqual({ marks: [], keys: outer });
  });
});

describe("floating promises", () => {
  test("[TURN1] one turn's floating promise writes nothing into a plain method that waits for its first time", async () => {
    const { made, clock } = setup();
    await made.call("Box", "a", "floating", { gate: "f" });
    const slow = made.send("Box", "a", "slowPlain", { gate: "s" });
    await clock.advance(1);
    gates.get("f")?.();
    await clock.advance(1);
    gates.get("s")?.();
    await clock.advance(1);
    expect(await slow).toMatchObject({ response: "0" });
    expect(await made.call("Box", "a", "get")).toBe(0);
  });
});

describe("the alarm", () => {
  test("[CALL3] is set with the acceptance it is for: a crash right after the commit leaves nobody asleep", async () => {
    class Held extends SqliteStorage {
      hold = false;
      override barrier(): Promise<void> {
        return this.hold ? new Promise(() => undefined) : super.barrier();
      }
    }
    const storage = new Held();
    const storageOf = (name: string) => (name === "p0" ? storage : new SqliteStorage());
    const made = new TestCluster({ objects: [Box], storageOf, log: false });
    await made.call("Box", "a", "get");
    expect(storage.wake).toBeNull();
    storage.hold = true;
    void made.send("Box", "a", "put", { key: "k" }, { callId: "c0" });
    await made.clock.advance(5);
    // It has ended and there is no log to tell: nobody need come back for it.
    expect([storage.query("SELECT * FROM pending"), storage.wake]).toEqual([[], null]);
    void made.send("Box", "a", "slowPlain", { gate: "never" }, { callId: "c" });
    await made.clock.advance(5);
    expect(storage.query("SELECT call_id FROM pending")).toHaveLength(1);
    // The process ends here. The row is in the database; who comes back for it?
    made.crash("p0");
    expect(storage.wake).not.toBeNull();
  });
});
