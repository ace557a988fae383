import { describe, expect, test } from "vitest";
import type { MoveInquiry, MoveOrder } from "../../src/placement/move.ts";
import { Box, clock, idOn, setup } from "./move-fixture.ts";

/** A commit of the partition fails, so its core is replaced. */
async function startOver(made: ReturnType<typeof setup>["made"], partition: string) {
  made.storage(partition).loseNext = new Error("disk I/O error");
  const reply = await clock.until(
    made.partition(partition).call(made.message("Box", `partition#${partition}/x`, "add")),
  );
  expect(reply).toMatchObject({ kind: "error", error: { code: "UNAVAILABLE" } });
}

describe("callers at the gate of a core that is replaced", () => {
  test("[MIG1] [TURN4] are sent again when their shard is being handed off", async () => {
    const { made, map } = setup([Box], 8);
    await made.call("Box", "seed", "add");
    const shard = Array.from({ length: 8 }, (_, index) => index).find((index) => map().owner(index) === "p0") as number;
    const [slow, other] = [idOn(shard, 8, "a"), idOn(shard, 8, "b")];
    const running = made.send("Box", slow, "slow", { ms: 20_000 });
    await clock.advance(5);
    await made.command({ kind: "move-shard", shard, to: "p1" });
    const { gate, ownership } = await made.partition("p0").core();
    while (!ownership.gated(shard)) await clock.advance(10);
    const since = clock.now();
    const waiting = [
      made.send("Box", other, "add"),
      made.send("Box", other, "add", undefined, { callId: "k" }),
      made.router.lifecycle({
        action: "create",
        type: "Box",
        id: idOn(shard, 8, "c"),
        deadline: since + 30_000,
        requestId: "r",
        caller: { kind: "worker" },
      }),
    ];
    await clock.advance(1);
    expect(gate.waiting).toBe(3);
    await startOver(made, "p0");
    const replies = await clock.until(Promise.all(waiting));
    expect(replies.map(({ kind }) => kind)).toEqual(["response", "response", "response"]);
    expect(clock.now() - since).toBeLessThan(5_000);
    expect(gate.waiting).toBe(0);
    expect(await running).toMatchObject({ error: { code: "UNAVAILABLE" } });
    await clock.advance(60_000);
    expect(await made.coordinator.moves({ limit: 5 })).toMatchObject([{ phase: "done" }]);
  });

  test("[MIG1] [MIG4] are sent again when the shard stands ready there", async () => {
    const { made, source, target, to } = await readyTarget();
    const { gate } = target;
    const waiting = made.partition(to).call(made.message("Box", "a", "add"));
    expect(gate.waiting).toBe(1);
    source.inquire = async () => ({ kind: "committed" });
    await startOver(made, to);
    expect(gate.waiting).toBe(0);
    expect(await clock.until(waiting)).toMatchObject({ response: "2" });
  });
});

test("[MIG1] callers at a ready target go to the source when it serves on and sends more", async () => {
  const { made, source, target, order, to } = await readyTarget({ committed: false });
  let answer: (inquiry: MoveInquiry) => void = () => undefined;
  source.inquire = () => new Promise((resolve) => (answer = resolve));
  const waiting = made.partition(to).call(made.message("Box", "a", "add"));
  expect(target.gate.waiting).toBe(1);
  // More rows than callers would be stopped for: the first message of them does not end the copy.
  for (let index = 0; index < 300; index++) await made.call("Box", `n${index}`, "add");
  const { incoming } = target.moves;
  const transfer = incoming.transfer.bind(incoming);
  incoming.transfer = async (chunk) => {
    const reply = await transfer(chunk);
    if (target.ownership.record(0)?.state.kind !== "incoming") return reply;
    return new Promise(() => undefined);
  };
  void source.advance(order);
  await clock.advance(50);
  expect(target.ownership.record(0)?.state.kind).toBe("incoming");
  answer({ kind: "serving" });
  await clock.advance(50);
  expect(target.gate.waiting).toBe(0);
  expect(await waiting).toMatchObject({ kind: "moved", partition: order.from });
});

/** A move whose target stands ready and hears no more of the source, which has committed or serves on. */
async function readyTarget({ committed = true } = {}) {
  const { made, ownerOf, other } = setup([Box], 1);
  await made.call("Box", "a", "add");
  const [from, to] = [ownerOf("a"), other("a")];
  const order: MoveOrder = { id: 1, shard: 0, shards: 1, from, to, mapVersion: 1 };
  const { outgoing: source } = (await made.partition(from).core()).moves;
  const target = await made.partition(to).core();
  const { incoming } = target.moves;
  const transfer = incoming.transfer.bind(incoming);
  source.inquire = () => Promise.reject(new Error("lost"));
  incoming.activate = () => Promise.reject(new Error("lost"));
  incoming.transfer = async (chunk) => {
    const reply = await transfer(chunk);
    if (!committed && chunk.final !== undefined) throw new Error("lost");
    return reply;
  };
  const report = await clock.until(source.advance(order));
  incoming.transfer = transfer;
  expect(report.kind).toBe(committed ? "committed" : "waiting");
  expect(target.ownership.record(0)?.state.kind).toBe("ready");
  return { made, source, target, order, to };
}
