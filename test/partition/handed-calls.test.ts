import { method, VirtualObject } from "edgeverse";
import { MemoryCallLog, TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import type { SqlRow, SqlValue } from "../../src/platform/ports.ts";
import { desks } from "./outbox-fixture.ts";
import { PickyStorage } from "./picky-storage.ts";

/** Notes the tables that are written, and what commits fail with. */
class NotingStorage extends PickyStorage {
  written: string[] = [];

  override query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    const [, table] = /^\s*(?:INSERT INTO|DELETE FROM|UPDATE) (\w+)/.exec(sql) ?? [];
    if (table !== undefined) this.written.push(table);
    return super.query<Row>(sql, ...params);
  }

  /** Transactions since the last look. */
  override transaction<R>(action: () => R): R {
    this.written.push("|");
    return super.transaction(action);
  }
}

let go: () => void = () => undefined;

class Post extends VirtualObject.withState(z.object({ got: z.array(z.string()).default([]) })) {
  static override readonly type = "Post";
  static override readonly methods = {
    send: method({ request: z.object({ to: z.array(z.string()), text: z.string() }) }),
    pass: method({ request: z.object({ to: z.array(z.string()), text: z.string() }) }),
    take: method({ request: z.object({ text: z.string() }) }),
    wait: method({ request: z.object({ text: z.string() }) }),
    sendWaiting: method({ request: z.object({ to: z.string(), text: z.string() }) }),
    again: method({ request: z.object({ text: z.string() }) }),
    ask: method({ request: z.object({ by: z.string(), of: z.string() }) }),
    relay: method({ request: z.object({ of: z.string(), back: z.string() }) }),
    answer: method({ request: z.object({ back: z.string() }) }),
    read: method({ readonly: true }),
  };
  send({ to, text }: { to: string[]; text: string }) {
    this.state.got.push(`sent ${text}`);
    return to.map((id) => this.outbox(Post, id).take({ text }));
  }
  pass({ to, text }: { to: string[]; text: string }) {
    const [next, ...rest] = to;
    this.state.got.push(text);
    if (next !== undefined) this.outbox(Post, next).pass({ to: rest, text });
  }
  take({ text }: { text: string }) {
    this.state.got.push(text);
    return this.context.callId;
  }
  sendWaiting({ to, text }: { to: string; text: string }) {
    this.outbox(Post, to).wait({ text });
  }
  async wait({ text }: { text: string }) {
    await new Promise<void>((resolve) => {
      go = resolve;
    });
    this.state.got.push(text);
  }
  again({ text }: { text: string }) {
    this.state.got.push(text);
    this.outbox(Post, this.id).take({ text: `${text} again` });
  }
  ask({ by, of }: { by: string; of: string }) {
    this.state.got.push("asked");
    this.outbox(Post, by).relay({ of, back: this.id });
  }
  async relay({ of, back }: { of: string; back: string }) {
    await this.object(Post, of).answer({ back });
  }
  answer({ back }: { back: string }) {
    this.state.got.push("POISON");
    this.outbox(Post, back).take({ text: "answered" });
  }
  read() {
    return this.state.got;
  }
}

async function posts() {
  const storage = new NotingStorage();
  const { clock } = new TestCluster({ objects: [Post] });
  const made = new TestCluster({
    objects: [Post],
    partitions: 1,
    storageOf: (name) => (name === "p0" ? storage : new PickyStorage()),
    clock,
    log: new MemoryCallLog(clock),
    config: { shards: 8 },
  });
  const call = (id: string, name: string, request?: unknown) => made.call("Post", id, name, request);
  const read = async (id: string) => (await call(id, "read")) as string[];
  const rows = () => storage.query("SELECT n FROM outbox").length;
  for (const id of ["a", "b", "c"]) await read(id);
  await clock.advance(1_000);
  storage.written = [];
  return { made, storage, clock, call, read, rows };
}

test("[CALL7] what is sent within a partition is done in the commit of its sender, and stored nowhere but there", async () => {
  const { storage, call, made, clock } = await posts();
  const [id] = (await call("a", "send", { to: ["b"], text: "hi" })) as string[];
  expect(storage.written).toEqual(["|", "objects", "marks", "backlog"]);
  // Once the sender has its answer, the receiver's is durable too.
  made.crash("p0");
  expect(await call("b", "read")).toEqual(["hi"]);
  // Its call is a reliable one like any other: who repeats it gets its outcome.
  const again = made.send("Post", "b", "take", { text: "hi" }, { callId: id as string });
  await clock.advance(100);
  expect(await again).toMatchObject({ kind: "response", response: JSON.stringify(id), replayed: true });
});

test("[CALL7] what is taken so may send on, to others and in a circle", async () => {
  const { call, clock, read, rows, storage } = await posts();
  await call("a", "pass", { to: ["b", "c", "a", "b"], text: "on" });
  await clock.advance(100);
  // The circle is not closed in one commit: the sender would fail with whom it has sent to. One message is stored, and removed.
  expect(storage.written.filter((name) => name === "outbox")).toHaveLength(2);
  expect([await read("a"), await read("b"), await read("c"), rows()]).toEqual([["on", "on"], ["on", "on"], ["on"], 0]);
  await call("c", "again", { text: "self" });
  await clock.advance(100);
  expect([await read("c"), rows()]).toEqual([["on", "self", "self again"], 0]);
});

test("[CALL7] a turn of the receiver that takes its time does not hold up the commit of the sender", async () => {
  const { call, clock, made, read, rows, storage } = await posts();
  await call("a", "sendWaiting", { to: "b", text: "late" });
  await call("a", "send", { to: ["b"], text: "behind" });
  // It is accepted there, so a crash loses nothing, and what follows stays behind it.
  expect(storage.written.filter((name) => name === "pending" || name === "outbox")).toEqual(["pending", "pending"]);
  expect(rows()).toBe(0);
  made.crash("p0");
  expect(await read("b")).toEqual([]);
  await clock.advance(100);
  go();
  await clock.advance(100);
  expect(await read("b")).toEqual(["late", "behind"]);
});

test("[CALL7] [TURN4] what the database refuses of a receiver harms neither its sender nor other receivers", async () => {
  const { call, clock, read, rows, made } = await posts();
  const damage = () => call("b", "take", { text: "POISON" }).catch((error: { code: string }) => error.code);
  const [refused, sent] = await Promise.all([damage(), call("a", "send", { to: ["b", "c"], text: "hi" })]);
  expect([refused, (sent as string[]).length]).toEqual(["COMMIT_REFUSED", 2]);
  made.crash("p0");
  await clock.advance(10_000);
  expect([await read("a"), await read("b"), await read("c"), rows()]).toEqual([["sent hi"], ["hi"], ["hi"], 0]);
});

test("[CALL7] [TURN4] what was taken of a sender that the database refuses never was", async () => {
  const { call, clock, read, rows } = await posts();
  const sent = call("a", "send", { to: ["b", "c"], text: "hi" });
  const damage = call("a", "take", { text: "POISON" });
  const codes = await Promise.all([sent, damage].map((each) => each.catch((error: { code: string }) => error.code)));
  expect(codes).toEqual(["COMMIT_REFUSED", "COMMIT_REFUSED"]);
  await clock.advance(10_000);
  expect([await read("a"), await read("b"), await read("c"), rows()]).toEqual([[], [], [], 0]);
});

test("[CALL7] [TURN4] what waits at its receiver behind another of a refused sender never was, either", async () => {
  const { call, clock, read, rows } = await posts();
  const sent = [
    call("a", "sendWaiting", { to: "b", text: "waits" }),
    call("a", "send", { to: ["b", "b"], text: "behind" }),
    call("a", "sendWaiting", { to: "b", text: "waits behind" }),
    call("a", "take", { text: "POISON" }),
  ];
  const codes = await Promise.all(sent.map((each) => each.catch((error: { code: string }) => error.code)));
  expect(new Set(codes)).toEqual(new Set(["COMMIT_REFUSED"]));
  go();
  await clock.advance(10_000);
  expect([await read("a"), await read("b"), rows()]).toEqual([[], [], 0]);
});

test("[CALL7] [TURN4] an object that a receiver calls sends nothing back to the sender within the commit", async () => {
  const { call, clock, read, rows } = await posts();
  await call("a", "ask", { by: "b", of: "c" });
  await clock.advance(10_000);
  expect([await read("a"), await read("c"), rows()]).toEqual([["asked"], [], 0]);
});

test("[CALL7] a receiver that fails by its nature fails alone, and a message that can't be taken is stored", async () => {
  const { cluster, rows, settled } = desks(1);
  await cluster.call("Desk", "a", "sendMany", { to: "b", texts: ["refuse", "throw", "fine"] });
  await settled();
  expect(await cluster.call("Desk", "b", "read")).toMatchObject({ got: ["a: fine"] });
  await cluster.call("Desk", "a", "sendAndHear", { to: "b", text: "heard" });
  // It waits for what stands before it in the table.
  await cluster.call("Desk", "a", "sendMany", { to: "b", texts: ["1", "2"] });
  await settled();
  expect(await cluster.call("Desk", "b", "read")).toMatchObject({ got: ["a: fine", "a: heard", "a: 1", "a: 2"] });
  expect(rows()).toEqual([]);
});
