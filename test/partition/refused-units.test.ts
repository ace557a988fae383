import { method, VirtualObject } from "edgeverse";
import { ManualClock, TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { PickyStorage } from "./picky-storage.ts";

const text = z.object({ text: z.string(), extra: z.string().default("") });
const other = z.object({ id: z.string() });
let runs: string[] = [];
let finish: () => void = () => undefined;

class Note extends VirtualObject.withState(text.extend({ text: z.string().default("") })) {
  static override readonly type = "Note";
  static override readonly methods = {
    write: method({ request: text }),
    row: method({ request: text }),
    wait: method(),
    read: method({ readonly: true }),
    copy: method({ request: other }),
    tell: method({ request: other }),
    tellReliably: method({ request: other }),
    fan: method({ request: z.object({ count: z.number() }) }),
    keep: method({ request: text }),
  };
  write({ text, extra }: z.infer<typeof Note.methods.write.request>) {
    runs.push(text);
    this.state.text = text;
    this.state.extra = extra;
  }
  row({ text }: z.infer<typeof Note.methods.row.request>) {
    this.store.put("row", text);
  }
  wait() {
    return new Promise<void>((resolve) => {
      finish = resolve;
    });
  }
  read() {
    return this.state.text;
  }
  async copy({ id }: { id: string }) {
    this.state.text = await this.object(Note, id).read();
  }
  async tell({ id }: { id: string }) {
    await this.object(Note, id).write({ text: `heard ${this.state.text}` });
  }
  async tellReliably({ id }: { id: string }) {
    await this.object(Note, id, { callId: "told" }).write({ text: `heard ${this.state.text}` });
  }
  async fan({ count }: { count: number }) {
    const text = "x".repeat(1_000_000);
    await Promise.all(Array.from({ length: count }, (_, index) => this.object(Note, `n${index}`).keep({ text })));
  }
  keep(_: z.infer<typeof Note.methods.keep.request>) {
    return new Promise<void>(() => undefined);
  }
}

function setup(partitions = 1) {
  runs = [];
  const clock = new ManualClock();
  const storageOf = () => new PickyStorage();
  const made = new TestCluster({ objects: [Note], storageOf, clock, config: { partitions, shards: 8 } });
  const send = (id: string, name: string, request?: unknown, options?: { callId?: string; timeout?: number }) =>
    made.send("Note", id, name, request, options);
  const stored = (id: string) => {
    for (const partition of ["p0", "p1"].slice(0, partitions)) made.crash(partition);
    return made.call("Note", id, "read");
  };
  return { made, clock, send, stored };
}

const bad = { text: "bad", extra: "POISON" };

test("[TURN3] [TURN4] of two parts that are refused together, turns that follow see neither", async () => {
  const { made, clock, send, stored } = setup();
  await made.call("Note", "x", "read");
  const replies = [
    send("x", "write", bad),
    send("x", "wait"),
    send("x", "copy", { id: "y" }),
    send("y", "write", { text: "never stored", extra: "POISON" }),
  ];
  await clock.advance(50);
  for (const index of [0, 1, 3]) expect(await replies[index]).toMatchObject({ error: { code: "COMMIT_REFUSED" } });
  expect(await replies[2]).toMatchObject({ kind: "response" });
  expect(await stored("x")).toBe("");
});

test("[TURN3] [TURN4] a call that waits for its turn ends with the refused state that made it", async () => {
  const { clock, send, stored } = setup();
  const replies = [send("y", "wait"), send("x", "write", bad), send("x", "tell", { id: "y" })];
  await clock.advance(1_000);
  for (const reply of await Promise.all(replies)) expect(reply).toMatchObject({ error: { code: "COMMIT_REFUSED" } });
  expect(await stored("y")).toBe("");
});

test("[TURN3] [TURN4] a reliable call is sent when what its turn has seen was stored, to a neighbour as well", async () => {
  const { clock, send, stored } = setup();
  const replies = [send("x", "write", bad), send("x", "tellReliably", { id: "y" })];
  await clock.advance(5_000);
  for (const reply of await Promise.all(replies)) expect(reply).toMatchObject({ error: { code: "COMMIT_REFUSED" } });
  expect(await stored("y")).toBe("");
  const told = [send("x", "write", { text: "good" }), send("x", "tellReliably", { id: "y" })];
  await clock.advance(5_000);
  for (const reply of await Promise.all(told)) expect(reply).toMatchObject({ kind: "response" });
  expect(await stored("y")).toBe("heard good");
});

test("[TURN4] [MIG1] a call that waits at the gate tells the new owner of no refused state", async () => {
  const { made, clock, send, stored } = setup(2);
  const here = Array.from({ length: 8 }, (_, shard) => shard).filter(
    (shard) => made.ownerOf(Note, `shard#${shard}/a`) === "p0",
  );
  const [leaving = 0, staying = 0] = here;
  const [x, y, busy] = [`shard#${staying}/x`, `shard#${leaving}/y`, `shard#${leaving}/busy`];
  await made.call("Note", y, "write", { text: "before" });
  const waits = send(busy, "wait", undefined, { timeout: 20_000 });
  await clock.advance(5);
  const moved = made.command({ kind: "move-shard", shard: leaving, to: "p1" });
  await clock.advance(60);
  await moved;
  const { ownership } = await made.partition("p0").core();
  for (let ms = 0; ms < 400 && !ownership.gated(leaving); ms++) await clock.advance(1);
  expect(ownership.gated(leaving)).toBe(true);
  const replies = [send(x, "write", bad), send(x, "tell", { id: y })];
  await clock.advance(5);
  for (const reply of await Promise.all(replies)) expect(reply).toMatchObject({ error: { code: "COMMIT_REFUSED" } });
  finish();
  await clock.advance(5_000);
  await waits;
  expect(await stored(y)).toBe("before");
});

test("[CALL4] reliable calls that a refused commit takes back run in their order", async () => {
  const { made, clock, send } = setup();
  await made.call("Note", "x", "write", { text: "warm" });
  void send("x", "row", { text: "POISON" });
  const first = send("x", "write", { text: "first" }, { callId: "c1", timeout: 20_000 });
  void send("x", "wait");
  const second = send("x", "write", { text: "second" }, { callId: "c2", timeout: 20_000 });
  await clock.advance(20_000);
  for (const reply of await Promise.all([first, second])) expect(reply).toMatchObject({ kind: "response" });
  expect(runs).toEqual(["warm", "first", "first", "second"]);
  expect(await made.call("Note", "x", "read")).toBe("second");
});

test("[LIFE2] objects that have called one another can leave memory one by one", async () => {
  const { made, clock } = setup();
  await made.call("Note", "y", "write", { text: "y" });
  await made.call("Note", "x", "copy", { id: "y" });
  const { activations } = await made.partition("p0").core();
  expect([...activations.all()].map(({ unit }) => unit)).toEqual([undefined, undefined]);
  await clock.advance(1);
});

test("[TURN8] what a turn sends to neighbours counts while they wait or run", async () => {
  const { made, clock, send } = setup();
  const fan = send("x", "fan", { count: 40 });
  await clock.advance(5);
  expect(await fan).toMatchObject({ error: { code: "OVERLOADED" } });
  const { memory } = await made.partition("p0").core();
  expect(memory.held).toBeGreaterThan(30_000_000);
  await clock.advance(60_000);
  expect(memory.held).toBe(0);
});
