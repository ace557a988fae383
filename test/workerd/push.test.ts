import { abortAllDurableObjects, env, evictAllDurableObjects, runDurableObjectAlarm, SELF } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { Client, type Frame } from "./client.ts";

async function cry(id: string, lines: string[], more: object = {}): Promise<number> {
  const body = JSON.stringify({ request: { lines, ...more } });
  return (await SELF.fetch(`http://host/api/v1/objects/call/Crier/${id}/cry`, { method: "POST", body })).status;
}

/** Changes an object that may be watched. */
async function work(): Promise<void> {
  const body = JSON.stringify({ request: { ms: 0 } });
  const { status } = await SELF.fetch("http://host/api/v1/objects/call/Slow/seen/work", { method: "POST", body });
  expect(status).toBe(200);
}

describe("clients in workerd", () => {
  test("[PUSH4] what an object publishes and pushes reaches clients, and of a turn that fails nothing", async () => {
    const client = await Client.open();
    client.say({ kind: "hello", topics: ["square/a"] });
    const welcome = await client.next("welcome");
    await client.next("subscribed");
    expect(await cry("a", ["lost"], { fail: true })).toBe(422);
    expect(await cry("a", ["one", "two"])).toBe(200);
    expect(await client.next("message")).toMatchObject({ topic: "square/a", data: "one" });
    expect(await client.next("message")).toMatchObject({ data: "two" });
    await cry("a", ["for you"], { to: welcome["client"] });
    const personal = await client.next("message");
    expect(personal).toEqual({ kind: "message", n: expect.any(Number), data: "for you" });
  });

  test("[PUSH1] [PUSH11] connections sleep with their gate and go on, and a ping is answered without waking it", async () => {
    const client = await Client.open();
    client.say({ kind: "hello", topics: ["square/sleep"] });
    await client.next("subscribed");
    await work();
    client.say({ kind: "watch", id: 1, type: "Slow", object: "seen" });
    let { version } = await client.next("state");
    await cry("sleep", ["before"]);
    const { n } = await client.next("message");
    client.say({ kind: "ack", seen: n });
    client.say("ping");
    await client.next("pong");
    for (const line of ["after one sleep", "after two"]) {
      await evictAllDurableObjects();
      await cry("sleep", [line]);
      expect(await client.next("message")).toMatchObject({ data: line });
      await work();
      // The gate does not know any more what its client has: it may send the same once more.
      let state = await client.next("state");
      if (state["version"] === version) state = await client.next("state");
      expect(Number(state["version"])).toBeGreaterThan(Number(version));
      version = state["version"];
    }
  });

  test("[PUSH1] a client comes back after its gate was killed, and misses nothing", async () => {
    const client = await Client.open();
    client.say({ kind: "hello", topics: ["square/killed"] });
    const welcome = await client.next("welcome");
    await client.next("subscribed");
    await cry("killed", ["one"]);
    const { n } = await client.next("message");
    await abortAllDurableObjects();
    client.socket.close(1000);
    await cry("killed", ["two", "three"]);
    const back = await Client.open({ client: String(welcome["client"]) });
    back.say({ kind: "hello", session: welcome["session"], seen: n });
    expect(await back.next("welcome")).toMatchObject({ resumed: true, client: welcome["client"] });
    expect(await back.next("message")).toMatchObject({ data: "two" });
    expect(await back.next("message")).toMatchObject({ data: "three" });
    await runDurableObjectAlarm(env.GATE.getByName("g0"));
    await cry("killed", ["four"]);
    expect(await back.next("message")).toMatchObject({ data: "four" });
  });

  test("[PUSH5] whom a client is comes from its credentials alone", async () => {
    const ann = await Client.open({ token: "user-ann" });
    ann.say({ kind: "hello", topics: ["mine/ann", "mine/bo"] });
    const { session } = await ann.next("welcome");
    expect(await ann.next("subscribed")).toMatchObject({ topic: "mine/ann" });
    expect(await ann.next("error")).toMatchObject({ topic: "mine/bo", error: { code: "ACCESS_DENIED" } });
    const headers = {
      upgrade: "websocket",
      "sec-websocket-protocol": "edgeverse.v1",
      "x-edgeverse-identity": JSON.stringify({ id: "ann", roles: [] }),
    };
    const answer = await SELF.fetch("http://host/api/v1/events/socket", { headers });
    const eve = new Client(answer.webSocket as WebSocket);
    eve.say({ kind: "hello", session, topics: ["mine/ann"] });
    expect(await eve.next("welcome")).toMatchObject({ resumed: false });
    expect(await eve.next("error")).toMatchObject({ topic: "mine/ann", error: { code: "ACCESS_DENIED" } });
  });

  test("[PUSH7] what is no frame ends the connection", async () => {
    const client = await Client.open();
    client.say("{");
    expect(await client.next("error")).toMatchObject({ error: { code: "INVALID_JSON" } });
    expect(await client.end()).toBe(1008);
  });

  test("[PUSH8] many calls over one connection; those of a gate that was put to sleep are not lost in silence", async () => {
    const client = await Client.open();
    client.say({ kind: "hello" });
    await client.next("welcome");
    const call = (id: number, lines: string[]) => ({
      kind: "call",
      id,
      type: "Crier",
      object: "calls",
      method: "cry",
      request: { lines },
    });
    client.say(Array.from({ length: 200 }, (_, id) => call(id, [])));
    client.say({ ...call(200, []), object: "" });
    const results = new Map<unknown, Frame>();
    for (let count = 0; count <= 200; count++) {
      const result = await client.next("result");
      results.set(result["id"], result);
    }
    for (let id = 0; id < 200; id++) expect(results.get(id)).toEqual({ kind: "result", id, response: null });
    expect(results.get(200)).toMatchObject({ error: { code: "INVALID_ID" } });
    await evictAllDurableObjects();
    client.say(call(201, []));
    expect(await client.next("result")).toMatchObject({ id: 201 });
  });

  test("[PUSH2] many clients in one room", async () => {
    const clients = await Promise.all(Array.from({ length: 200 }, () => Client.open()));
    for (const client of clients) client.say({ kind: "hello", topics: ["square/full"] });
    await Promise.all(clients.map((client) => client.next("subscribed")));
    await cry("full", ["one", "two", "three"]);
    for (const client of clients)
      for (const data of ["one", "two", "three"]) expect(await client.next("message")).toMatchObject({ data });
  });
});
