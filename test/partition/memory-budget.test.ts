import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { settle, systemClock } from "../../src/testing/clocks.ts";

const MiB = 1024 * 1024;
let finish: (() => void)[] = [];

class Inbox extends VirtualObject.withState(z.object({ count: z.number().default(0) })) {
  static override readonly type = "Inbox";
  static override readonly methods = {
    take: method({ request: z.object({ text: z.string() }) }),
    wait: method(),
    keep: method({ request: z.object({ text: z.string() }) }),
    collect: method({ request: z.object({ rows: z.number() }) }),
    answer: method({ readonly: true, request: z.object({ bytes: z.number() }) }),
  };
  take({ text }: { text: string }) {
    this.state.count += text.length;
  }
  async wait() {
    await new Promise<void>((resolve) => finish.push(resolve));
  }
  async keep(_: { text: string }) {
    await this.wait();
  }
  async collect({ rows }: { rows: number }) {
    for (let row = 0; row < rows; row++) this.store.put(`${row}`, "x".repeat(MiB / 2));
    await new Promise<void>((resolve) => finish.push(resolve));
  }
  answer({ bytes }: { bytes: number }) {
    return "x".repeat(bytes);
  }
}

async function setup(config = {}) {
  finish = [];
  const made = new TestCluster({
    objects: [Inbox],
    clock: systemClock,
    config: { partitionMemory: 8 * MiB, ...config },
  });
  await made.call("Inbox", "warm", "take", { text: "" });
  const core = await made.partition("p0").core();
  const release = () => {
    for (const resolve of finish.splice(0)) resolve();
  };
  return { made, core, release };
}

const overloaded = { error: { code: "OVERLOADED", retryable: true } };
const large = { text: "x".repeat(MiB / 2) };

describe("what calls hold in a partition's memory", () => {
  test("[TURN8] is bounded in bytes: requests that wait beyond it are refused at once, and the others are served", async () => {
    const { made, core, release } = await setup();
    const first = made.send("Inbox", "a", "wait");
    const calls = Array.from({ length: 20 }, () => made.send("Inbox", "a", "take", large));
    await settle();
    expect(core.memory.held).toBeGreaterThan(5 * MiB);
    expect(core.memory.held).toBeLessThan(6 * MiB);
    expect(await calls[19]).toMatchObject(overloaded);
    expect(await made.send("Inbox", "b", "take", { text: "small" })).toMatchObject({ kind: "response" });
    release();
    await first;
    const replies = await Promise.all(calls);
    expect(replies.filter(({ kind }) => kind === "response")).toHaveLength(5);
    expect(core.memory.held).toBe(0);
  });

  test("[TURN8] counts reliable calls as long as their callers wait, and what gave up no more", async () => {
    const { made, core, release } = await setup();
    void made.send("Inbox", "a", "wait");
    const waiting = Array.from({ length: 5 }, (_, index) =>
      made.send("Inbox", "a", "take", large, { callId: `c${index}`, timeout: 50 }),
    );
    expect(await made.send("Inbox", "b", "take", large, { callId: "c" })).toMatchObject(overloaded);
    for (const reply of await Promise.all(waiting))
      expect(reply).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    // The first one's turn waits for the object, with its request; the others are on the disk.
    expect(core.memory.held).toBeGreaterThan(MiB);
    expect(core.memory.held).toBeLessThan(MiB + 10_000);
    release();
    await settle();
    expect(core.memory.held).toBe(0);
  });

  test("[TURN8] counts the requests of reliable calls that run, also when nobody waits, and fails none of them", async () => {
    const { made, core, release } = await setup();
    const accepted = { answer: "accepted" } as const;
    const send = (id: string) => made.send("Inbox", id, "keep", large, { callId: id, ...accepted });
    for (const id of ["a", "b", "c", "d", "e"]) expect(await send(id)).toMatchObject({ kind: "accepted" });
    expect(core.memory.held).toBeGreaterThan(5 * MiB);
    expect(await send("f")).toMatchObject(overloaded);
    release();
    await settle();
    expect(core.memory.held).toBe(0);
    expect(core.reliable.pending).toBe(0);
  });

  test("[TURN8] counts a request once while its caller waits and its turn runs", async () => {
    const { made, core, release } = await setup();
    const call = made.send("Inbox", "a", "keep", large, { callId: "c" });
    await settle();
    expect(core.memory.held).toBeGreaterThan(MiB);
    expect(core.memory.held).toBeLessThan(1.1 * MiB);
    release();
    await call;
    expect(core.memory.held).toBe(0);
  });

  test("[TURN8] counts the rows that a running turn has written", async () => {
    const { made, core, release } = await setup({ maxValue: MiB });
    const turns = ["a", "b", "c", "d"].map((id) => made.send("Inbox", id, "collect", { rows: 5 }));
    expect(await turns[3]).toMatchObject(overloaded);
    release();
    expect(await turns[0]).toMatchObject({ kind: "response" });
    expect(core.memory.held).toBeLessThan(10_000);
  });

  test("[LIFE2] leaves less room for objects, and gives it back", async () => {
    const { made, core, release } = await setup();
    expect(core.memory.room).toBe(8 * MiB);
    const first = made.send("Inbox", "a", "wait");
    const call = made.send("Inbox", "a", "take", large);
    await settle();
    expect(core.memory.room).toBeLessThan(7.1 * MiB);
    release();
    await Promise.all([first, call]);
    expect(core.memory.room).toBe(8 * MiB);
    await made.call("Inbox", "a", "answer", { bytes: MiB / 2 });
    expect(core.memory.held).toBe(0);
  });
});
