import { beforeEach, describe, expect, test } from "vitest";
import { Counter } from "../../examples/counter.ts";
import type { WireError } from "../../src/errors/edgeverse-error.ts";
import type { LifecycleMessage, Reply } from "../../src/object/message.ts";
import { Registry } from "../../src/object/registry.ts";
import { LearnedMap } from "../../src/router/map-cache.ts";
import { Router } from "../../src/router/router.ts";
import {
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
  router,
  startAgain,
  THIRD,
  to,
} from "./router-fixture.ts";

beforeEach(startAgain);

describe("routing", () => {
  test("[MAP1] a cold router sends every id to its owner by the map, asking nobody", async () => {
    for (let shard = 0; shard < 16; shard++) await router.call(message({ id: `shard#${shard}/x` }));
    expect(to()).toEqual(Array.from({ length: 16 }, (_, shard) => MAP.owner(shard)));
    expect(partitions.clock.pauses).toEqual([]);
  });

  test("[ID4] objects fixed to a partition go there", async () => {
    for (const name of MAP.partitions) expect(router.owner({ type: "T", id: `partition#${name}/a` })).toBe(name);
    expect(codeOf(await router.call(message({ id: "partition#p9/a" })))).toBe("INVALID_ID");
  });

  test.each(["", "a/b", "a\u0000", "shard#16/a", "shard#x/a"])(
    "[ID1] a bad id is refused without asking anyone: %j",
    async (id) => {
      expect(codeOf(await router.call(message({ id })))).toBe("INVALID_ID");
      expect(codeOf(await router.lifecycle({ ...message({ id }), action: "create" } as LifecycleMessage))).toBe(
        "INVALID_ID",
      );
      await expect(router.ask({ type: "Counter", id }, message().deadline, async () => 1)).rejects.toMatchObject({
        code: "INVALID_ID",
      });
      expect(partitions.sent).toEqual([]);
    },
  );

  test("an answer goes back as it is, also an error that looks as if it might pass", async () => {
    const error: WireError = { code: "UNAVAILABLE", message: "commit failed", retryable: true };
    const replies: Reply[] = [
      { kind: "response", response: "1", replayed: true },
      { kind: "accepted", callId: "c" },
      { kind: "error", error },
    ];
    for (const reply of replies) {
      partitions.answer(OWNER, reply);
      expect(await router.call(message(READONLY))).toEqual(reply);
    }
    expect(partitions.sent).toHaveLength(3);
  });
});

describe("the map", () => {
  test("[MAP1] is the guess until somebody asks for a fresh one", async () => {
    expect([router.map.document.version, router.map.partitions]).toEqual([0, MAP.partitions]);
    await router.refresh();
    expect([router.map.document.version, partitions.maps]).toEqual([1, 1]);
  });
});

describe("MOVED", () => {
  test("[MAP3] is learnt: the next call goes straight to the new owner, other shards do not", async () => {
    partitions.answer(OWNER, moved(OTHER));
    await router.call(message());
    expect(router.owner({ type: "T", id: "shard#3/another" })).toBe(OTHER);
    for (let shard = 0; shard < 16; shard++) {
      if (shard !== 3) expect(router.owner({ type: "T", id: `shard#${shard}/a` })).toBe(MAP.owner(shard));
    }
    await router.call(message());
    expect(to()).toEqual([OWNER, OTHER, OTHER]);
  });

  test("[MAP3] a chain of moves is followed to its end, also for lifecycle and questions", async () => {
    for (const send of [
      () => router.call(message()),
      () => router.lifecycle({ ...message(), action: "delete" } as LifecycleMessage),
      () =>
        router.ask({ type: "Counter", id: ID }, message().deadline, (client) => client.callRecord("Counter", ID, "c")),
    ]) {
      partitions.sent.length = 0;
      partitions.answer(OWNER, moved(OTHER, { epoch: 1 }));
      partitions.answer(OTHER, moved(THIRD, { epoch: 1 }));
      await send();
      expect(to().at(-1)).toBe(THIRD);
      expect(partitions.sent.length).toBeLessThanOrEqual(3);
    }
  });

  test.each(["create", "delete"] as const)(
    "[LIFE3] a %s whose answer is lost is not sent again: others may have written since",
    async (action) => {
      partitions.answer(OWNER, Object.assign(new Error("Network connection lost."), { retryable: true }));
      const reply = await router.lifecycle({ ...message(), action } as LifecycleMessage);
      expect(codeOf(reply)).toBe("UNAVAILABLE");
      expect(reply).toMatchObject({ error: { retryable: false } });
      expect(to()).toEqual([OWNER]);
    },
  );

  test("[OWN3] a coordinator that is away keeps nobody from being called", async () => {
    const lonely = new Router({
      registry: new Registry([Counter]),
      connect: (name) => partitions.connect(name),
      cache: new LearnedMap(GENESIS, () => Promise.reject(new Error("unreachable"))),
      clock: partitions.clock,
    });
    partitions.answer(OWNER, moved(OWNER), moved(OTHER, { mapVersion: 7 }));
    expect(await lonely.call(message())).toEqual(ok(`${OTHER}:${ID}`));
  });
});

describe("asking", () => {
  test("[MAP4] any answer but a redirection is the answer", async () => {
    for (const answer of [null, 0, "", false, { exists: false }, { record: null }]) {
      expect(await router.ask({ type: "Counter", id: ID }, message().deadline, async () => answer as unknown)).toEqual(
        answer,
      );
    }
  });

  test("[MAP3] a redirection is followed, and teaches nothing: it does not say of which shard", async () => {
    const shardOf1 = MAP.owner(1) === OTHER ? THIRD : OTHER;
    const answer = await router.ask({ type: "Counter", id: ID }, message().deadline, async (client) =>
      (await client.callRecord("Counter", ID, "c")) === null && to().length === 1 ? { movedTo: shardOf1 } : "there",
    );
    expect(answer).toBe("there");
    expect(to()).toEqual([OWNER, shardOf1]);
    for (let shard = 0; shard < 16; shard++)
      expect(router.owner({ type: "T", id: `shard#${shard}/x` })).toBe(MAP.owner(shard));
  });

  test("[MAP3] a redirection to itself is waited for", async () => {
    let asked = 0;
    const answer = await router.ask({ type: "Counter", id: ID }, message().deadline, async () =>
      ++asked < 3 ? { movedTo: OWNER } : { found: asked },
    );
    expect(answer).toEqual({ found: 3 });
    expect(partitions.clock.pauses).toEqual([5, 10]);
  });
});
