import { describe, expect, it, vi } from "vitest";
import { configSchema } from "../../src/config/config.ts";
import { Registry } from "../../src/object/registry.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { DEPARTURE } from "../../src/push/departures.ts";
import { ALIVE_EVERY, EventStream } from "../../src/push/event-stream.ts";
import { LiveSettings } from "../../src/settings/live-settings.ts";
import { settle } from "../../src/testing/clocks.ts";
import { CLOSE, data, GateFixture } from "./gate-fixture.ts";
import { listen } from "./stream-fixture.ts";

const TOPIC = { topics: ["room/1"] };

/** Messages so large that a window has eight of them. */
const LARGE = Array.from({ length: 30 }, (_, index) => `${index} ${"x".repeat(32 * 1024)}`);

describe("a stream of events", () => {
  it("[PUSH12] brings what comes, in order, each message under an id", async () => {
    const fixture = new GateFixture();
    const reader = await listen(fixture, { topics: ["room/1", "hall/**"] });
    const [welcome, ...more] = reader.take();
    expect(welcome).toMatchObject({ kind: "welcome", resumed: false, client: expect.stringMatching(/^g0\./) });
    expect(more).toEqual([
      { kind: "subscribed", topic: "room/1" },
      { kind: "subscribed", topic: "hall/**" },
    ]);
    expect(reader.lastId).toBe(`${welcome?.["session"]}.0`);
    expect(reader.retry).toBeGreaterThanOrEqual(1_000);
    await fixture.publish("room/1", "one", "two");
    await fixture.publish("elsewhere", "not for it");
    await fixture.publish("hall/a/b", "three");
    expect(reader.take()).toEqual([
      { kind: "message", n: 1, topic: "room/1", data: "one" },
      { kind: "message", n: 2, topic: "room/1", data: "two" },
      { kind: "message", n: 4, topic: "hall/a/b", data: "three" },
    ]);
    expect(reader.lastId).toBe(`${welcome?.["session"]}.4`);
  });

  it("[PUSH12] goes on after the last id: what was cut off on its way comes again, and nothing twice", async () => {
    const fixture = new GateFixture();
    const reader = await listen(fixture, TOPIC);
    await fixture.publish("room/1", "one");
    const { lastId } = reader;
    // The platform took it, and it never arrived.
    await fixture.publish("room/1", "two");
    await fixture.pass(ALIVE_EVERY * 3);
    await reader.cut();
    await fixture.publish("room/1", "three");
    const back = await listen(fixture, TOPIC, { lastId });
    const [welcome, ...more] = back.take();
    expect(welcome).toMatchObject({ resumed: true, seen: 1 });
    expect(data(more)).toEqual(["two", "three", "subscribed"]);
    await back.cut();
    const again = await listen(fixture, TOPIC, { lastId: back.lastId });
    expect(data(again.take())).toEqual(["welcome", "subscribed"]);
  });

  it("[PUSH12] goes on after the gate's process has ended", async () => {
    const fixture = new GateFixture();
    const reader = await listen(fixture, TOPIC);
    await fixture.publish("room/1", "one");
    fixture.restart("lost");
    await fixture.publish("room/1", "two");
    const back = await listen(fixture, TOPIC, { lastId: reader.lastId });
    expect(data(back.take())).toEqual(["welcome", "two", "subscribed"]);
    expect(back.lastId.split(".").slice(0, 3)).toEqual(reader.lastId.split(".").slice(0, 3));
  });

  it("[PUSH12] an id that is forged, or another identity's, gets a session of its own", async () => {
    const fixture = new GateFixture();
    const ann = { id: "ann", roles: [] };
    const reader = await listen(fixture, TOPIC, { identity: ann });
    await fixture.publish("room/1", "a secret");
    const [welcome] = reader.take();
    const forged = reader.lastId.replace(/[0-9a-f]{64}/, "0".repeat(64));
    for (const [lastId, identity] of [
      [forged, ann],
      [reader.lastId, { id: "eve", roles: [] }],
      [reader.lastId, null],
      [String(welcome?.["client"]), ann],
      ["3", ann],
    ] as const) {
      const [other, ...more] = (await listen(fixture, TOPIC, { lastId, identity })).take();
      expect(other).toMatchObject({ kind: "welcome", resumed: false });
      expect(other?.["client"]).not.toBe(welcome?.["client"]);
      expect(data(more)).toEqual(["subscribed"]);
    }
    expect(reader.end).toBeUndefined();
  });

  it("[PUSH12] a gap is told, with an id of its own", async () => {
    const fixture = new GateFixture(undefined, { pushLog: 4_096 });
    const reader = await listen(fixture, TOPIC);
    await reader.cut();
    await fixture.publish("room/1", ...Array.from({ length: 20 }, (_, index) => `${index} ${"x".repeat(500)}`));
    const back = await listen(fixture, TOPIC, { lastId: reader.lastId });
    const [, gap, first] = back.take();
    expect(gap).toEqual({ kind: "gap", n: expect.any(Number) });
    expect(first).toMatchObject({ kind: "message", n: Number(gap?.["n"]) + 1 });
  });

  it("[PUSH12] shows life, and takes the client past what is for others: it comes back to no gap", async () => {
    const fixture = new GateFixture(undefined, { pushLog: 4_096 });
    const reader = await listen(fixture, TOPIC);
    await fixture.pass(ALIVE_EVERY);
    expect(reader.comments).toBe(1);
    await fixture.publish("other", ...Array.from({ length: 20 }, () => "x".repeat(500)));
    await fixture.pass(ALIVE_EVERY);
    expect(reader.lastId).toMatch(/\.20$/);
    await reader.cut();
    const back = await listen(fixture, TOPIC, { lastId: reader.lastId });
    expect(data(back.take())).toEqual(["welcome", "subscribed"]);
  });

  it("[PUSH12] a slow reader is sent a window, and the rest as it reads: nothing is missing", async () => {
    const fixture = new GateFixture(undefined, { pushLog: 16 * 1024 * 1024 });
    const reader = await listen(fixture, TOPIC, { reads: false });
    const send = vi.spyOn(EventStream.prototype, "send");
    await fixture.publish("room/1", ...LARGE);
    expect(send).toHaveBeenCalledTimes(8);
    send.mockRestore();
    void reader.read();
    await fixture.clock.advance(1_000);
    expect(data(reader.take()).slice(2)).toEqual(LARGE);
    for (let count = 0; count < 2_500; count++) await fixture.gate.deliver([fixture.message("topic room/1", count)]);
    await fixture.clock.advance(1_000);
    expect(data(reader.take())).toEqual(Array.from({ length: 2_500 }, (_, count) => count));
  });

  it("[PUSH12] a reader that takes nothing is ended; its session goes on", async () => {
    const fixture = new GateFixture();
    const reader = await listen(fixture, TOPIC, { reads: false });
    const { lastId } = await listen(fixture, TOPIC);
    await fixture.publish("room/1", "one");
    for (let minute = 0; minute < 5; minute++) await fixture.pass(60_000);
    expect(fixture.gate.stats).toMatchObject({ connected: 1 });
    await reader.read();
    expect(reader.end).toBe("broken");
    expect(lastId).not.toBe("");
  });

  it("[PUSH12] ends with the credentials, and says so", async () => {
    const fixture = new GateFixture();
    const identity = { id: "ann", roles: [] };
    const reader = await listen(fixture, TOPIC, { identity, expires: fixture.clock.now() + 60_000 });
    await fixture.pass(60_000);
    expect(reader.take().at(-1)).toMatchObject({ kind: "end", code: CLOSE.expired });
    expect(reader.end).toBe("closed");
    expect(reader.lastId).not.toBe("end");
    const back = await listen(fixture, TOPIC, { identity, lastId: reader.lastId });
    expect(back.take()[0]).toMatchObject({ resumed: true });
  });

  it("[PUSH12] a stream whose session goes to another connection is told to stay away", async () => {
    const fixture = new GateFixture();
    const first = await listen(fixture, TOPIC);
    const second = await listen(fixture, TOPIC, { lastId: first.lastId });
    expect(first.take().at(-1)).toMatchObject({ kind: "end", code: CLOSE.replaced });
    expect([first.end, first.lastId]).toEqual(["closed", "end"]);
    await fixture.publish("room/1", "one");
    expect(data(second.take())).toContain("one");
    // A WebSocket may go on with the same session, from where its client says it is.
    const third = await listen(fixture, TOPIC, { lastId: second.lastId });
    await fixture.publish("room/1", "two");
    const { more } = await fixture.connect({ session: third.take()[0]?.["session"], seen: 1 });
    expect(data(more)).toEqual(["two"]);
  });

  it("[PUSH12] a gate that is full refuses it, and its session gives its place as any", async () => {
    const fixture = new GateFixture(undefined, { gateClients: 2 });
    const first = await listen(fixture, TOPIC);
    await listen(fixture, TOPIC);
    await expect(listen(fixture, TOPIC)).rejects.toMatchObject({ code: "OVERLOADED" });
    await first.cut();
    await listen(fixture, TOPIC);
    await expect(listen(fixture, TOPIC, { lastId: first.lastId })).rejects.toMatchObject({ code: "OVERLOADED" });
  });

  it("[PUSH12] [PUSH14] of a gate that is drained ends once all was taken, and its client hears that the next session is new", async () => {
    const settings = new LiveSettings({ config: configSchema.parse({}) });
    const fixture = new GateFixture(undefined, {}, undefined, { settings });
    const reader = await listen(fixture, TOPIC);
    const slow = await listen(fixture, TOPIC, { reads: false });
    await fixture.publish("room/1", "one");
    settings.apply({ version: 1, document: { gates: { g0: "draining" } } });
    for (let count = 0; count < 3; count++) await fixture.pass(DEPARTURE.every);
    expect(data(reader.take()).slice(-2)).toEqual(["one", "end"]);
    expect([reader.end, slow.end]).toEqual(["closed", undefined]);
    await expect(listen(fixture, TOPIC, { lastId: reader.lastId })).rejects.toMatchObject({ reason: "GATE_CLOSED" });
    settings.apply({ version: 2, document: {} });
    const [welcome] = (await listen(fixture, TOPIC, { lastId: reader.lastId })).take();
    expect(welcome).toMatchObject({ resumed: false });
  });

  it("[PUSH12] leaves no timers and no connection behind", async () => {
    const fixture = new GateFixture();
    const reader = await listen(fixture, TOPIC);
    await fixture.pass(10_000);
    const timers = fixture.clock.timers;
    await reader.cut();
    expect(fixture.clock.timers).toBe(timers - 1);
    expect(fixture.gate.stats).toMatchObject({ connected: 0, sessions: 1 });
  });

  it("[PUSH12] [PUSH11] watches objects, as its reader takes what they are", async () => {
    class Board extends VirtualObject {
      static override readonly type = "Board";
      static override readonly live = { anonymous: true };
    }
    const fixture = new GateFixture(undefined, {}, undefined, {
      registry: new Registry([Board]),
      live: {
        owner: () => "p0",
        watch: async (_, wants) => wants.map(() => ({ kind: "state", at: [1, 1, 1], version: 1, state: "[1]" })),
      },
    });
    const reader = await listen(fixture, { watch: [{ type: "Board", object: "a" }] }, { reads: false });
    await fixture.clock.advance(100);
    for (let version = 2; version <= 500; version++) {
      const state = { kind: "state", at: [1, 1, version], version, state: `[${version}]` } as const;
      fixture.gate.live.changed("p0", [{ type: "Board", id: "a", ...state }]);
    }
    await settle();
    void reader.read();
    await fixture.clock.advance(100);
    const frames = reader.take().filter(({ kind }) => kind !== "welcome");
    expect(frames.some(({ kind }) => kind === "check")).toBe(false);
    expect(frames.length).toBeLessThan(80);
    expect(frames[0]).toMatchObject({ kind: "state", id: 0, version: 1 });
    expect(frames.at(-1)).toMatchObject({ id: 0, version: 500 });
  });
});
