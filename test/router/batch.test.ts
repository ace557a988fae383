import { beforeEach, describe, expect, test } from "vitest";
import {
  broken,
  codeOf,
  GENESIS,
  ID,
  MAP,
  message,
  moved,
  OTHER,
  OWNER,
  ok,
  partitions,
  READONLY,
  RELIABLE,
  router,
  startAgain,
  THIRD,
  to,
} from "./router-fixture.ts";

beforeEach(startAgain);

describe("batches", () => {
  const ids = Array.from({ length: 48 }, (_, index) => `shard#${(index * 7) % 16}/o${index}`);

  test("replies come in the order of the calls, one message a partition", async () => {
    const replies = await router.batch(ids.map((id) => message({ id })));
    expect(replies).toEqual(ids.map((id) => ok(`${router.owner({ type: "T", id })}:${id}`)));
    expect(partitions.batches.map(([partition]) => partition).sort()).toEqual(["p0", "p1", "p2"]);
    for (const [partition, sent] of partitions.batches) {
      expect(sent).toEqual(ids.filter((id) => router.owner({ type: "T", id }) === partition));
    }
  });

  test("an empty batch asks nobody", async () => {
    expect(await router.batch([])).toEqual([]);
    expect(partitions.batches).toEqual([]);
  });

  test("[ID1] bad ids fail alone, in their places", async () => {
    const replies = await router.batch(["shard#1/a", "a/b", "shard#2/b", ""].map((id) => message({ id })));
    expect(replies.map(codeOf)).toEqual(["response", "INVALID_ID", "response", "INVALID_ID"]);
  });

  test("a call without a request is sent like any other", async () => {
    const { request: _, ...bare } = message(READONLY);
    expect(await router.batch([bare])).toEqual([ok(`${OWNER}:${ID}`)]);
  });

  test("[MAP3] calls of a moved shard are sent on, the others stay as they were answered", async () => {
    partitions.answer(OWNER, (id) => (id === ID ? moved(OTHER) : ok("stays")));
    const first = message();
    const second = message({ id: "shard#3/b" });
    expect(await router.batch([first, second])).toEqual([ok(`${OTHER}:${ID}`), ok("stays")]);
  });

  test("[HTTP12] a lost batch: readonly and reliable calls are sent again, plain ones are not", async () => {
    partitions.brokenBatches.set(OWNER, broken({ retryable: true }));
    const replies = await router.batch([
      message(),
      message({ id: "shard#3/r", ...READONLY }),
      message({ id: "shard#3/s", ...RELIABLE }),
      message({ id: `partition#${OTHER}/x` }),
    ]);
    expect(replies.map(codeOf)).toEqual(["UNAVAILABLE", "response", "response", "response"]);
    expect(partitions.sent.map(([, id]) => id)).not.toContain(ID);
  });

  test("[TURN8] an overloaded partition fails its part at once, and only that: nothing ran there", async () => {
    partitions.brokenBatches.set(OWNER, broken({ overloaded: true }));
    const elsewhere = message({ id: `partition#${OTHER}/x` });
    const replies = await router.batch([message(READONLY), elsewhere, message(RELIABLE), message()]);
    expect(replies.map(codeOf)).toEqual(["OVERLOADED", "response", "OVERLOADED", "OVERLOADED"]);
    for (const index of [0, 2, 3]) expect(replies[index]).toMatchObject({ error: { retryable: true } });
    expect(to()).toEqual([OTHER]);
  });

  test("[MIG1] what a lost message carried waits, though other calls know where to go", async () => {
    partitions.answer(OWNER, moved(OTHER));
    partitions.brokenBatches.set(THIRD, broken());
    const replies = await router.batch([message(), message({ id: `partition#${THIRD}/x`, ...READONLY })]);
    expect(replies.map(codeOf)).toEqual(["response", "response"]);
    expect(partitions.clock.pauses).toEqual([5]);
  });
});

describe("what a batch may cost", () => {
  const long = "x".repeat(1_000_000);

  test("[HTTP7] requests go in messages that fit, one after the other", async () => {
    const request = JSON.stringify({ text: long });
    const calls = Array.from({ length: 40 }, (_, index) => message({ id: `shard#3/o${index % 5}`, request }));
    const replies = await router.batch(calls);
    expect(replies.map(codeOf)).toEqual(calls.map(() => "response"));
    expect(partitions.batches.length).toBe(4);
    expect(partitions.batches.flatMap(([, sent]) => sent)).toEqual(calls.map(({ id }) => id));
    expect(partitions.batchesAtOnce).toBe(1);
    expect(partitions.clock.pauses).toEqual([]);
  });

  test("[HTTP7] a message is full at 12 Mi characters of requests", async () => {
    const sizes = [6, 6, 1, 11].map((mi) => "x".repeat(mi * 1024 * 1024));
    await router.batch(sizes.map((request, index) => message({ id: `shard#3/o${index}`, request })));
    expect(partitions.batches.map(([, sent]) => sent)).toEqual([
      ["shard#3/o0", "shard#3/o1"],
      ["shard#3/o2", "shard#3/o3"],
    ]);
  });

  test("[HTTP14] a call in a later message does not overtake one of its object that is sent on", async () => {
    const request = JSON.stringify({ text: long });
    let asked = 0;
    partitions.answer(OWNER, (id) => (id === ID && asked++ === 0 ? moved(OTHER) : ok("here")));
    partitions.answer(OTHER, () => ok("there"));
    const calls = Array.from({ length: 30 }, (_, index) =>
      message({ id: index % 29 === 0 ? ID : `shard#3/o${index}`, request }),
    );
    const replies = await router.batch(calls);
    expect(replies.map((reply) => reply.kind === "response" && reply.response)).toEqual(
      calls.map(({ id }) => (id === ID ? "there" : "here")),
    );
  });

  test("[HTTP14] calls behind one that is sent on take no message", async () => {
    const request = JSON.stringify({ text: long });
    partitions.answer(OWNER, moved(OTHER));
    const calls = Array.from({ length: 30 }, () => message({ request }));
    expect((await router.batch(calls)).map(codeOf)).toEqual(calls.map(() => "response"));
    expect(partitions.batches.map(([partition, sent]) => [partition, sent.length])).toEqual([
      [OWNER, 12],
      [OTHER, 12],
      [OTHER, 12],
      [OTHER, 6],
    ]);
  });

  test("[TURN5] calls that no message had room for in time say so; those that were sent say what came of it", async () => {
    const request = JSON.stringify({ text: long });
    partitions.answer(OWNER, broken());
    const calls = Array.from({ length: 13 }, () => message({ request, ...READONLY }));
    const replies = await router.batch(calls);
    expect(replies.map(codeOf)).toEqual(calls.map(() => "UNAVAILABLE"));
    for (const [index, reply] of replies.entries())
      expect(reply).toMatchObject({
        error: { message: expect.stringContaining(index < 12 ? "did not" : "not called") },
      });
  });

  test("[HTTP7] responses have room for 12 Mi characters together, and every message for any one response", async () => {
    const ids = Array.from({ length: 90 }, (_, index) => `shard#${index % 16}/o${index}`);
    await router.batch(ids.map((id) => message({ id })));
    const rooms = partitions.rooms.map(([, room]) => room);
    expect(rooms.length).toBe(3);
    for (const room of rooms) expect(room).toBeGreaterThanOrEqual(1_800_000);
    expect(rooms.reduce((sum, room) => sum + room, 0)).toBeLessThanOrEqual(12 * 1024 * 1024);
  });

  test("[HTTP7] partitions with as many calls get as much of it, whichever is asked first", async () => {
    const ids = MAP.partitions.flatMap((name) => Array.from({ length: 9 }, (_, index) => `partition#${name}/${index}`));
    await router.batch(ids.map((id) => message({ id })));
    const third = (12 * 1024 * 1024) / 3;
    for (const [, room] of partitions.rooms) expect(Math.abs(room - third)).toBeLessThan(3);
  });

  test("[HTTP7] what one message has not used is there for the next; calls without room are not sent", async () => {
    const request = JSON.stringify({ text: long });
    const call = (index: number) => message({ id: `shard#3/o${index}`, request });
    const calls = Array.from({ length: 40 }, (_, index) => call(index));
    await router.batch(calls);
    const rooms = partitions.rooms.map(([, room]) => room);
    expect(Math.min(...rooms)).toBeGreaterThan(12_000_000);
    expect(Math.max(...rooms)).toBeLessThanOrEqual(12 * 1024 * 1024);
    partitions.sent.length = 0;
    partitions.answer(OWNER, ok(long));
    const replies = await router.batch(calls);
    expect(replies.map(codeOf)).toEqual(calls.map((_, index) => (index < 12 ? "response" : "OVERLOADED")));
    expect(partitions.sent).toHaveLength(12);
    expect(replies[30]).toMatchObject({ error: { retryable: true, message: expect.stringContaining("Not run") } });
  });

  test("[HTTP7] the last room is used if any response fits", async () => {
    const request = JSON.stringify({ text: long });
    partitions.answer(OWNER, ok("x".repeat(12 * 1024 * 1024 - 1_800_000)), ok(""));
    const calls = Array.from({ length: 13 }, (_, index) => message({ id: `shard#3/o${index}`, request }));
    expect((await router.batch(calls)).map(codeOf)).toEqual(calls.map(() => "response"));
    expect(partitions.rooms.map(([, room]) => room)).toEqual([12 * 1024 * 1024, 1_800_000]);
  });

  test("[HTTP7] a partition with most of the calls leaves room for the others, and no more than they need", async () => {
    for (const others of [5, 9]) {
      const names = Array.from({ length: others + 1 }, (_, index) => `q${index}`);
      startAgain(names);
      const many = Array.from({ length: 900 }, (_, index) => message({ id: `partition#q0/${index}` }));
      const replies = await router.batch([
        ...many,
        ...names.slice(1).map((name) => message({ id: `partition#${name}/x` })),
      ]);
      expect(new Set(replies.map(codeOf))).toEqual(new Set(["response"]));
      const [first] = partitions.rooms;
      expect(first?.[0]).toBe("q0");
      expect(first?.[1]).toBeGreaterThan(3_500_000);
    }
  });

  test("[HTTP7] at most six messages are under way, and 900 are sent", async () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `q${index}`);
    startAgain(names);
    const replies = await router.batch(names.map((name) => message({ id: `partition#${name}/x` })));
    expect(partitions.batchesAtOnce).toBe(6);
    expect(replies.map(codeOf)).toEqual(names.map((_, index) => (index < 900 ? "response" : "OVERLOADED")));
  });

  test("[HTTP7] waiting for objects that move takes few messages, however many calls wait", async () => {
    partitions.most = 100_000;
    partitions.answer(OWNER, moved(OWNER));
    const { deadline } = message({ deadline: partitions.clock.time + 600_000 });
    const replies = await router.batch(
      Array.from({ length: 500 }, (_, index) => message({ id: `shard#3/o${index}`, deadline })),
    );
    expect(new Set(replies.map(codeOf))).toEqual(new Set(["UNAVAILABLE"]));
    expect(partitions.clock.time).toBeLessThan(deadline);
    expect(partitions.batches.length).toBeLessThan(80);
  });

  test("[MAP3] ids that the guessed map calls impossible cost one look at the map", async () => {
    const replies = await router.batch(
      Array.from({ length: 50 }, (_, index) => message({ id: `partition#no/${index}` })),
    );
    expect(new Set(replies.map(codeOf))).toEqual(new Set(["INVALID_ID"]));
    expect(partitions.maps).toBe(1);
  });

  test("[MAP3] also where the coordinator is away", async () => {
    partitions.document = undefined;
    const replies = await router.batch(
      Array.from({ length: 50 }, (_, index) => message({ id: `partition#no/${index}` })),
    );
    expect(new Set(replies.map(codeOf))).toEqual(new Set(["INVALID_ID"]));
    expect(partitions.maps).toBe(1);
  });

  test("[MAP3] a partition that is new to the guess is found behind calls that need no look", async () => {
    const members = [...GENESIS.members, { name: "p9", weight: 1 }];
    partitions.document = { version: 2, genesis: GENESIS, members, exceptions: [] };
    const ids = [ID, "partition#p9/a", "partition#p9/b"];
    expect((await router.batch(ids.map((id) => message({ id })))).map(codeOf)).toEqual(ids.map(() => "response"));
    expect(partitions.maps).toBe(1);
  });
});
