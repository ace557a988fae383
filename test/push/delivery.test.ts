import { describe, expect, test } from "vitest";
import { WINDOW } from "../../src/push/connection.ts";
import { settle } from "../../src/testing/clocks.ts";
import { CLOSE, data, type Frame, GateFixture, type TestClient } from "./gate-fixture.ts";

/** Acknowledges until nothing more comes; gives all that came. */
async function drain(fixture: GateFixture, client: TestClient): Promise<Frame[]> {
  const all: Frame[] = [];
  for (;;) {
    await fixture.pass(1);
    const frames = client.wire.take();
    if (frames.length === 0) return all;
    all.push(...frames);
    const seen = Number(frames.at(-1)?.["n"]);
    all.push(...(await client.say({ kind: "ack", seen })));
  }
}

describe("delivery", () => {
  test("[PUSH4] messages to one client, to a topic and to all reach whom they are for", async () => {
    const fixture = new GateFixture();
    const [ann, bo] = [await fixture.connect({ topics: ["a"] }), await fixture.connect()];
    const to = (target: string, what: string) => fixture.message(target, what);
    await fixture.gate.deliver([to(`client ${bo.welcome["client"]}`, "bo"), to("topic a", "a"), to("all", "all")]);
    await settle();
    expect(data(ann.client.wire.take())).toEqual(["a", "all"]);
    expect(data(bo.client.wire.take())).toEqual(["bo", "all"]);
  });

  test("[PUSH2] a message to a thousand clients is one row", async () => {
    const fixture = new GateFixture(undefined, { gateClients: 1_000 });
    const clients = await Promise.all(Array.from({ length: 1_000 }, () => fixture.connect({ topics: ["room"] })));
    await fixture.publish("room", "hello");
    expect(clients.map(({ client }) => data(client.wire.take()))).toEqual(clients.map(() => ["hello"]));
    expect(fixture.gate.stats.log.rows).toBe(1);
  });

  test("[PUSH4] a message that comes again counts for nothing, also after a restart and among others", async () => {
    const fixture = new GateFixture();
    const { client } = await fixture.connect({ topics: ["a"] });
    const [one, two, three] = ["one", "two", "three"].map((what) => fixture.message("topic a", what));
    await fixture.gate.deliver([one, two] as never);
    fixture.restart("kept");
    await fixture.gate.deliver([two, three] as never);
    await fixture.gate.deliver([one, two, three] as never);
    await fixture.pass(1);
    // What was not acknowledged came again after the restart: by the same number.
    const numbers = client.wire.take().map(({ n, data }) => `${n} ${data}`);
    expect([...new Set(numbers)]).toEqual(["1 one", "2 two", "3 three"]);
    expect(fixture.gate.stats.log.rows).toBe(3);
  });

  test("[PUSH1] a slow client is sent no more than a window, takes no memory, and misses nothing", async () => {
    const fixture = new GateFixture();
    const { client } = await fixture.connect({ topics: ["a"] });
    const quick = await fixture.connect({ topics: ["a"] });
    const sent: string[] = [];
    for (let n = 1; n <= 60; n++) {
      const message = `${n} ${"x".repeat(10_000)}`;
      sent.push(message);
      await fixture.publish("a", message);
      await quick.client.say({ kind: "ack", seen: n });
    }
    const first = client.wire.take();
    expect(first.length).toBeLessThanOrEqual(WINDOW.bytes / 10_000 + 1);
    const seen = Number(first.at(-1)?.["n"]);
    const next = await client.say({ kind: "ack", seen });
    client.wire.frames.push(...next);
    expect(data([...first, ...(await drain(fixture, client))])).toEqual(sent);
    await fixture.publish("a", "live again");
    expect(data(client.wire.take())).toEqual(["live again"]);
  });

  test("[PUSH1] a client that is behind what the gate keeps is told of a gap, and goes on after it", async () => {
    const fixture = new GateFixture(undefined, { pushLog: 50_000 });
    const { client, welcome } = await fixture.connect({ topics: ["a"] });
    await client.cut();
    for (let n = 1; n <= 20; n++) await fixture.publish("a", `${n} ${"x".repeat(5_000)}`);
    expect(fixture.gate.stats.log.bytes).toBeLessThanOrEqual(50_000);
    const { more } = await fixture.connect({ session: welcome["session"], seen: 0 });
    const [gap, ...rest] = more;
    expect(gap).toEqual({ kind: "gap", n: 20 - rest.length });
    expect(rest.length).toBeGreaterThan(5);
    expect(rest.map(({ n }) => n)).toEqual(rest.map((_, index) => Number(gap?.["n"]) + 1 + index));
  });

  test("[PUSH1] a client that missed nothing of what is gone is told of no gap", async () => {
    const fixture = new GateFixture(undefined, { pushLog: 50_000 });
    const { client, welcome } = await fixture.connect({ topics: ["a"] });
    for (let n = 1; n <= 20; n++) await fixture.publish("other", `${n} ${"x".repeat(5_000)}`);
    await client.cut();
    const { more } = await fixture.connect({ session: welcome["session"], seen: 0 });
    expect(more).toEqual([]);
  });

  test("[PUSH1] messages are kept for a time, at least as long as a client may take to come back", async () => {
    for (const pushResume of [60_000, 3_600_000]) {
      const fixture = new GateFixture(undefined, { pushResume });
      const age = Math.max(pushResume, 600_000);
      await fixture.publish("a", "old");
      await fixture.pass(age - 1);
      await fixture.publish("a", "new");
      expect(fixture.gate.stats.log.rows).toBe(2);
      await fixture.pass(1);
      await fixture.publish("a", "newest");
      expect(fixture.gate.stats.log.rows).toBe(2);
    }
  });

  test("[PUSH4] a message that was sent before what is gone may have been here: its clients are told of a gap", async () => {
    const fixture = new GateFixture(undefined, { pushLog: 20_000 });
    const { client } = await fixture.connect({ topics: ["a", "b"] });
    const late = fixture.message("topic a", "late");
    await fixture.pass(10);
    const again = fixture.message("topic a", "again");
    await fixture.gate.deliver([again]);
    for (let n = 0; n < 10; n++) await fixture.publish("b", "x".repeat(5_000));
    await client.say({ kind: "ack", seen: 11 });
    // Nobody can tell these two apart any more: one was delivered, the other was not.
    await fixture.gate.deliver([late]);
    await fixture.gate.deliver([again]);
    await settle();
    expect(client.wire.take()).toEqual([
      { kind: "gap", n: 12 },
      { kind: "gap", n: 13 },
    ]);
  });

  test("[PUSH1] the number of a message is never given out again", async () => {
    const fixture = new GateFixture(undefined, { pushLog: 1 });
    await fixture.publish("a", "one", "two", "three");
    fixture.restart("lost");
    const { client } = await fixture.connect({ topics: ["a"] });
    await fixture.publish("a", "four");
    expect(client.wire.take()).toMatchObject([{ n: 4 }]);
  });

  test("[PUSH1] nothing leaves before it is durable: what is lost was never sent", async () => {
    const fixture = new GateFixture();
    const { client } = await fixture.connect({ topics: ["a"] });
    fixture.storage.loseNext = new Error("the disk is gone");
    await fixture.gate.deliver([fixture.message("topic a", "lost")]).catch(() => undefined);
    await settle();
    expect(data(client.wire.take())).toEqual([]);
    expect(client.wire.closed).toBe(CLOSE.restart);
  });

  test("[PUSH1] who stops to listen gets no more, and who begins again gets nothing of between", async () => {
    const fixture = new GateFixture();
    const { client, welcome } = await fixture.connect({ topics: ["a", "a/*"] });
    expect(await client.say({ kind: "unsubscribe", topic: "a" })).toEqual([{ kind: "unsubscribed", topic: "a" }]);
    await fixture.publish("a", "between");
    expect(await client.say({ kind: "subscribe", topic: "a" })).toEqual([{ kind: "subscribed", topic: "a" }]);
    await fixture.publish("a", "after");
    await client.cut();
    const back = await fixture.connect({ session: welcome["session"], seen: 0 });
    expect(data(back.more)).toEqual(["after"]);
  });
});

describe("a connection", () => {
  test("[PUSH7] that says no hello is closed, also by a gate that slept meanwhile", async () => {
    const fixture = new GateFixture();
    const one = fixture.open();
    await fixture.pass(10_000);
    expect(one.wire.closed).toBe(CLOSE.refused);
    const [early, timers] = [fixture.open(), fixture.clock.timers];
    await fixture.pass(6_000);
    const late = Array.from({ length: 20 }, () => fixture.open());
    expect(fixture.clock.timers, "one for all: a platform has an end of them").toBe(timers);
    await fixture.pass(4_000);
    expect([early.wire.closed, late[0]?.wire.closed]).toEqual([CLOSE.refused, undefined]);
    await fixture.pass(6_000);
    expect(late.map(({ wire }) => wire.closed)).toEqual(late.map(() => CLOSE.refused));
    const other = fixture.open();
    fixture.restart("kept");
    await fixture.pass(240_000);
    expect(other.wire.closed).toBe(CLOSE.refused);
  });

  test.each([
    ["no JSON", "{", "INVALID_JSON"],
    ["an unknown kind", { kind: "__proto__" }, "INVALID_ARGUMENT"],
    ["an unknown member", { kind: "ack", seen: 1, more: 1 }, "INVALID_ARGUMENT"],
    ["a second hello", { kind: "hello" }, "INVALID_ARGUMENT"],
    ["a negative number", { kind: "ack", seen: -1 }, "INVALID_ARGUMENT"],
    ["too much", { kind: "subscribe", topic: "x".repeat(70_000) }, "PAYLOAD_TOO_LARGE"],
    ["null", "null", "INVALID_ARGUMENT"],
  ])("[PUSH7] that sends %s is told so and closed; its session goes on", async (_what, frame, code) => {
    const fixture = new GateFixture();
    const { client, welcome } = await fixture.connect({ topics: ["a"] });
    expect(await client.say(frame)).toMatchObject([{ kind: "error", error: { code } }]);
    expect(client.wire.closed).toBe(CLOSE.refused);
    const back = await fixture.connect({ session: welcome["session"] });
    expect(back.welcome["resumed"]).toBe(true);
  });

  test("[PUSH7] that says anything before hello, or nothing that is text, is closed", async () => {
    const fixture = new GateFixture();
    const one = fixture.open();
    expect(await one.say({ kind: "subscribe", topic: "a" })).toMatchObject([{ kind: "error" }]);
    expect(one.wire.closed).toBe(CLOSE.refused);
    const [early, timers] = [fixture.open(), fixture.clock.timers];
    await fixture.pass(6_000);
    const late = Array.from({ length: 20 }, () => fixture.open());
    expect(fixture.clock.timers, "one for all: a platform has an end of them").toBe(timers);
    await fixture.pass(4_000);
    expect([early.wire.closed, late[0]?.wire.closed]).toEqual([CLOSE.refused, undefined]);
    await fixture.pass(6_000);
    expect(late.map(({ wire }) => wire.closed)).toEqual(late.map(() => CLOSE.refused));
    const other = fixture.open();
    await fixture.gate.received(other.wire, new ArrayBuffer(8));
    await settle();
    expect(other.wire.closed).toBe(CLOSE.refused);
  });

  test("[PUSH5] a topic that is refused is told by its name, and the connection stays", async () => {
    const fixture = new GateFixture({ topics: { "room/*": { anonymous: true } } });
    const { client, more } = await fixture.connect({ topics: ["secret", "room/1", "a//b"] });
    expect(more).toMatchObject([
      { kind: "error", topic: "secret", error: { code: "ACCESS_DENIED" } },
      { kind: "subscribed", topic: "room/1" },
      { kind: "error", topic: "a//b", error: { code: "INVALID_ARGUMENT" } },
    ]);
    expect(client.wire.closed).toBeUndefined();
  });

  test("[PUSH7] a client may listen to a hundred topics", async () => {
    const fixture = new GateFixture();
    const topics = Array.from({ length: 100 }, (_, index) => `t/${index}`);
    const { client } = await fixture.connect({ topics });
    expect(await client.say({ kind: "subscribe", topic: "t/100" })).toMatchObject([
      { kind: "error", topic: "t/100", error: { code: "PAYLOAD_TOO_LARGE" } },
    ]);
    expect(await client.say({ kind: "subscribe", topic: "t/1" })).toEqual([{ kind: "subscribed", topic: "t/1" }]);
  });

  test("[PUSH7] that is silent, or acknowledges nothing of a full window, is closed", async () => {
    const fixture = new GateFixture();
    const silent = await fixture.connect({ topics: ["a"] });
    const stuck = await fixture.connect({ topics: ["a"] });
    const well = await fixture.connect({ topics: ["a"] });
    const touch = () => {
      for (const { client } of [stuck, well]) client.wire.heardAt = fixture.clock.now() + 120_000;
    };
    silent.client.wire.heardAt = fixture.clock.now();
    for (let n = 1; n <= 30; n++) {
      await fixture.publish("a", "x".repeat(10_000));
      for (const { client } of [silent, well]) await client.say({ kind: "ack", seen: n });
    }
    for (let look = 0; look < 3; look++) {
      touch();
      await fixture.pass(120_000);
    }
    expect([silent, stuck, well].map(({ client }) => client.wire.closed)).toEqual([
      CLOSE.silent,
      CLOSE.silent,
      undefined,
    ]);
  });

  test("[MEM2] without clients a gate asks for no alarm", async () => {
    const fixture = new GateFixture();
    await fixture.publish("a", "one");
    expect(fixture.storage.wake).toBeNull();
    const { client } = await fixture.connect();
    await client.say({ kind: "leave" });
    await fixture.pass(600_000);
    expect(fixture.storage.wake).toBeNull();
  });
});
