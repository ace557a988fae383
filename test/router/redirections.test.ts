import { beforeEach, describe, expect, test } from "vitest";
import type { CallMessage, FinalReply } from "../../src/object/message.ts";
import {
  broken,
  codeOf,
  ID,
  message,
  moved,
  OTHER,
  OWNER,
  ok,
  partitions,
  READONLY,
  router,
  startAgain,
  to,
} from "./router-fixture.ts";

beforeEach(startAgain);

describe.each<[string, (message: CallMessage) => Promise<FinalReply>]>([
  ["a call", (message) => router.call(message)],
  ["a batch", async (message) => (await router.batch([message]))[0] as FinalReply],
])("MOVED, in answer to %s", (_, send) => {
  test("[MAP3] is followed at once, and the caller does not see it", async () => {
    partitions.answer(OWNER, moved(OTHER));
    expect(await send(message())).toEqual(ok(`${OTHER}:${ID}`));
    expect(to()).toEqual([OWNER, OTHER]);
    expect(partitions.clock.pauses).toEqual([]);
  });

  test.each([
    [4, []],
    [5, [5]],
  ])("[MAP3] is followed four times at once, later after a pause: %i times", async (times, pauses) => {
    const there = times % 2 === 0 ? OWNER : OTHER;
    let left = times;
    for (const [from, other] of [
      [OWNER, OTHER],
      [OTHER, OWNER],
    ] as const)
      partitions.answer(from, () => (left-- > 0 ? moved(other) : ok(from)));
    expect(await send(message())).toEqual(ok(there));
    expect(to()).toHaveLength(times + 1);
    expect(partitions.clock.pauses).toEqual(pauses);
  });

  test("[MIG1] an object between two partitions is waited for, and then called once", async () => {
    partitions.answer(OWNER, moved(OWNER), moved(OWNER), moved(OWNER), ok("there"));
    expect(await send(message())).toEqual(ok("there"));
    expect(to()).toEqual(Array(4).fill(OWNER));
    expect(partitions.clock.pauses).toEqual([5, 10, 20]);
  });

  test.each([
    [5, []],
    [6, [5]],
  ])("[TURN5] a pause that ends at the deadline is not begun: %i ms", async (left, pauses) => {
    partitions.answer(OWNER, moved(OWNER));
    expect(await send(message({ deadline: partitions.clock.time + left }))).toMatchObject({
      error: { code: "UNAVAILABLE", message: expect.stringContaining("not called") },
    });
    expect(partitions.clock.pauses).toEqual(pauses);
  });

  test("[TURN5] a partition that never knows better is asked until the deadline, no longer", async () => {
    partitions.answer(OWNER, moved(OWNER));
    const { deadline } = message();
    expect(codeOf(await send(message({ deadline })))).toBe("UNAVAILABLE");
    expect(partitions.clock.time).toBeLessThanOrEqual(deadline);
    for (const [, , at] of partitions.sent) expect(at).toBeLessThan(deadline);
    expect(partitions.sent.length).toBeLessThan(40);
  });

  test("[TURN5] two partitions that each say the other has it are not asked past the deadline, nor without pause", async () => {
    partitions.latency = 1;
    partitions.answer(OWNER, moved(OTHER));
    partitions.answer(OTHER, moved(OWNER));
    const { deadline } = message();
    expect(codeOf(await send(message({ deadline })))).toBe("UNAVAILABLE");
    for (const [, , at] of partitions.sent) expect(at).toBeLessThan(deadline);
    expect(partitions.sent.length).toBeLessThan(200);
  });

  test("[MAP3] where it leads to a partition that does not answer, the map decides where to try again", async () => {
    // A partition that counts shards otherwise teaches the map nothing.
    partitions.answer(OWNER, moved(OTHER, { shards: 32 }), ok("back"));
    partitions.answer(OTHER, broken());
    expect(await send(message(READONLY))).toEqual(ok("back"));
    expect(to()).toEqual([OWNER, OTHER, OWNER]);
    partitions.sent.length = 0;
    partitions.answer(OWNER, moved(OTHER), ok("back"));
    partitions.answer(OTHER, broken(), moved(OWNER, { epoch: 3 }));
    expect(await send(message(READONLY))).toEqual(ok("back"));
    expect(to()).toEqual([OWNER, OTHER, OTHER, OWNER]);
  });

  test("[MAP3] where it leads to a partition that knows no better, the map decides, after a pause", async () => {
    partitions.answer(OWNER, moved(OTHER, { shards: 32 }), ok("back"));
    partitions.answer(OTHER, moved(OTHER, { shards: 32 }));
    expect(await send(message())).toEqual(ok("back"));
    expect(partitions.clock.pauses).toEqual([5]);
  });
});
