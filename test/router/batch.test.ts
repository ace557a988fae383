import { beforeEach, describe, expect, test } from "vitest";
import {
  broken,
  codeOf,
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
  to,
} from "./router-fixture.ts";

beforeEach(startAgain);

describe("batches", () => {
  const ids = Array.from({ length: 48 }, (_, index) => `shard#${(index * 7) % 16}/o${index}`);

  test("replies come in the order of the calls, one message a partition", async () => {
    const replies = await router.batch(ids.map((id) => message({ id })));
    expect(replies).toEqual(ids.map((id) => ok(`${router.owner(id)}:${id}`)));
    expect(partitions.batches.map(([partition]) => partition).sort()).toEqual(["p0", "p1", "p2"]);
    for (const [partition, sent] of partitions.batches) {
      expect(sent).toEqual(ids.filter((id) => router.owner(id) === partition));
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

  test("[TURN8] an overloaded partition fails its part at once, and only that", async () => {
    partitions.brokenBatches.set(OWNER, broken({ overloaded: true }));
    const replies = await router.batch([message(READONLY), message({ id: `partition#${OTHER}/x` }), message(RELIABLE)]);
    expect(replies.map(codeOf)).toEqual(["OVERLOADED", "response", "OVERLOADED"]);
    expect(to()).toEqual([OTHER]);
  });
});

describe("what a batch may cost", () => {
  const long = "x".repeat(1_000_000);

  test("[HTTP7] requests go in messages that fit, one after the other", async () => {
    const request = JSON.stringify({ text: long });
    const calls = Array.from({ length: 40 }, (_, index) => message({ id: `shard#3/o${index}`, request }));
    const replies = await router.batch(calls);
    expect(replies.map(codeOf)).toEqual(calls.map(() => "response"));
    expect(partitions.batches.length).toBe(4);
    expect(partitions.batches.flatMap(([, sent]) => sent)).toEqual(calls.map(({ id }) => id));
    expect(partitions.batchesAtOnce).toBe(1);
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
    expect(partitions.rooms.at(-1)?.[1]).toBeGreaterThan(12_000_000);
    partitions.sent.length = 0;
    partitions.answer(OWNER, ok(long));
    const replies = await router.batch(calls);
    expect(replies.map(codeOf)).toEqual(calls.map((_, index) => (index < 12 ? "response" : "OVERLOADED")));
    expect(partitions.sent).toHaveLength(12);
    expect(replies[30]).toMatchObject({ error: { retryable: true, message: expect.stringContaining("Not run") } });
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
});
