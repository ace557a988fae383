import { expect, test } from "vitest";
import type { CallMessage, Reply } from "../../src/object/message.ts";
import { Box, clock, idOn, setup } from "./move-fixture.ts";

/** An object on each of two partitions, and the calls that reach the second one from the first. */
async function pair() {
  const { made, map } = setup([Box], 8);
  await made.call("Box", "seed", "get");
  const on = (name: string) => idOn([...Array(8).keys()].find((shard) => map().owner(shard) === name) as number, 8);
  const [here, there] = [on("p0"), on("p1")];
  for (const id of [here, there]) await made.call("Box", id, "add");
  const seen: CallMessage[] = [];
  const target = made.partition("p1");
  const call = target.call.bind(target);
  let answer: (message: CallMessage) => Promise<Reply> = call;
  target.call = (message) => {
    seen.push(message);
    return answer(message);
  };
  const relay = (changed: Partial<CallMessage> = {}, callId?: string) =>
    clock.until(
      made.partition("p0").call({ ...made.message("Box", here, "relay", { to: there, ms: 1, callId }), ...changed }),
    );
  return { made, here, there, seen, relay, answers: (next: typeof answer) => (answer = next) };
}

test("[CALL1] [TURN7] a call to another partition carries who waits for it, and what its caller has told", async () => {
  const { here, there, seen, relay } = await pair();
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const identity = { id: "ann", roles: [] };
  const caller = { kind: "worker", identity } as const;
  expect(await relay({ requestId: "r", traceparent, caller })).toMatchObject({ response: "2" });
  expect(seen).toEqual([
    {
      type: "Box",
      id: there,
      method: "add",
      requestId: "r",
      traceparent,
      deadline: expect.any(Number),
      caller: { kind: "object", type: "Box", id: here, identity },
      chain: [{ key: `Box/${here}`, turn: expect.stringMatching(/^r\./), readonly: false }],
    },
  ]);
});

test("[CALL1] a call without a request, a trace or a call id has none", async () => {
  const { seen, relay } = await pair();
  await relay();
  const [message = {}] = seen;
  expect(["request", "traceparent", "reliable"].filter((name) => name in message)).toEqual([]);
  await relay({}, "c");
  expect(seen.at(-1)).toMatchObject({ reliable: { callId: "c" } });
});

test("[MAP3] a call to an object that is moving all the time fails, and may be tried again", async () => {
  const { made, there, relay, answers } = await pair();
  answers(async () => ({ kind: "moved", shard: 0, shards: 8, partition: "p0", epoch: 9, mapVersion: 1 }));
  expect(await relay()).toMatchObject({ kind: "error", error: { code: "UNAVAILABLE", retryable: true } });
  const { waits } = (await made.partition("p0").core()).engine;
  expect([...waits.sentTo(`Box/${there}`)]).toEqual([]);
});

test("[TURN7] an answered call is waited for no longer", async () => {
  const { made, there, relay } = await pair();
  const { waits } = (await made.partition("p0").core()).engine;
  await relay();
  expect([...waits.sentTo(`Box/${there}`)]).toEqual([]);
});
