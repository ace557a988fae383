import { describe, expect, test } from "vitest";
import { CLOSE, data, GateFixture } from "./gate-fixture.ts";

describe("a session", () => {
  test("[PUSH1] hello is answered with who the client is, and its topics count from then on", async () => {
    const fixture = new GateFixture();
    await fixture.publish("room/1", "before");
    const { client, welcome, more } = await fixture.connect({ topics: ["room/1"] });
    expect(welcome).toEqual({
      kind: "welcome",
      client: expect.stringMatching(/^g0\.[0-9a-f]{32}$/),
      session: expect.stringMatching(/^g0\.[0-9a-f]{32}\.[0-9a-f]{64}$/),
      resumed: false,
      seen: 1,
      topics: [],
      ping: 30_000,
      resumeWithin: 120_000,
    });
    expect(more).toEqual([{ kind: "subscribed", topic: "room/1" }]);
    await fixture.publish("room/1", "after");
    await fixture.publish("room/2", "elsewhere");
    expect(client.wire.take()).toEqual([{ kind: "message", n: 2, topic: "room/1", data: "after" }]);
  });

  test("[PUSH1] the secret is not stored", async () => {
    const fixture = new GateFixture();
    const { welcome } = await fixture.connect();
    const [, , secret] = String(welcome["session"]).split(".");
    expect(JSON.stringify(fixture.storage.query("SELECT * FROM sessions"))).not.toContain(secret);
  });

  test("[PUSH1] a client that comes back gets what it has not seen, in order, and nothing twice", async () => {
    const fixture = new GateFixture();
    const { client, welcome } = await fixture.connect({ topics: ["room/*"] });
    await fixture.publish("room/1", "one", "two");
    expect(data(client.wire.take())).toEqual(["one", "two"]);
    await client.cut();
    await fixture.publish("room/2", "three");
    const back = await fixture.connect({ session: welcome["session"], seen: 1 });
    expect(back.welcome).toMatchObject({ client: welcome["client"], resumed: true, seen: 1, topics: ["room/*"] });
    expect(data(back.more)).toEqual(["two", "three"]);
    await fixture.publish("room/1", "four");
    expect(data(back.client.wire.take())).toEqual(["four"]);
  });

  test("[PUSH1] what a client has acknowledged is not sent again, also if it says it has seen less", async () => {
    const fixture = new GateFixture();
    const { client, welcome } = await fixture.connect({ topics: ["a"] });
    await fixture.publish("a", "one", "two", "three");
    await client.say({ kind: "ack", seen: 2 });
    await client.cut();
    const { more } = await fixture.connect({ session: welcome["session"], seen: 0 });
    expect(data(more)).toEqual(["three"]);
  });

  test("[PUSH1] it goes on after the gate's process has ended, with its connections or without", async () => {
    const fixture = new GateFixture();
    const { client, welcome } = await fixture.connect({ topics: ["a"] });
    await fixture.publish("a", "one");
    await client.say({ kind: "ack", seen: 1 });
    fixture.restart("kept");
    await fixture.publish("a", "two");
    expect(data(client.wire.take())).toEqual(["two"]);
    fixture.restart("lost");
    await fixture.publish("a", "three");
    const { more } = await fixture.connect({ session: welcome["session"], seen: 2 });
    expect(data(more)).toEqual(["three"]);
  });

  test("[PUSH1] after its process slept, a gate sends again what was not acknowledged", async () => {
    const fixture = new GateFixture();
    const one = await fixture.connect({ topics: ["a"] });
    const other = await fixture.connect({ topics: ["a"] });
    await fixture.publish("a", "one", "two");
    await one.client.say({ kind: "ack", seen: 2 });
    await other.client.say({ kind: "ack", seen: 1 });
    for (const { client } of [one, other]) client.wire.take();
    fixture.restart("kept");
    await fixture.pass(0);
    expect(data(one.client.wire.take())).toEqual([]);
    expect(other.client.wire.take()).toMatchObject([{ n: 2, data: "two" }]);
  });

  test("[PUSH1] it ends when its client has been away for too long, and then is a new one", async () => {
    const fixture = new GateFixture();
    const { client, welcome } = await fixture.connect({ topics: ["a"] });
    await client.cut();
    await fixture.pass(119_999);
    expect(fixture.gate.stats.sessions).toBe(1);
    await fixture.pass(1);
    expect(fixture.gate.stats.sessions).toBe(0);
    const back = await fixture.connect({ session: welcome["session"], seen: 0 });
    expect(back.welcome).toMatchObject({ resumed: false, topics: [] });
    expect(back.welcome["client"]).not.toBe(welcome["client"]);
  });

  test("[PUSH1] clients of a process that was killed have as long, and then are gone", async () => {
    const fixture = new GateFixture();
    await fixture.connect();
    fixture.restart("lost");
    expect(fixture.gate.stats).toMatchObject({ connected: 0, sessions: 1 });
    await fixture.pass(120_000);
    expect(fixture.gate.stats.sessions).toBe(0);
  });

  test("[PUSH3] a client that leaves ends its session at once", async () => {
    const fixture = new GateFixture();
    const { client, welcome } = await fixture.connect();
    await client.say({ kind: "leave" });
    expect(client.wire.closed).toBe(CLOSE.left);
    expect(fixture.gate.stats.sessions).toBe(0);
    const back = await fixture.connect({ session: welcome["session"] });
    expect(back.welcome["resumed"]).toBe(false);
  });

  test("[PUSH1] a second connection takes over, and the late end of the first takes nothing from it", async () => {
    const fixture = new GateFixture();
    const { client, welcome } = await fixture.connect({ topics: ["a"] });
    const back = await fixture.connect({ session: welcome["session"], seen: 0 });
    expect(client.wire.closed).toBe(CLOSE.replaced);
    await client.cut();
    expect(fixture.gate.stats).toMatchObject({ connected: 1, sessions: 1 });
    await fixture.publish("a", "one");
    expect(data(back.client.wire.take())).toEqual(["one"]);
    await fixture.pass(600_000);
    expect(fixture.gate.stats.sessions).toBe(1);
  });

  test("[PUSH1] nobody takes over a session with its client id, a wrong secret, or as somebody else", async () => {
    const ann = { id: "ann", roles: [] as string[] };
    const fixture = new GateFixture();
    const { welcome } = await fixture.connect({ topics: ["a"] }, ann);
    const { client, session } = welcome as unknown as { client: string; session: string };
    const wrong = session.slice(0, -1) + (session.endsWith("0") ? "1" : "0");
    const tries: readonly [hello: object, identity: typeof ann | null][] = [
      [{ session: client }, ann],
      [{ session: wrong }, ann],
      [{ session }, { id: "eve", roles: ["admin"] }],
      [{ session }, null],
    ];
    for (const [hello, identity] of tries) {
      const { welcome: other } = await fixture.connect(hello, identity);
      expect(other).toMatchObject({ resumed: false, topics: [] });
      expect(other["client"]).not.toBe(client);
    }
    const mine = await fixture.connect({ session }, { id: "ann", roles: ["new"] });
    expect(mine.welcome).toMatchObject({ resumed: true, client, topics: ["a"] });
  });

  test("[PUSH5] a client that comes back with other roles keeps only the topics that it still may listen to", async () => {
    const fixture = new GateFixture({ topics: { "staff/*": { roles: ["staff"] }, "room/*": {} } });
    const topics = ["staff/a", "room/a"];
    const { client, welcome } = await fixture.connect({ topics }, { id: "ann", roles: ["staff"] });
    await client.cut();
    await fixture.publish("staff/a", "secret");
    await fixture.publish("room/a", "open");
    const back = await fixture.connect({ session: welcome["session"], seen: 0 }, { id: "ann", roles: [] });
    expect(back.welcome["topics"]).toEqual(["room/a"]);
    expect(data(back.more)).toEqual(["open"]);
  });

  test("[PUSH7] when a gate has all its sessions, those away longest give their place, and only then is one refused", async () => {
    const fixture = new GateFixture(undefined, { gateClients: 2 });
    const first = await fixture.connect();
    const second = await fixture.connect();
    expect(() => fixture.open()).toThrow(expect.objectContaining({ code: "OVERLOADED" }));
    await first.client.cut();
    const third = await fixture.connect();
    expect(third.welcome["resumed"]).toBe(false);
    await second.client.cut();
    const back = await fixture.connect({ session: first.welcome["session"] });
    expect(back.welcome["resumed"]).toBe(false);
  });
});
