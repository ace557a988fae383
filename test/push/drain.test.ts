import { clientGone, method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { configSchema } from "../../src/config/config.ts";
import { GateCounters } from "../../src/observe/gate-counters.ts";
import { Audience } from "../../src/push/audience.ts";
import { Connection } from "../../src/push/connection.ts";
import { DEPARTURE, Departures } from "../../src/push/departures.ts";
import { Session } from "../../src/push/session.ts";
import { LiveSettings } from "../../src/settings/live-settings.ts";
import { ManualClock } from "../../src/testing/clocks.ts";
import { SqliteStorage } from "../../src/testing/sqlite-storage.ts";
import type { TestConnection } from "../../src/testing/test-connection.ts";
import { ANYTHING, CLOSE, data, GateFixture, TestWire } from "./gate-fixture.ts";

class Room extends VirtualObject.withState(z.object({ gone: z.array(z.string()).default([]) })) {
  static override readonly type = "Room";
  static override readonly methods = {
    say: method({ request: z.object({ line: z.string() }) }),
    tell: method({ request: z.object({ client: z.string(), line: z.string() }) }),
    left: method({ internal: true, request: clientGone }),
    everGone: method({ readonly: true }),
  };
  say({ line }: { line: string }) {
    this.publish("room/a", line);
  }
  tell({ client, line }: { client: string; line: string }) {
    this.push(client, line);
  }
  left({ client }: z.output<typeof clientGone>) {
    this.state.gone.push(client);
  }
  everGone() {
    return this.state.gone;
  }
}

const onDisconnect = { type: "Room", id: "a", method: "left" };
const setup = (options: object = {}) =>
  new TestCluster({
    objects: [Room],
    push: { topics: { "**": { anonymous: true } }, onDisconnect },
    config: { gates: 2 },
    ...options,
  });
const gateOf = ({ client }: { readonly client: string }) => client.split(".")[0];

describe("a gate that is drained", () => {
  test("[PUSH14] sends its clients to others bit by bit; each is told of a gap, and of each an object hears once", async () => {
    using cluster = setup();
    const room = cluster.object(Room, "a");
    const clients = await Promise.all(Array.from({ length: 60 }, () => cluster.connect({ topics: ["room/a"] })));
    const moving = clients.filter((client) => gateOf(client) === "g0");
    expect(moving).toHaveLength(30);
    const before = moving.map(({ client }) => client);
    await cluster.command({ kind: "drain-gate", name: "g0" });
    await cluster.clock.advance(DEPARTURE.every);
    const first = moving.filter(({ closed }) => closed === 4410);
    expect(first.length).toBeGreaterThan(0);
    expect(first.length).toBeLessThanOrEqual(2 * DEPARTURE.group);
    await cluster.clock.advance(5 * DEPARTURE.every);
    expect(moving.every(({ closed }) => closed === 4410)).toBe(true);
    for (const client of moving) await client.resume();
    expect(clients.every((client) => gateOf(client) === "g1")).toBe(true);
    // The session is another one: something may be missing, and the client knows it.
    expect(moving.some(({ resumed }) => resumed)).toBe(false);
    expect(cluster.gates.status("g0")).toMatchObject({ state: "draining", connected: 0, sessions: 0 });
    expect(cluster.gates.status("g0").counts.sentAway).toBe(30);
    expect((await room.everGone()).toSorted()).toEqual(before.toSorted());
  });

  test("[PUSH14] gives those who have not got all a minute, and takes back those whose sessions it has", async () => {
    const settings = new LiveSettings({ config: configSchema.parse({}) });
    const fixture = new GateFixture(ANYTHING, {}, undefined, { settings });
    const { client: slow } = await fixture.connect({ topics: ["a"] });
    const { client: deaf } = await fixture.connect({ topics: ["a"] });
    const { client: cut, welcome } = await fixture.connect({ topics: ["a"] });
    await cut.cut();
    await fixture.publish("a", "one");
    settings.apply({ version: 1, document: { gates: { g0: "draining" } } });
    expect(() => fixture.gate.checkRoom()).toThrow(expect.objectContaining({ reason: "GATE_CLOSED" }));
    fixture.gate.checkRoom(String(welcome["client"]));
    const back = fixture.open(null, undefined, String(welcome["client"]));
    const frames = await back.say({ kind: "hello", session: welcome["session"], seen: 0 });
    expect(frames[0]).toMatchObject({ kind: "welcome", resumed: true });
    expect(data(frames.slice(1))).toEqual(["one"]);
    await fixture.pass(DEPARTURE.every);
    expect([slow, deaf, back].map(({ wire }) => wire.closed)).toEqual([undefined, undefined, undefined]);
    for (const client of [slow, back]) await client.say({ kind: "ack", seen: 1 });
    await fixture.pass(DEPARTURE.every);
    expect([slow, deaf, back].map(({ wire }) => wire.closed)).toEqual([CLOSE.moved, undefined, CLOSE.moved]);
    // The process may end: the next one goes on with it.
    fixture.restart("kept");
    for (let ms = 0; ms <= DEPARTURE.within; ms += DEPARTURE.every) await fixture.pass(DEPARTURE.every);
    expect(deaf.wire.closed).toBe(CLOSE.moved);
    expect(fixture.gate.stats).toMatchObject({ connected: 0, sessions: 0 });
  });

  test("[PUSH14] gives a client its own minute that comes back when all others have gone", async () => {
    const settings = new LiveSettings({ config: configSchema.parse({}) });
    const fixture = new GateFixture(ANYTHING, {}, undefined, { settings });
    const { client: other } = await fixture.connect();
    const { client: cut, welcome } = await fixture.connect({ topics: ["a"] });
    settings.apply({ version: 1, document: { gates: { g0: "draining" } } });
    await cut.cut();
    await fixture.pass(DEPARTURE.every);
    expect(other.wire.closed).toBe(CLOSE.moved);
    await fixture.publish("a", "one");
    await fixture.pass(DEPARTURE.within);
    const back = fixture.open(null, undefined, String(welcome["client"]));
    expect(data(await back.say({ kind: "hello", session: welcome["session"], seen: 0 }))).toEqual(["welcome", "one"]);
    for (let times = 0; times < 3; times++) await fixture.pass(DEPARTURE.every);
    expect(back.wire.closed).toBeUndefined();
    await back.say({ kind: "ack", seen: 1 });
    await fixture.pass(1);
    expect(back.wire.closed).toBe(CLOSE.moved);
  });

  test("[PUSH14] sends a client nothing new that is about to go, and all of it if it stays", async () => {
    const settings = new LiveSettings({ config: configSchema.parse({}) });
    const fixture = new GateFixture(ANYTHING, {}, undefined, { settings });
    const { client } = await fixture.connect({ topics: ["a"] });
    await fixture.publish("a", "one");
    settings.apply({ version: 1, document: { gates: { g0: "draining" } } });
    await fixture.pass(DEPARTURE.every);
    await fixture.publish("a", "two");
    expect(data(client.wire.take())).toEqual(["one"]);
    settings.apply({ version: 2, document: {} });
    await fixture.pass(1);
    await fixture.publish("a", "three");
    expect(data(client.wire.take())).toEqual(["two", "three"]);
    settings.apply({ version: 3, document: { gates: { g0: "draining" } } });
    await fixture.pass(DEPARTURE.every);
    await fixture.publish("a", "four");
    expect(client.wire.take()).toEqual([]);
    await client.say({ kind: "ack", seen: 3 });
    await fixture.pass(1);
    expect(client.wire.closed).toBe(CLOSE.moved);
  });

  test("[PUSH14] waits for open calls, and keeps its clients when it is taken back into use", async () => {
    const settings = new LiveSettings({ config: configSchema.parse({}) });
    const gates = (version: number, document: object) => settings.apply({ version, document });
    const audience = new Audience();
    const clock = new ManualClock();
    const gone: string[] = [];
    const leave = (connection: Connection) => {
      audience.remove(connection);
      gone.push(connection.session.client);
    };
    const state = () => settings.gateState("g0");
    const rest = { counters: new GateCounters(), wakeBy: () => undefined, stay: () => undefined };
    const departures = new Departures({ audience, clock, leave, state, ...rest });
    settings.onChange(() => departures.changed());
    const add = (client: string) => {
      const session = new Session({ client, identity: null, started: 0, position: 0, topics: new Map() });
      const connection = new Connection(new TestWire(), session, undefined);
      audience.add(connection);
      return connection;
    };
    const [calling, busy] = [add("calling"), add("busy"), add("idle")] as const;
    calling.isCalling = true;
    busy.isCalling = true;
    departures.next();
    gates(1, { gates: { g0: "cordoned" } });
    departures.next();
    expect(gone).toEqual([]);
    gates(2, { gates: { g0: "draining" } });
    departures.next();
    expect(gone.splice(0)).toEqual(["idle"]);
    gates(3, {});
    calling.isCalling = false;
    await clock.advance(DEPARTURE.within);
    departures.next();
    expect(gone).toEqual([]);
    gates(4, { gates: { g0: "draining" } });
    calling.isCalling = true;
    departures.next();
    calling.isCalling = false;
    await clock.advance(1);
    expect(gone.splice(0)).toEqual(["calling"]);
    await clock.advance(DEPARTURE.within);
    departures.next();
    expect(gone).toEqual(["busy"]);
  });

  test("[PUSH14] takes no new clients, and another one must", async () => {
    using cluster = setup();
    await cluster.object(Room, "a").say({ line: "the cluster is there" });
    await cluster.command({ kind: "cordon-gate", name: "g1" });
    await cluster.clock.advance(10);
    for (let each = 0; each < 4; each++) expect(gateOf(await cluster.connect())).toBe("g0");
    await expect(cluster.command({ kind: "drain-gate", name: "g0" })).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(cluster.command({ kind: "drain-gate", name: "g2" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await cluster.command({ kind: "uncordon-gate", name: "g1" });
    await cluster.clock.advance(10);
    const taken = await Promise.all([cluster.connect(), cluster.connect()]);
    expect(taken.map(gateOf).toSorted()).toEqual(["g0", "g1"]);
    expect(await cluster.coordinator.settings()).toMatchObject({ version: 2, document: {} });
  });
});

test("[PUSH14] a push to a client of a gate that is no more is delivered to nobody, and waits for nobody", async () => {
  const storages = new Map<string, SqliteStorage>();
  const storageOf = (name: string) => {
    const storage = storages.get(name) ?? new SqliteStorage();
    storages.set(name, storage);
    return storage;
  };
  const before = setup({ storageOf });
  const clients = await Promise.all([before.connect(), before.connect()]);
  const gone = clients.find((client) => gateOf(client) === "g1") as TestConnection;
  before.stop();
  using cluster = setup({ storageOf, config: { gates: 1 } });
  const room = cluster.object(Room, "a");
  await room.tell({ client: gone.client, line: "hello?" });
  await room.say({ line: "anyone" });
  await cluster.clock.advance(1_000);
  const owner = cluster.storage(cluster.ownerOf(Room, "a"));
  expect(owner.query("SELECT count(*) AS n FROM outbox")).toEqual([{ n: 0 }]);
});
