import { type CallOptions, method, VirtualObject } from "edgeverse";
import { type ManualClock, TestCluster } from "edgeverse/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";

let clock: ManualClock;
let hooks: string[] = [];
let hookTakes = 0;
const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
const ms = z.object({ ms: z.number() });

class Note extends VirtualObject.withState(
  z.object({ text: z.string().default("empty"), starts: z.number().default(0) }),
) {
  static override readonly type: string = "Note";
  static override readonly methods = {
    write: method({ request: z.object({ text: z.string() }) }),
    read: method({ readonly: true }),
    slowRead: method({ readonly: true, request: ms }),
    // A plain method that returns a promise is not known to wait before its first call.
    plainRead: method({ readonly: true, request: ms }),
    readAndCall: method({ readonly: true, request: z.object({ name: z.enum(["read", "write"]) }) }),
    vanish: method(),
  };
  #cached = "nothing";

  protected override onCreate() {
    hooks.push("create");
  }
  protected override async onActivate() {
    hooks.push("activate");
    if (hookTakes > 0) await sleep(hookTakes);
    this.state.starts++;
    this.store.put("started", this.state.starts);
    this.#cached = `${this.#cached}, ${this.state.text}`;
  }
  protected override onDeactivate() {
    hooks.push("deactivate");
  }
  protected override onDelete() {
    hooks.push("delete");
  }
  write({ text }: { text: string }) {
    this.state.text = text;
    return this.read();
  }
  read() {
    return [this.state.text, this.state.starts, this.store.list().length, this.#cached];
  }
  async slowRead({ ms }: { ms: number }) {
    await sleep(ms);
    return this.read();
  }
  plainRead(request: { ms: number }) {
    return this.slowRead(request);
  }
  async readAndCall({ name }: { name: "read" | "write" }) {
    const self = this.object(Note, this.id);
    return name === "read" ? await self.read() : await self.write({ text: "from within" });
  }
  vanish() {
    this.deleteSelf();
  }
}

/** As Note, but calls may come back to it, and none makes it. */
class Memo extends Note {
  static override readonly type = "Memo";
  static override readonly reentrant = true;
  override async readAndCall({ name }: { name: "read" | "write" }) {
    const self = this.object(Memo, this.id);
    return name === "read" ? await self.read() : await self.write({ text: "from within" });
  }
}

/** Leaves as it comes. */
class Shy extends Note {
  static override readonly type = "Shy";
  protected override async onActivate() {
    this.deleteSelf();
  }
}

class Strict extends Note {
  static override readonly type = "Strict";
  static override readonly autoCreate = false;
}

const DEFAULTS = ["empty", 1, 1, "nothing, empty"];

async function setup(partitions = 1) {
  const cluster = new TestCluster({
    objects: [Note, Memo, Shy, Strict],
    partitions,
    config: { shards: 4, rebalance: "off" },
  });
  clock = cluster.clock;
  const cores = await Promise.all(cluster.genesis.members.map(({ name }) => cluster.partition(name).core()));
  return {
    cluster,
    /** What a call answers, while a second passes. */
    call: async (
      method: string,
      request?: unknown,
      { type = "Note", ...options }: CallOptions & { type?: string } = {},
    ) => {
      const reply = cluster.send(type, "n", method, request, options);
      await clock.advance(1_000);
      return await reply;
    },
    rows: () =>
      cluster.genesis.members.flatMap(({ name }) => [
        ...cluster.storage(name).query("SELECT id FROM objects"),
        ...cluster.storage(name).query("SELECT key FROM rows"),
      ]),
    inMemory: () => cores.flatMap((core) => [...core.activations.all()].map((activation) => activation.key)),
  };
}

const answer = (value: unknown) => ({ kind: "response", response: JSON.stringify(value) });

beforeEach(() => {
  hooks = [];
  hookTakes = 0;
});

describe("a readonly call to an object that is not there", () => {
  test.each([
    ["plain", "read", undefined],
    ["async", "slowRead", { ms: 30 }],
    ["with a promise", "plainRead", { ms: 30 }],
  ])(
    "[LIFE1] answers from the defaults and leaves nothing, neither stored nor in memory: %s",
    async (_, name, request) => {
      const { call, rows, inMemory, cluster } = await setup();
      for (let time = 0; time < 2; time++) expect(await call(name, request)).toEqual(answer(DEFAULTS));
      expect(hooks).toEqual(["activate", "activate"]);
      expect([rows(), inMemory()]).toEqual([[], []]);
      expect((await cluster.partition("p0").core()).commit.stats.commits).toBeGreaterThan(0);
    },
  );

  test("[LIFE1] the next call that writes creates it, on an instance of its own", async () => {
    const { call, rows } = await setup();
    await call("read");
    expect(await call("write", { text: "hello" })).toEqual(answer(["hello", 1, 1, "nothing, empty"]));
    expect(hooks).toEqual(["activate", "create", "activate"]);
    expect(rows()).toHaveLength(2);
    expect(await call("read")).toEqual(answer(["hello", 1, 1, "nothing, empty"]));
  });

  test("[LIFE1] with autoCreate: false it is OBJECT_NOT_FOUND", async () => {
    const { call, inMemory } = await setup();
    expect(await call("read", undefined, { type: "Strict" })).toMatchObject({ error: { code: "OBJECT_NOT_FOUND" } });
    expect([hooks, inMemory()]).toEqual([[], []]);
  });

  test("[LIFE1] [TURN1] several run beside one another; one that writes waits for them, later ones wait for it", async () => {
    const { cluster, rows } = await setup();
    hookTakes = 5;
    const readers = [10, 20, 30].map((ms) => cluster.send("Note", "n", "slowRead", { ms }));
    const writer = cluster.send("Note", "n", "write", { text: "now" });
    const late = cluster.send("Note", "n", "slowRead", { ms: 1 });
    await clock.advance(34);
    expect(hooks).toEqual(["activate", "activate", "activate"]);
    await clock.advance(2);
    expect(await Promise.all(readers)).toEqual([answer(DEFAULTS), answer(DEFAULTS), answer(DEFAULTS)]);
    await clock.advance(50);
    expect(await writer).toEqual(answer(["now", 1, 1, "nothing, empty"]));
    expect(await late).toEqual(answer(["now", 1, 1, "nothing, empty"]));
    expect(hooks.slice(3)).toEqual(["create", "activate"]);
    expect(rows()).toHaveLength(2);
  });

  test("[LIFE1] [CALL1] a reliable one leaves its mark alone", async () => {
    const { call, rows, cluster } = await setup();
    expect(await call("read", undefined, { callId: "r1" })).toEqual(answer(DEFAULTS));
    expect(rows()).toEqual([]);
    await call("write", { text: "later" });
    cluster.crash("p0");
    expect(await call("read", undefined, { callId: "r1" })).toMatchObject({ ...answer(DEFAULTS), replayed: true });
  });

  test("[LIFE1] [TURN7] a call that comes back from it reads, and creates nothing either", async () => {
    const { call, rows, inMemory } = await setup();
    for (const type of ["Note", "Memo"]) {
      expect(await call("readAndCall", { name: "read" }, { type })).toEqual(answer(DEFAULTS));
      const code = type === "Memo" ? "INTERNAL" : "DEADLOCK";
      expect(await call("readAndCall", { name: "write" }, { type }), type).toMatchObject({ error: { code } });
    }
    expect([rows(), inMemory()]).toEqual([[], []]);
  });

  test("[LIFE1] [TURN6] at its deadline it is over, also in onActivate", async () => {
    const { call, rows, inMemory } = await setup();
    hookTakes = 300;
    expect(await call("read", undefined, { timeout: 100 })).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    hookTakes = 0;
    expect(await call("slowRead", { ms: 300 }, { timeout: 100 })).toMatchObject({
      error: { code: "DEADLINE_EXCEEDED" },
    });
    expect([rows(), inMemory()]).toEqual([[], []]);
  });

  test("[LIFE1] [LIFE3] nor does one right after its deletion", async () => {
    const { cluster, call, rows, inMemory } = await setup();
    await call("write", { text: "gone" });
    hooks = [];
    // The read runs before the deletion is durable.
    const gone = cluster.send("Note", "n", "vanish");
    const read = cluster.send("Note", "n", "slowRead", { ms: 20 });
    await clock.advance(100);
    expect([await gone, await read]).toEqual([answer(null), answer(DEFAULTS)]);
    expect(hooks).toEqual(["delete", "activate"]);
    await clock.advance(100_000);
    await call("read", undefined, { type: "Memo" });
    expect([rows(), inMemory()]).toEqual([[], []]);
    expect(hooks).not.toContain("deactivate");
  });

  test("[LIFE1] what onActivate does to such an object does not happen, not even its deletion", async () => {
    const { call, rows, inMemory } = await setup();
    expect(await call("read", undefined, { type: "Shy" })).toEqual(answer(["empty", 0, 0, "nothing"]));
    expect([hooks, rows(), inMemory()]).toEqual([[], [], []]);
  });

  test("[LIFE1] [MIG1] a shard moves after it, and takes nothing along", async () => {
    const { cluster, rows, inMemory } = await setup(2);
    const from = cluster.router.owner({ type: "T", id: "shard#1/n" });
    const read = cluster.send("Note", "shard#1/n", "slowRead", { ms: 200 });
    await clock.advance(10);
    await cluster.command({ kind: "move-shard", shard: 1, to: from === "p0" ? "p1" : "p0" });
    const behind = cluster.send("Note", "shard#1/n", "read");
    await clock.advance(2_000);
    expect([await read, await behind]).toEqual([answer(DEFAULTS), answer(DEFAULTS)]);
    expect(cluster.coordinator.map()).toMatchObject({ exceptions: [{ shard: 1 }] });
    expect([rows(), inMemory()]).toEqual([[], []]);
  });
});

class Reentrant extends VirtualObject.withState(z.object({ n: z.number().default(0) })) {
  static override readonly type = "Reentrant";
  static override readonly reentrant = true;
  static override readonly methods = {
    read: method({ readonly: true }),
    write: method(),
    peek: method({ readonly: true }),
  };
  protected override async onActivate() {
    this.state.n = 7;
    this.state.n = (await this.object(Reentrant, this.id).peek()) as number;
  }
  read(): number {
    return this.state.n;
  }
  write(): number {
    return this.state.n;
  }
  peek(): number {
    return this.state.n;
  }
}

test("[TURN7] [LIFE1] a hook that calls its own object sees what the hook has made, also where a read found no object", async () => {
  const made = new TestCluster({ objects: [Reentrant] });
  expect(await made.call("Reentrant", "there", "write")).toBe(7);
  expect(await made.call("Reentrant", "not there", "read")).toBe(7);
});
