import { describe, expect, test } from "vitest";
import { setup, traffic } from "./box-fixture.ts";
import { clock } from "./move-fixture.ts";

describe("a move", () => {
  test("[MIG1] [MIG3] takes an object with its rows and marks to another partition, and it goes on there", async () => {
    const { made, ownerOf, shardOf, other, move } = setup();
    expect(await made.call("Box", "a", "add")).toBe(1);
    expect(await made.call("Box", "a", "add", undefined, { callId: "once" })).toBe(2);
    await made.call("Box", "a", "keep", { key: "k", value: "v" });
    const [from, to] = [ownerOf("a"), other("a")];
    await move("a", to);
    await clock.advance(500);
    expect(ownerOf("a")).toBe(to);
    expect(await made.coordinator.moves({ limit: 10 })).toMatchObject([
      { phase: "done", from, to, shard: shardOf("a"), pausedMs: expect.any(Number), trouble: null },
    ]);
    expect(await made.call("Box", "a", "get")).toBe(2);
    expect(await made.call("Box", "a", "rows")).toEqual(["k=v"]);
    expect(await made.call("Box", "a", "add", undefined, { callId: "once" })).toBe(2);
    expect(await made.call("Box", "a", "add")).toBe(3);
    for (const table of ["objects", "rows", "calls", "changes"]) {
      expect(made.storage(from).query(`SELECT * FROM ${table}`), `${table} of the source`).toEqual([]);
    }
    const record = (await made.partition(to).core()).ownership.record(shardOf("a"));
    expect(record?.state).toEqual({ kind: "owned", epoch: 2 });
    expect(made.warnings).toEqual([]);
  });
});

describe("callers during a move", () => {
  test("[MIG1] [MIG2] no call fails and none is lost or run twice, back and forth ten times", async () => {
    const { made, other, move } = setup();
    const ids = ["a", "b", "c"];
    for (const id of ids) await made.call("Box", id, "get");
    const load = traffic(made, ids);
    for (let round = 0; round < 10; round++) {
      await clock.advance(40);
      await move("a", other("a"));
      await clock.advance(200);
    }
    const replies = await load.stop();
    expect(replies.filter(({ reply }) => (reply as { kind: string }).kind !== "response")).toEqual([]);
    for (const id of ids) {
      const seen = replies
        .filter((entry) => entry.id === id)
        .map(({ reply }) => Number((reply as { response: string }).response));
      expect([...seen].sort((a, b) => a - b)).toEqual(seen.map((_, index) => index + 1));
      expect(await made.call("Box", id, "get")).toBe(seen.length);
    }
    const moves = await made.coordinator.moves({ limit: 20 });
    expect(moves.map(({ phase }) => phase)).toEqual(Array<string>(10).fill("done"));
    expect(made.warnings).toEqual([]);
  });

  test("[MIG1] a turn that runs ends where it began; those that wait for it run at the new owner", async () => {
    const { made, ownerOf, other, move } = setup();
    await made.call("Box", "a", "get");
    const [from, to] = [ownerOf("a"), other("a")];
    const slow = made.send("Box", "a", "slow", { ms: 60 });
    const waiting = made.send("Box", "a", "add");
    await clock.advance(5);
    await move("a", to);
    await clock.advance(20);
    const late = made.send("Box", "a", "add", undefined, { callId: "c" });
    expect((await made.partition(from).core()).gate.waiting).toBeGreaterThan(0);
    await clock.advance(2_000);
    expect(await slow).toMatchObject({ response: "1" });
    expect([await waiting, await late].map((reply) => (reply as { response: string }).response).sort()).toEqual([
      "2",
      "3",
    ]);
    expect(ownerOf("a")).toBe(to);
  });

  test("[MIG1] [MIG6] a turn that does not end puts the move off; callers get in meanwhile", async () => {
    const { made, ownerOf, other, move } = setup();
    await made.call("Box", "a", "get");
    const from = ownerOf("a");
    const slow = made.send("Box", "a", "slow", { ms: 9_000 });
    await clock.advance(5);
    await move("a", other("a"));
    await clock.advance(5_000);
    const [held] = await made.coordinator.moves({ limit: 1 });
    expect(held).toMatchObject({ phase: "copying" });
    expect(held?.trouble).toContain("did not end");
    expect(ownerOf("a")).toBe(from);
    await clock.advance(10_000);
    expect(await slow).toMatchObject({ response: "1" });
    expect((await made.coordinator.moves({ limit: 1 }))[0]).toMatchObject({ phase: "done" });
  });

  test("[MIG1] [MEM1] a drain moves a shard on which long turns of many objects overlap, and fails none of them", async () => {
    const { made, ownerOf, other } = setup(2, { shards: 1 });
    await made.call("Box", "a", "get");
    const [from, to] = [ownerOf("a"), other("a")];
    const kinds: string[] = [];
    let over = false;
    const busy = async (id: string) => {
      for (let n = 0; !over; n++) {
        const options = { timeout: 60_000, ...(n % 2 === 0 ? {} : { callId: `c${n}` }) };
        kinds.push((await made.send("Box", id, "slow", { ms: 5_000 }, options)).kind);
      }
    };
    const callers: Promise<void>[] = [];
    for (const id of ["b", "c", "d", "e", "f", "g"]) {
      callers.push(busy(id));
      await clock.advance(800);
    }
    await made.command({ kind: "drain", name: from });
    await clock.advance(50_000);
    expect(ownerOf("a")).toBe(to);
    over = true;
    await clock.advance(30_000);
    await Promise.all(callers);
    expect(kinds.length).toBeGreaterThan(60);
    expect(new Set(kinds)).toEqual(new Set(["response"]));
    expect((await made.coordinator.view()).members.find(({ name }) => name === from)).toMatchObject({ drained: true });
  });

  test("[MIG6] a move that has to be waits for a turn longer than the stall limit, and its source is not taken for silent", async () => {
    const { made, ownerOf, other, move } = setup(2, { callTimeout: "2m", moveStall: "20s" });
    await made.call("Box", "a", "get");
    const to = other("a");
    const slow = made.send("Box", "a", "slow", { ms: 100_000 }, { timeout: 300_000 });
    await clock.advance(5);
    await move("a", to);
    for (let second = 0; second < 99; second++) {
      await clock.advance(1_000);
      const [present] = await made.coordinator.moves({ limit: 1 });
      expect(present).toMatchObject({ phase: "copying" });
      expect(present?.trouble ?? "").not.toContain("did not answer");
    }
    await clock.advance(10_000);
    expect(await slow).toMatchObject({ response: "1" });
    expect(await made.coordinator.moves({ limit: 5 })).toMatchObject([{ phase: "done" }]);
    expect(ownerOf("a")).toBe(to);
  });

  test("[MIG1] [MIG7] a move for evenness gives up when turns do not end soon, and lets the shard be for a minute", async () => {
    const { made, shardOf, ownerOf, other } = setup();
    await made.call("Box", "a", "get");
    const [from, to] = [ownerOf("a"), other("a")];
    const slow = made.send("Box", "a", "slow", { ms: 25_000 });
    await clock.advance(5);
    const { outgoing } = (await made.partition(from).core()).moves;
    const order = { id: 1, shard: shardOf("a"), shards: 8, from, to, mapVersion: 1, must: false };
    const reports = [];
    for (let tries = 0; tries < 5; tries++) {
      const report = outgoing.advance(order);
      await clock.advance(2_100);
      reports.push(await report);
    }
    expect(reports.map(({ kind }) => kind)).toEqual(["waiting", "waiting", "waiting", "waiting", "refused"]);
    expect(reports.at(-1)).toMatchObject({
      delay: 60_000,
      reason: expect.stringContaining("did not end within 2000 ms"),
    });
    // Callers got in after each try.
    const next = made.send("Box", "a", "add");
    expect(await outgoing.undo(order)).toMatchObject({ kind: "undone" });
    await clock.advance(20_000);
    expect([await slow, await next]).toMatchObject([{ response: "1" }, { response: "2" }]);
  });

  test("[MIG1] [TURN7] a turn of the shard that calls another object of it is let through", async () => {
    const { made, ownerOf, other, shardOf } = setup(2, { shards: 1 });
    await made.call("Box", "a", "get");
    const slow = made.send("Box", "a", "relay", { to: "b", ms: 30 });
    await clock.advance(5);
    await made.command({ kind: "move-shard", shard: shardOf("a"), to: other("a") });
    const to = other("a");
    await clock.advance(3_000);
    expect(await slow).toMatchObject({ response: "1" });
    expect(ownerOf("a")).toBe(to);
    expect(await made.call("Box", "b", "get")).toBe(1);
  });
});
