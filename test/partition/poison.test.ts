import { method, VirtualObject } from "edgeverse";
import { SqliteStorage, TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { systemClock } from "../../src/testing/clocks.ts";
import { PickyStorage } from "./picky-storage.ts";

const note = z.object({ text: z.string() });

class Note extends VirtualObject.withState(z.object({ text: z.string().default("") })) {
  static override readonly type = "Note";
  static override readonly methods = {
    write: method({ request: note }),
    read: method({ readonly: true }),
    tell: method({ request: z.object({ id: z.string(), text: z.string() }) }),
    append: method({ request: note }),
    slowly: method({ request: note }),
    fan: method({ request: z.object({ ids: z.array(z.string()) }) }),
  };
  write({ text }: z.infer<typeof note>) {
    this.state.text = text;
  }
  read() {
    return this.state.text;
  }
  async tell({ id, text }: { id: string; text: string }) {
    await this.object(Note, id).write({ text });
    this.state.text = `told ${id}`;
  }
  append({ text }: z.infer<typeof note>) {
    this.store.put("row", text);
    return this.store.list().length;
  }
  async slowly({ text }: z.infer<typeof note>) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    this.state.text += text;
  }
  async fan({ ids }: { ids: string[] }) {
    await Promise.all(ids.map((id) => this.object(Note, id).write({ text: "x" })));
  }
}

async function setup() {
  const storage = new PickyStorage();
  const storageOf = (name: string) => (name === "p0" ? storage : new SqliteStorage());
  const made = new TestCluster({ objects: [Note], storageOf, clock: systemClock });
  await made.call("Note", "warm", "write", { text: "warm" });
  const text = (id: string) => made.call("Note", id, "read");
  return { made, storage, text };
}

const refused = { error: { code: "COMMIT_REFUSED", retryable: false } };

describe("what the database refuses", () => {
  test("[TURN4] fails alone; whatever else is in the commit is stored, and the object stays as it was", async () => {
    const { made, text } = await setup();
    await made.call("Note", "c", "write", { text: "before" });
    const calls = ["a", "b", "c", "d", "e"].map((id) =>
      made.send("Note", id, "write", { text: id === "c" ? "POISON" : id }),
    );
    const replies = await Promise.all(calls);
    expect(replies.map(({ kind }) => kind)).toEqual(["response", "response", "error", "response", "response"]);
    expect(replies[2]).toMatchObject(refused);
    made.crash("p0");
    expect(await Promise.all(["a", "b", "c", "d", "e"].map(text))).toEqual(["a", "b", "before", "d", "e"]);
    await made.call("Note", "c", "write", { text: "after" });
    expect(await text("c")).toBe("after");
  });

  test("[TURN2] [TURN4] takes with it those who have seen it, and nobody else", async () => {
    const { made, text } = await setup();
    const [teller, other, reader] = await Promise.all([
      made.send("Note", "teller", "tell", { id: "told", text: "POISON" }),
      made.send("Note", "other", "tell", { id: "third", text: "fine" }),
      made.send("Note", "told", "read"),
    ]);
    expect(teller).toMatchObject(refused);
    expect(other).toMatchObject({ kind: "response" });
    expect(reader).not.toMatchObject({ response: '"POISON"' });
    made.crash("p0");
    expect(await Promise.all(["teller", "told", "other", "third"].map(text))).toEqual(["", "", "told third", "fine"]);
  });

  test("[TURN3] [TURN4] fails the turns that began from it", async () => {
    const { made, text } = await setup();
    const replies = await Promise.all([
      made.send("Note", "a", "write", { text: "POISON" }),
      made.send("Note", "a", "slowly", { text: " and more" }),
      made.send("Note", "b", "append", { text: "POISON" }),
      made.send("Note", "b", "append", { text: "listed" }),
    ]);
    expect(replies[0]).toMatchObject(refused);
    expect(replies[1]).toMatchObject(refused);
    expect(replies[2]).toMatchObject(refused);
    expect(replies[3]).toMatchObject(refused);
    expect(await text("a")).toBe("");
    expect(await made.call("Note", "b", "append", { text: "fine" })).toBe(1);
  });

  test("[TURN4] does not end the partition's core, nor what waits there", async () => {
    const { made } = await setup();
    const core = await made.partition("p0").core();
    const slow = made.send("Note", "slow", "slowly", { text: "done" });
    expect(await made.send("Note", "a", "write", { text: "POISON" })).toMatchObject(refused);
    expect(await slow).toMatchObject({ kind: "response" });
    expect(await made.partition("p0").core()).toBe(core);
  });
});

test("[TURN4] an object whose row can't be read fails alone, with a code", async () => {
  const { made, storage, text } = await setup();
  await made.call("Note", "a", "write", { text: "a" });
  made.crash("p0");
  storage.damaged = "a";
  const [read, write, other] = await Promise.all([
    made.send("Note", "a", "read"),
    made.send("Note", "a", "write", { text: "lost" }),
    made.send("Note", "b", "write", { text: "b" }),
  ]);
  expect(read).toMatchObject({ error: { code: "UNAVAILABLE" } });
  expect(write).toMatchObject({ error: { code: "UNAVAILABLE" } });
  expect(other).toMatchObject({ kind: "response" });
  storage.damaged = undefined;
  expect(await text("a")).toBe("a");
});

describe("a database that takes nothing more", () => {
  test("[TURN4] answers reads, deletes objects, and refuses writes with a code, until there is room", async () => {
    const { made, storage, text } = await setup();
    await made.call("Note", "old", "write", { text: "old" });
    storage.full = true;
    const replies = await Promise.all([
      made.send("Note", "a", "write", { text: "a" }),
      made.send("Note", "warm", "read"),
      made.send("Note", "b", "write", { text: "b" }, { callId: "c1", timeout: 1_000 }),
    ]);
    expect(replies[0]).toMatchObject({ error: { code: "STORAGE_FULL", retryable: true } });
    expect(replies[1]).toMatchObject({ response: '"warm"' });
    expect(replies[2]).toMatchObject({ error: { retryable: true } });
    await made.lifecycle("delete", "Note", "old");
    expect(await text("old")).toBe("");
    const { commits } = (await made.partition("p0").core()).commit.stats;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await made.partition("p0").core()).commit.stats.commits - commits).toBeLessThan(20);
    storage.full = false;
    await made.call("Note", "a", "write", { text: "a" });
    expect(await text("a")).toBe("a");
  });
});

test("[TURN4] [TURN9] a commit of thousands of objects with the longest ids keeps within the platform's 2 MB a value", async () => {
  const { made } = await setup();
  const ids = Array.from({ length: 4_000 }, (_, index) => `${"é".repeat(250)}${index}`);
  await made.call("Note", "fan", "fan", { ids });
  expect(await made.call("Note", ids[3_999] as string, "read")).toBe("x");
});
