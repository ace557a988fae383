import { beforeEach, describe, expect, test } from "vitest";
import type { LifecycleMessage } from "../../src/object/message.ts";
import {
  broken,
  codeOf,
  ID,
  message,
  OTHER,
  OWNER,
  ok,
  partitions,
  READONLY,
  RELIABLE,
  router,
  startAgain,
  to,
} from "./router-fixture.ts";

beforeEach(startAgain);

describe("a partition that can't be reached", () => {
  test("[HTTP12] a plain writing call is sent once: its outcome is unknown", async () => {
    partitions.answer(OWNER, broken({ retryable: true }), ok("too late"));
    const reply = await router.call(message());
    expect(reply).toMatchObject({ error: { code: "UNAVAILABLE", message: expect.stringContaining("unknown") } });
    expect(to()).toEqual([OWNER]);
  });

  test.each([
    ["a readonly call", READONLY],
    ["a reliable call", RELIABLE],
  ])("[MIG1] %s is sent again, after pauses that grow", async (_, kind) => {
    partitions.answer(OWNER, broken(), broken(), broken(), ok("there"));
    expect(await router.call(message(kind))).toEqual(ok("there"));
    expect(partitions.clock.pauses).toEqual([5, 10, 20]);
  });

  test("[LIFE3] asking may be repeated", async () => {
    partitions.answer(OWNER, broken(), ok("known"));
    expect(
      await router.ask({ type: "Counter", id: ID }, message().deadline, (client) =>
        client.callRecord("Counter", ID, "c"),
      ),
    ).toBeNull();
    expect(partitions.sent).toHaveLength(2);
  });

  test("[OBJ1] what nobody declared is not taken for readonly", async () => {
    for (const changes of [
      { method: "constructor" },
      { type: "Nobody", method: "get" },
      { type: "no type", method: "get" },
    ]) {
      partitions.answer(OWNER, broken(), ok("twice"));
      expect(codeOf(await router.call(message(changes)))).toBe("UNAVAILABLE");
    }
    expect(partitions.sent).toHaveLength(3);
  });

  test.each([
    ["plain", {}],
    ["readonly", READONLY],
    ["reliable", RELIABLE],
  ])("[TURN8] one that has too much to do is OVERLOADED, not UNAVAILABLE, and left alone: %s", async (_, kind) => {
    partitions.answer(OWNER, broken({ overloaded: true, retryable: true }), ok("again"));
    expect(await router.call(message(kind))).toMatchObject({
      error: { code: "OVERLOADED", retryable: true, retryAfter: 1 },
    });
    expect(to()).toEqual([OWNER]);
  });

  test.each(["text", undefined, null, 5])("whatever is thrown is a fault, not a crash: %j", async (thrown) => {
    partitions.answer(OWNER, () => {
      throw thrown;
    });
    expect(codeOf(await router.call(message()))).toBe("UNAVAILABLE");
  });

  test("[TURN5] repeating ends before the deadline, with bounded messages", async () => {
    partitions.latency = 30;
    partitions.answer(OWNER, broken());
    const { deadline } = message();
    expect(codeOf(await router.call(message({ ...READONLY, deadline })))).toBe("UNAVAILABLE");
    for (const [, , at] of partitions.sent) expect(at).toBeLessThan(deadline);
    expect(partitions.sent.length).toBeLessThan(60);
    await expect(
      router.ask({ type: "Counter", id: ID }, deadline, (client) => client.callRecord("Counter", ID, "c")),
    ).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
  });
});

describe("what the platform says of an error", () => {
  test.each([
    ["readonly", READONLY],
    ["reliable", RELIABLE],
  ])("[HTTP12] a %s call is sent three more times over an error that may come each time", async (_, kind) => {
    for (const marks of [{}, { retryable: false }, { remote: true }]) {
      partitions.sent.length = 0;
      partitions.batches.length = 0;
      partitions.answer(OWNER, broken(marks));
      expect(await router.call(message(kind))).toMatchObject({ error: { code: "UNAVAILABLE", retryable: true } });
      expect(to()).toEqual(Array(4).fill(OWNER));
      expect(await router.batch([message(kind)])).toMatchObject([{ error: { code: "UNAVAILABLE", retryable: true } }]);
      expect(partitions.batches).toHaveLength(4);
    }
  });

  test.each([{ durableObjectReset: true }, { retryable: true }])(
    "[HTTP12] a Durable Object that is gone for no fault of the message is called until it is back: %j",
    async (marks) => {
      partitions.answer(OWNER, ...Array(8).fill(broken(marks)), ok("there"));
      expect(await router.call(message(READONLY))).toEqual(ok("there"));
    },
  );

  test("[HTTP12] a partition that ended over a plain call may have run it", async () => {
    const ended = broken({ overloaded: true, durableObjectReset: true });
    partitions.answer(OWNER, ended);
    expect(await router.call(message())).toMatchObject({ error: { code: "UNAVAILABLE", retryable: false } });
    expect(await router.call(message(RELIABLE))).toMatchObject({
      error: { code: "UNAVAILABLE", retryable: true, retryAfter: 1 },
    });
    partitions.brokenBatches.set(OWNER, ended);
    const replies = await router.batch([message(), message(RELIABLE)]);
    expect(replies).toMatchObject([{ error: { retryable: false } }, { error: { retryable: true } }]);
    expect(partitions.sent).toHaveLength(2);
  });
});

describe("a partition that never answers", () => {
  const silent = () => new Promise<never>(() => {});

  test.each([
    ["plain", {}, false],
    ["readonly", READONLY, true],
    ["reliable", RELIABLE, true],
  ])("[HTTP12] is waited for until soon after the deadline: %s", async (_, kind, retryable) => {
    partitions.answer(OWNER, silent);
    const { deadline } = message();
    expect(await router.call(message({ ...kind, deadline }))).toMatchObject({
      error: { code: "UNAVAILABLE", retryable },
    });
    expect(partitions.clock.time).toBe(deadline + 2_000);
    expect(to()).toEqual([OWNER]);
  });

  test("[HTTP12] also by creates and deletes, and by questions, which have no call that could answer late", async () => {
    partitions.answer(OWNER, silent);
    const { deadline } = message();
    const lifecycle = { ...message({ deadline }), action: "delete" } as LifecycleMessage;
    expect(await router.lifecycle(lifecycle)).toMatchObject({ error: { code: "UNAVAILABLE", retryable: false } });
    expect(partitions.clock.time).toBe(deadline + 2_000);
    const later = message().deadline;
    await expect(
      router.ask({ type: "Counter", id: ID }, later, (client) => client.callRecord("Counter", ID, "c")),
    ).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    expect(partitions.clock.time).toBe(later);
  });

  test("[HTTP12] holds up only its own part of a batch, until the latest deadline there", async () => {
    partitions.answer(OWNER, silent);
    const { deadline } = message();
    const replies = await router.batch([
      message({ deadline: deadline - 5_000 }),
      message({ id: "shard#3/r", ...READONLY }),
      message({ id: `partition#${OTHER}/x` }),
    ]);
    expect(replies.map(codeOf)).toEqual(["UNAVAILABLE", "UNAVAILABLE", "response"]);
    expect(replies[0]).toMatchObject({ error: { retryable: false } });
    expect(replies[1]).toMatchObject({ error: { retryable: true } });
    expect(partitions.clock.time).toBe(deadline + 2_000);
  });

  test("[HTTP12] leaves no timer behind where the answer comes", async () => {
    await router.call(message());
    await router.batch([message()]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(partitions.clock.pauses).toEqual([]);
  });
});
