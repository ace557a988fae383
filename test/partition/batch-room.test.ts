import { method, VirtualObject } from "edgeverse";
import { ManualClock, TestCluster } from "edgeverse/testing";
import { beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import type { CallMessage, Moved, Reply } from "../../src/object/message.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { runBatch } from "../../src/partition/run-batch.ts";

let clock: ManualClock;
let ran: string[];

/** Answers with as many characters as it is asked for, and counts how often it did. */
class Echo extends VirtualObject.withState(z.object({ times: z.number().default(0) })) {
  static override readonly type = "Echo";
  static override readonly methods = {
    say: method({ request: z.object({ length: z.number() }) }),
    later: method({ request: z.object({ length: z.number() }) }),
    refuse: method({ request: z.object({ length: z.number() }) }),
    times: method({ readonly: true }),
  };
  say({ length }: { length: number }) {
    ran.push(this.id);
    this.state.times++;
    return "x".repeat(length - 2);
  }
  async later(request: { length: number }) {
    const text = this.say(request);
    await new Promise<void>((resolve) => clock.after(5, resolve));
    return text;
  }
  refuse({ length }: { length: number }): null {
    this.fail("NO", "no", "x".repeat(length));
  }
  times() {
    return this.state.times;
  }
}

let cluster: TestCluster;
const call = (id: string, length: number, method = "say", more: object = {}) =>
  cluster.message("Echo", id, method, { length }, more);
const batch = async (room: number, calls: readonly CallMessage[]) => {
  const replies = runBatch(cluster.partition("p0"), calls, room);
  await clock.advance(60);
  return replies;
};
const outcome = (reply: Reply) => (reply.kind === "error" ? reply.error.code : reply.kind);
const times = (id: string) => cluster.call("Echo", id, "times");

beforeEach(() => {
  clock = new ManualClock();
  ran = [];
  cluster = new TestCluster({ clock, objects: [Echo] });
});

describe("responses that pass the room of a batch", () => {
  test("[HTTP7] are not made: the turn that would pass it rolls back, and none begins after it", async () => {
    const replies = await batch(1_000, [
      call("a", 400),
      call("b", 500),
      call("c", 101),
      call("d", 5),
      call("c", 5),
      call("e", 100, "times"),
    ]);
    expect(replies.map(outcome)).toEqual([
      "response",
      "response",
      "OVERLOADED",
      "OVERLOADED",
      "OVERLOADED",
      "OVERLOADED",
    ]);
    expect(ran).toEqual(["a", "b", "c"]);
    expect(await Promise.all(["a", "b", "c", "d"].map(times))).toEqual([1, 1, 0, 0]);
    expect(replies[2]).toMatchObject({ error: { retryable: true, message: expect.stringContaining("Rolled back") } });
    expect(replies[3]).toMatchObject({ error: { retryable: true, message: expect.stringContaining("Not run") } });
  });

  test("[HTTP7] calls in line for one object end in their order, also those that wait in its mailbox", async () => {
    const replies = await batch(
      1_000,
      Array.from({ length: 10 }, () => call("room", 300, "later")),
    );
    expect(replies.map(outcome)).toEqual([
      ...Array.from({ length: 3 }, () => "response"),
      ...Array.from({ length: 7 }, () => "OVERLOADED"),
    ]);
    expect(await times("room")).toBe(3);
    expect(ran).toHaveLength(4);
  });

  test("[HTTP7] turns that wait at the same time: those that end too late roll back", async () => {
    const replies = await batch(
      1_000,
      Array.from({ length: 5 }, (_, index) => call(`o${index}`, 300, "later")),
    );
    expect(replies.map(outcome)).toEqual(["response", "response", "response", "OVERLOADED", "OVERLOADED"]);
    expect(await Promise.all(["o0", "o2", "o3", "o4"].map(times))).toEqual([1, 1, 0, 0]);
  });

  test("[HTTP7] of a reliable call wait to be asked for again: it has run", async () => {
    const reliable = { callId: "k" };
    const calls = [call("a", 600), call("b", 600, "say", reliable)];
    const [, second] = await batch(1_000, calls);
    expect(second).toMatchObject({
      error: { code: "OVERLOADED", retryable: true, details: { callId: "k", status: "success" } },
    });
    expect(await times("b")).toBe(1);
    expect(await batch(1_000, calls.slice(1))).toMatchObject([{ kind: "response", replayed: true }]);
    expect(await times("b")).toBe(1);
  });

  test("[HTTP7] errors keep their code, and lose details that don't fit", async () => {
    const [first, second] = await batch(1_000, [call("a", 900, "refuse"), call("b", 900, "refuse")]);
    expect(first).toMatchObject({ error: { code: "CALL_FAILED", reason: "NO", details: "x".repeat(900) } });
    expect(second).toMatchObject({ error: { code: "CALL_FAILED", reason: "NO", message: "no" } });
    expect(JSON.stringify(second).length).toBeLessThan(300);
  });

  test("[HTTP7] one call has all of the room", async () => {
    expect((await batch(1_000, [call("a", 1_000)])).map(outcome)).toEqual(["response"]);
  });
});

test("[HTTP14] once a call of an object is to be sent on, so are the later ones, also if the shard came back", async () => {
  const moved: Moved = { kind: "moved", shard: 1, shards: 8, partition: "p1", epoch: 2, mapVersion: 1 };
  const asked: string[] = [];
  const partition = {
    call: async ({ id, requestId }: CallMessage): Promise<Reply> => {
      asked.push(requestId);
      return id === "a" && requestId === "1" ? moved : { kind: "response", response: requestId };
    },
  } as unknown as Partition;
  const call = (id: string, requestId: string, reliable = false): CallMessage => ({
    type: "Echo",
    id,
    method: "say",
    deadline: 1,
    requestId,
    caller: { kind: "worker" },
    ...(reliable ? { reliable: { callId: requestId, answer: "outcome" } } : {}),
  });
  const calls = [call("a", "0"), call("a", "1", true), call("b", "2"), call("a", "3"), call("a", "4", true)];
  const replies = await runBatch(partition, calls, 1_000);
  expect(replies.map(({ kind }) => kind)).toEqual(["response", "moved", "response", "moved", "moved"]);
  expect(asked.sort()).toEqual(["0", "1", "2"]);
});
