import { afterEach, describe, expect, test, vi } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { PRESENCE } from "../../src/push/presence-note.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import type { TestConnection } from "../../src/testing/test-connection.ts";
import { TestGates } from "../../src/testing/test-gates.ts";
import { GateFixture, type TestClient } from "./gate-fixture.ts";

afterEach(() => vi.restoreAllMocks());

const ROOM = "room/42";
const RULES = { topics: { "**": { anonymous: true }, "room/*": { anonymous: true, presence: true } } };

function clusterOf(gates: number) {
  return new TestCluster({ objects: [], config: { gates }, push: RULES });
}

async function members(cluster: TestCluster, count: number): Promise<TestConnection[]> {
  const made: TestConnection[] = [];
  for (let index = 0; index < count; index++) {
    const connection = await cluster.connect();
    connection.subscribe(ROOM, { presence: true });
    made.push(connection);
  }
  return made;
}

const seen = (connection: TestConnection) => Array.from(connection.presence(ROOM)?.here.keys() ?? []).sort();
const ids = (connections: readonly TestConnection[]) => connections.map(({ client }) => client).sort();

const ask = (client: TestClient, topic = ROOM, presence = true) => client.say({ kind: "subscribe", topic, presence });

describe("who takes part, at one gate", () => {
  test("[PUSH13] a client is told who is there, then who comes and goes", async () => {
    const fixture = new GateFixture(RULES);
    const ann = await fixture.connect({}, { id: "ann", roles: [] });
    const [subscribed] = await ask(ann.client);
    expect(subscribed).toEqual({ kind: "subscribed", topic: ROOM });
    await fixture.pass(200);
    const member = { client: ann.welcome["client"], id: "ann" };
    expect(ann.client.wire.take()).toEqual([{ kind: "presence", topic: ROOM, count: 1, here: [member] }]);
    const bo = await fixture.connect();
    await ask(bo.client);
    await fixture.pass(200);
    const other = { client: bo.welcome["client"], id: null };
    expect(ann.client.wire.take()).toEqual([{ kind: "presence", topic: ROOM, count: 2, joined: [other] }]);
    expect(bo.client.wire.take()).toEqual([{ kind: "presence", topic: ROOM, count: 2, here: [member, other] }]);
    await bo.client.say({ kind: "leave" });
    await fixture.pass(200);
    expect(ann.client.wire.take()).toEqual([{ kind: "presence", topic: ROOM, count: 1, left: [other] }]);
  });

  test("[PUSH13] who comes and goes in one moment is not told", async () => {
    const fixture = new GateFixture(RULES);
    const { client } = await fixture.connect();
    await ask(client);
    await fixture.pass(200);
    client.wire.take();
    const brief = await fixture.connect();
    await ask(brief.client);
    await brief.client.say({ kind: "unsubscribe", topic: ROOM });
    await fixture.pass(200);
    expect(client.wire.take()).toEqual([]);
  });

  test("[PUSH13] whoever only listens is not seen, and one that takes part may go on listening without", async () => {
    const fixture = new GateFixture(RULES);
    const { client } = await fixture.connect();
    await ask(client);
    const listener = await fixture.connect({ topics: [ROOM] });
    await fixture.pass(200);
    expect(client.wire.take()).toMatchObject([{ count: 1 }]);
    expect(listener.client.wire.take()).toEqual([]);
    await ask(listener.client);
    await ask(listener.client, ROOM, false);
    await fixture.pass(200);
    expect([client.wire.take(), listener.client.wire.take()]).toEqual([[], []]);
    await fixture.publish(ROOM, "to all");
    expect(listener.client.wire.take()).toMatchObject([{ data: "to all" }]);
  });

  test.each([
    ["a topic that no rule opens", "other/1", "ACCESS_DENIED"],
    ["a pattern", "room/*", "INVALID_ARGUMENT"],
    ["a pattern of the rest", "**", "INVALID_ARGUMENT"],
  ])("[PUSH13] %s is refused", async (_, topic, code) => {
    const fixture = new GateFixture(RULES);
    const { client } = await fixture.connect();
    expect(await ask(client, topic)).toMatchObject([{ kind: "error", topic, error: { code } }]);
    await fixture.publish(topic.replaceAll("*", "x"), "heard?");
    expect(client.wire.take()).toEqual([]);
    expect(client.wire.closed).toBeUndefined();
  });

  test("[PUSH13] a client that keeps coming and going is cut off: each time costs other gates something", async () => {
    const fixture = new GateFixture(RULES);
    const { client } = await fixture.connect();
    for (let times = 0; times < 250 && client.wire.closed === undefined; times++) {
      await ask(client, `room/${times}`);
      await client.say({ kind: "unsubscribe", topic: `room/${times}` });
    }
    expect(client.wire.closed).toBe(1008);
  });

  test("[PUSH13] a client takes part in so many topics", async () => {
    const fixture = new GateFixture(RULES);
    const { client } = await fixture.connect();
    for (let index = 0; index < PRESENCE.topics; index++) await ask(client, `room/${index}`);
    expect(await ask(client, "room/more")).toMatchObject([{ error: { code: "PAYLOAD_TOO_LARGE" } }]);
    expect(await ask(client, "room/0")).toEqual([{ kind: "subscribed", topic: "room/0" }]);
  });

  test("[PUSH10] [PUSH13] whose fresh token allows it no more is told, and gone", async () => {
    const rules = {
      topics: { "room/*": { roles: ["guest", "member"] }, "room/42": { roles: ["member"], presence: true } },
    };
    const fixture = new GateFixture(rules);
    const ann = await fixture.connect({}, { id: "ann", roles: ["member"] });
    const bo = await fixture.connect({}, { id: "bo", roles: ["member"] });
    await ask(ann.client);
    await ask(bo.client);
    await fixture.pass(200);
    bo.client.wire.take();
    fixture.identify = () => ({ id: "ann", roles: ["guest"] });
    const frames = await ann.client.say({ kind: "token", token: "t" });
    expect(frames).toContainEqual(expect.objectContaining({ kind: "error", topic: ROOM }));
    await fixture.pass(200);
    expect(bo.client.wire.take()).toMatchObject([{ count: 1, left: [{ id: "ann" }] }]);
  });

  test("[PUSH13] one that loses its connection is there for ten seconds more, and when it comes back was never gone", async () => {
    const fixture = new GateFixture(RULES);
    const ann = await fixture.connect();
    const bo = await fixture.connect();
    await ask(ann.client);
    await ask(bo.client);
    await fixture.pass(200);
    ann.client.wire.take();
    await bo.client.cut();
    await fixture.pass(9_000);
    const back = await fixture.connect({ session: bo.welcome["session"] });
    await ask(back.client);
    await fixture.pass(20_000);
    expect(ann.client.wire.take()).toEqual([]);
    expect(back.client.wire.take()).toMatchObject([{ count: 2, here: [{}, {}] }]);
    await back.client.cut();
    await fixture.pass(9_000);
    expect(ann.client.wire.take()).toEqual([]);
    await fixture.pass(1_000);
    await fixture.pass(200);
    expect(ann.client.wire.take()).toMatchObject([{ count: 1, left: [{ client: bo.welcome["client"] }] }]);
  });

  test("[PUSH13] after it has slept the gate sends the whole with the next change, and nothing before", async () => {
    const fixture = new GateFixture(RULES);
    const { client } = await fixture.connect();
    await ask(client);
    await fixture.pass(200);
    client.wire.take();
    fixture.restart("kept");
    await fixture.pass(30_000);
    expect(client.wire.take()).toEqual([]);
    const other = await fixture.connect();
    await ask(other.client);
    await fixture.pass(200);
    expect(client.wire.take()).toMatchObject([{ count: 2, here: [{}, {}] }]);
  });

  test("[PUSH13] a list has 500 clients, those that are there for longest, and the number of all", async () => {
    const fixture = new GateFixture(RULES, { gateClients: 1_000 });
    const clients = [];
    for (let index = 0; index < PRESENCE.listed + 20; index++) {
      const { client } = await fixture.connect();
      await fixture.gate.received(client.wire, JSON.stringify({ kind: "subscribe", topic: ROOM, presence: true }));
      clients.push(client);
      if (index === 0) await fixture.pass(1);
    }
    await fixture.pass(3_000);
    const [first, last] = [clients[0] as TestClient, clients.at(-1) as TestClient];
    const frames = last.wire.take();
    expect(frames.at(-1)).toMatchObject({ count: PRESENCE.listed + 20 });
    expect(frames.at(-1)?.["here"]).toHaveLength(PRESENCE.listed);
    first.wire.take();
    await (clients[1] as TestClient).say({ kind: "leave" });
    await fixture.pass(3_000);
    const [change] = first.wire.take();
    expect(change).toMatchObject({ count: PRESENCE.listed + 19, left: [{}], joined: [{}] });
  });

  test("[PUSH13] a client that reads nothing is sent nothing more, and the whole when it has read", async () => {
    const fixture = new GateFixture(RULES);
    const { client } = await fixture.connect();
    await ask(client);
    const other = await fixture.connect();
    for (let time = 0; time < 100; time++) {
      await ask(other.client, ROOM, time % 2 === 0);
      await fixture.pass(200);
    }
    const frames = client.wire.take();
    const check = frames.find(({ kind }) => kind === "check");
    expect(frames.filter(({ kind }) => kind === "presence").length).toBe(64);
    await ask(other.client);
    expect(await client.say(check)).toMatchObject([{ kind: "presence", here: [{}] }, { kind: "check" }]);
    await fixture.pass(200);
    expect(client.wire.take()).toMatchObject([{ kind: "presence", count: 2, joined: [{}] }]);
  });
});

describe("who takes part, over several gates", () => {
  test("[PUSH13] clients of all gates see each other, each told once", async () => {
    using cluster = clusterOf(3);
    const all = await members(cluster, 6);
    await cluster.clock.advance(5_000);
    expect(new Set(all.map(({ client }) => client.split(".")[0])).size).toBe(3);
    for (const one of all) expect(seen(one)).toEqual(ids(all));
    const [gone, ...rest] = all as [TestConnection, ...TestConnection[]];
    gone.leave();
    await cluster.clock.advance(5_000);
    for (const one of rest) expect(seen(one)).toEqual(ids(rest));
  });

  test("[PUSH13] while nothing changes, gates say nothing but that they live, every two minutes", async () => {
    using cluster = clusterOf(3);
    const told = vi.spyOn(TestGates.prototype, "presence");
    await members(cluster, 6);
    await cluster.clock.advance(5_000);
    told.mockClear();
    await cluster.clock.advance(600_000);
    expect(told.mock.calls.flatMap(([, { notes }]) => notes)).toEqual([]);
    expect(told.mock.calls.length).toBeLessThanOrEqual(2 * 5);
  });

  test.each([["g0"], ["g1"], ["g2"]])(
    "[PUSH13] clients of a gate that was killed leave if they do not come back: %s",
    async (gate) => {
      using cluster = clusterOf(3);
      const all = await members(cluster, 6);
      await cluster.clock.advance(5_000);
      cluster.crash(gate);
      const rest = all.filter(({ isOpen }) => isOpen);
      await cluster.clock.advance(5_000);
      for (const one of rest) expect(seen(one)).toEqual(ids(all));
      await cluster.clock.advance(135_000);
      for (const one of rest) expect(seen(one)).toEqual(ids(rest));
    },
  );

  test("[PUSH13] a gate that is dead for five minutes has nobody, and when it is back has its clients", async () => {
    using cluster = clusterOf(3);
    const all = await members(cluster, 6);
    await cluster.clock.advance(5_000);
    const keeper = keeperOf(cluster);
    const dead = ["g0", "g1", "g2"].find((gate) => gate !== keeper) as string;
    const { presence } = TestGates.prototype;
    const cut = vi.spyOn(TestGates.prototype, "presence").mockImplementation(async function (
      this: TestGates,
      to,
      message,
    ) {
      if (to === dead || message.from === dead) throw new EdgeverseError("UNAVAILABLE", "cut");
      return presence.call(this, to, message);
    });
    await cluster.clock.advance(480_000);
    const rest = all.filter(({ client }) => !client.startsWith(dead));
    for (const one of rest) expect(seen(one)).toEqual(ids(rest));
    cut.mockRestore();
    await cluster.clock.advance(130_000);
    for (const one of all) expect(seen(one)).toEqual(ids(all));
  });

  test("[PUSH13] what comes late and is old changes nothing", async () => {
    using cluster = clusterOf(2);
    const late: (() => Promise<unknown>)[] = [];
    const { presence } = TestGates.prototype;
    vi.spyOn(TestGates.prototype, "presence").mockImplementation(function (this: TestGates, to, message) {
      late.push(() => presence.call(this, to, message));
      return presence.call(this, to, message);
    });
    const all = await members(cluster, 4);
    await cluster.clock.advance(5_000);
    const [gone, ...rest] = all as [TestConnection, ...TestConnection[]];
    gone.leave();
    await cluster.clock.advance(5_000);
    for (const again of late.reverse()) await again();
    await cluster.clock.advance(5_000);
    for (const one of rest) expect(seen(one)).toEqual(ids(rest));
  });
});

function keeperOf(cluster: TestCluster): string {
  for (const gate of ["g0", "g1", "g2"])
    if (cluster.storage(gate).query("SELECT 1 AS one FROM reports").length > 0) return gate;
  throw new Error("no gate keeps the topic");
}
