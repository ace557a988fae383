import { abortAllDurableObjects, evictAllDurableObjects } from "cloudflare:test";
import { expect, test } from "vitest";
import { Client } from "./client.ts";

/** A client that takes part, at a gate. */
async function member(gate: string, topic: string, token = "") {
  const client = await Client.open({ client: `${gate}.${"0".repeat(32)}`, token });
  client.say([{ kind: "hello" }, { kind: "subscribe", topic, presence: true }]);
  const { client: id, session } = await client.next("welcome");
  expect(String(id).split(".")[0]).toBe(gate);
  return { client, id, session };
}

test("[PUSH13] clients of two gates see each other come and go, also after gates have slept", async () => {
  const topic = "square/present";
  const ann = await member("g0", topic, "user-ann");
  expect(await ann.client.next("presence")).toMatchObject({ count: 1, here: [{ client: ann.id, id: "ann" }] });
  const bo = await member("g1", topic);
  expect(await bo.client.next("presence")).toMatchObject({ count: 2 });
  expect(await ann.client.next("presence")).toMatchObject({ count: 2, joined: [{ client: bo.id, id: null }] });
  await evictAllDurableObjects();
  const cy = await member("g1", topic);
  const here = [ann, bo, cy].map(({ id }) => ({ client: id }));
  for (const { client } of [ann, bo, cy]) expect(await client.next("presence")).toMatchObject({ count: 3, here });
  bo.client.say({ kind: "leave" });
  for (const { client } of [ann, cy])
    expect(await client.next("presence")).toMatchObject({ count: 2, left: [{ client: bo.id }] });
});

test("[PUSH13] whoever comes back to a gate that was killed was never gone", async () => {
  const topic = "square/killed-present";
  const [ann, bo] = [await member("g0", topic), await member("g1", topic)];
  await bo.client.next("presence");
  await abortAllDurableObjects();
  for (const { client } of [ann, bo]) client.socket.close(1000);
  for (const { id, session } of [ann, bo]) {
    const back = await Client.open({ client: String(id) });
    back.say([
      { kind: "hello", session },
      { kind: "subscribe", topic, presence: true },
    ]);
    const here = [ann, bo].map((one) => ({ client: one.id }));
    expect(await back.next("presence")).toMatchObject({ count: 2, here });
  }
});
