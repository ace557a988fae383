import { TestCluster } from "edgeverse/testing";
import { afterEach, describe, expect, test } from "vitest";
import { partitionClient } from "../../src/partition/client.ts";
import { EventRefused } from "../../src/partition/events/ports.ts";
import type { EventKey, EventVerdict } from "../../src/router/event-views.ts";
import type { TestSinks } from "../../src/testing/test-sinks.ts";
import { FakeSink, Till } from "./events-fixture.ts";

let cluster: TestCluster;
afterEach(() => cluster.stop());

function start(sinks?: TestSinks, config = {}, partitions = 1) {
  cluster = new TestCluster({ objects: [Till], partitions, config, ...(sinks === undefined ? {} : { sinks }) });
  return cluster.object(Till, "a");
}

function rows(name = "p0") {
  return cluster.storage(name).query("SELECT n, status, error FROM events");
}

describe("events", () => {
  test("[EVT1] [EVT3] of a turn reach their sink as CloudEvents, and nothing is left of them here", async () => {
    const till = start();
    const [id] = await till.add({ amount: 3 });
    await cluster.clock.advance(10);
    expect(cluster.events).toEqual([
      {
        specversion: "1.0",
        id,
        source: "/objects/Till",
        type: "till.added",
        subject: "a",
        time: new Date(cluster.clock.now() - 11).toISOString(),
        sequence: expect.stringMatching(/^\d{10}\.\d{16}$/),
        datacontenttype: "application/json",
        data: { amount: 3, total: 3 },
      },
    ]);
    expect(rows()).toEqual([]);
  });

  test("[EVT1] of a turn that fails never were", async () => {
    const till = start();
    await expect(till.add({ amount: 3, fails: true })).rejects.toMatchObject({ reason: "NO" });
    await cluster.clock.advance(1_000);
    expect(cluster.events).toEqual([]);
    expect(rows()).toEqual([]);
  });

  test("[EVT1] a readonly turn has none", async () => {
    const till = start();
    await expect(till.emitPeek()).rejects.toMatchObject({ code: "INTERNAL" });
    expect(String(cluster.thrown[0])).toContain("Cannot emit from Till/a: Till.emitPeek is declared readonly");
  });

  test("[EVT1] fit their schemas, and have a topic that their class declares", async () => {
    const till = start();
    await expect(till.unknown()).rejects.toThrow('did you mean "till.added"');
    await expect(till.wrong()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(till.text({ size: 96 * 1024 })).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
    expect(cluster.events).toEqual([]);
  });

  test("[EVT2] of one object come in order, also when the sink fails in between, and again under the same ids", async () => {
    const sink = new FakeSink();
    const till = start({ one: { topics: "*", sink } });
    let failures = 3;
    sink.answer = async () => {
      if (failures-- > 0) throw new Error("down");
    };
    const ids: string[] = [];
    for (let amount = 1; amount <= 5; amount++) ids.push(...(await till.add({ amount, times: 2 })));
    await cluster.clock.advance(5_000);
    const seen = sink.sent.flat().map(({ id }) => id);
    expect([...new Set(seen)]).toEqual(ids);
    expect(seen.length).toBeGreaterThan(ids.length);
    const sequences = sink.sent.flat().map(({ sequence }) => sequence);
    expect([...new Set(sequences)]).toEqual([...new Set(sequences)].sort());
    expect(rows()).toEqual([]);
  });

  test("[EVT2] after a crash the next process goes on, with greater numbers whatever its clock says", async () => {
    const sink = new FakeSink();
    sink.answer = () => new Promise(() => undefined);
    const till = start({ one: { topics: "*", sink } });
    await till.add({ amount: 1 });
    await till.add({ amount: 2 });
    await cluster.clock.advance(1);
    cluster.crash("p0");
    sink.answer = async () => undefined;
    await cluster.clock.advance(10_000);
    await till.add({ amount: 4 });
    await cluster.clock.advance(10);
    expect(sink.totals).toEqual([1, 1, 3, 7]);
    const [before, again] = sink.sent.flat().map(({ id }) => id);
    expect(again).toBe(before);
    expect(rows()).toEqual([]);
  });

  test("[EVT4] a sink that is silent holds up no other, and no calls", async () => {
    const [silent, well] = [new FakeSink(), new FakeSink()];
    silent.answer = () => new Promise(() => undefined);
    const till = start({ silent: { topics: "*", sink: silent }, well: { topics: ["till.added"], sink: well } });
    for (let amount = 1; amount <= 3; amount++) await till.add({ amount });
    await cluster.clock.advance(100);
    expect(well.totals).toEqual([1, 3, 6]);
    expect(rows()).toHaveLength(3);
  });

  test("[EVT4] beyond the bound of one sink turns are refused whose events it takes, and no others", async () => {
    const [silent, well] = [new FakeSink(), new FakeSink()];
    silent.answer = () => new Promise(() => undefined);
    const sinks = { silent: { topics: ["till.added"], sink: silent }, well: { topics: ["till.large"], sink: well } };
    const till = start(sinks, { events: 2_000 });
    for (let amount = 1; amount <= 3; amount++) await till.add({ amount });
    await expect(till.add({ amount: 4 })).rejects.toMatchObject({
      code: "OVERLOADED",
      message: expect.stringContaining('"silent"'),
    });
    expect(await till.peek()).toBe(6);
    await till.text({ size: 100 });
    await cluster.clock.advance(100);
    expect(well.sent).toHaveLength(1);
  });

  test("[EVT5] what a sink refuses is found among others, tried for 15 minutes, and set aside; the rest goes on", async () => {
    const sink = new FakeSink();
    const till = start({ one: { topics: "*", sink } });
    sink.answer = async (events) => {
      if (events.some(({ data }) => (data as { amount: number }).amount === 13)) throw new EventRefused("unlucky");
    };
    await Promise.all([till.add({ amount: 1 }), cluster.object(Till, "b").add({ amount: 7 })]);
    await till.add({ amount: 13 });
    await till.add({ amount: 2 });
    await cluster.object(Till, "b").add({ amount: 8 });
    await cluster.clock.advance(1_000);
    const arrived = () =>
      sink.sent
        .filter((events) => !events.some(({ data }) => (data as { amount: number }).amount === 13))
        .flat()
        .map(({ data }) => (data as { amount: number }).amount);
    expect(arrived().sort()).toEqual([1, 7, 8]);
    await cluster.clock.advance(16 * 60_000);
    expect(arrived().sort()).toEqual([1, 2, 7, 8]);
    expect(rows()).toEqual([{ n: expect.any(String), status: "dead", error: "unlucky" }]);
    expect(cluster.warnings).toContainEqual({
      event: "an event can't be delivered, and is set aside",
      details: expect.objectContaining({ sink: "one", topic: "till.added", error: "unlucky" }),
    });
  });

  test("[EVT5] what a sink can't take for its patience is set aside", async () => {
    const sink = new FakeSink();
    sink.patience = 60_000;
    sink.answer = async () => {
      throw new Error("away");
    };
    const till = start({ one: { topics: "*", sink } });
    await till.add({ amount: 1 });
    await cluster.clock.advance(50_000);
    expect(rows()).toMatchObject([{ status: "waiting" }]);
    await cluster.clock.advance(60_000);
    expect(rows()).toMatchObject([{ status: "dead", error: "away" }]);
  });

  test("[EVT2] move with their object, half shipped, and come in order from the next owner", async () => {
    const sink = new FakeSink();
    const till = start({ one: { topics: "*", sink } }, {}, 2);
    for (let amount = 1; amount <= 3; amount++) await till.add({ amount });
    await cluster.clock.advance(10);
    sink.answer = () => new Promise(() => undefined);
    for (let amount = 4; amount <= 6; amount++) await till.add({ amount });
    const from = cluster.ownerOf(Till, "a");
    await cluster.move(Till, "a", { to: from === "p0" ? "p1" : "p0" });
    sink.answer = async () => undefined;
    await till.add({ amount: 7 });
    await cluster.clock.advance(30_000);
    const first = [...new Map(sink.sent.flat().map((event) => [event.id, event])).values()];
    expect(first.map(({ data }) => (data as { amount: number }).amount)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(first.map(({ sequence }) => sequence)).toEqual(first.map(({ sequence }) => sequence).sort());
    expect(rows("p0")).toEqual([]);
    expect(rows("p1")).toEqual([]);
  });

  test("[EVT4] an object whose events are refused holds up no other, however many it has", async () => {
    const sink = new FakeSink();
    const till = start({ one: { topics: "*", sink } });
    sink.answer = async (events) => {
      if (events.some(({ subject }) => subject === "a")) throw new EventRefused("not a");
    };
    for (let call = 0; call < 6; call++) await till.add({ amount: 1, times: 900 });
    await cluster.object(Till, "b").add({ amount: 1 });
    await cluster.clock.advance(1_000);
    expect(sink.sent.filter((events) => events.every(({ subject }) => subject === "b")).flat()).toHaveLength(1);
    sink.answer = async () => undefined;
    await cluster.clock.advance(120_000);
    const totals = [
      ...new Set(
        sink.sent
          .flat()
          .filter(({ subject }) => subject === "a")
          .map(({ data }) => (data as { total: number }).total),
      ),
    ];
    expect(totals).toEqual(Array.from({ length: 5_400 }, (_, index) => index + 1));
    expect(rows()).toEqual([]);
  });
});

test("[EVT3] every topic has a sink, and every sink topics that are declared", () => {
  const sink = new FakeSink();
  const make = (sinks: TestSinks) => () => new TestCluster({ objects: [Till], sinks });
  expect(make({ one: { topics: ["till.added"], sink } })).toThrow('no sink takes its event "till.large"');
  expect(make({ one: { topics: ["till.added", "till.larg"], sink } })).toThrow('did you mean "till.large"?');
  expect(make({ One: { topics: "*", sink } })).toThrow("its name must be");
  expect(make({ one: { topics: ["till.added"], sink }, rest: { topics: ["till.large"] } })).not.toThrow();
  cluster = new TestCluster({ objects: [Till] });
});

describe("events that were set aside", () => {
  const client = () => partitionClient(cluster.partition("p0"));

  const decide = (verdict: EventVerdict, key: EventKey) => cluster.clock.until(client().decideEvent(verdict, key));

  async function setAside() {
    const sink = new FakeSink();
    sink.patience = 1;
    sink.answer = async () => {
      throw new Error("away");
    };
    const till = start({ one: { topics: "*", sink } });
    for (let amount = 1; amount <= 3; amount++) await till.add({ amount });
    await cluster.clock.advance(60_000);
    sink.answer = async () => undefined;
    sink.sent.length = 0;
    return sink;
  }

  test("[EVT5] are listed page by page, and sent once more or removed", async () => {
    const sink = await setAside();
    const { events, next } = await client().asideEvents({ limit: 2 });
    expect(events).toMatchObject([
      { sink: "one", type: "Till", id: "a", topic: "till.added", error: "away" },
      { sink: "one", type: "Till", id: "a", topic: "till.added", error: "away" },
    ]);
    const rest = await client().asideEvents({ limit: 2, after: next ?? undefined });
    expect(rest).toMatchObject({ events: [{ sink: "one" }], next: null });
    expect((await client().status()).sinks).toMatchObject([{ sink: "one", waiting: 0, dead: 3, trouble: "away" }]);
    const [first, second] = events as unknown as [EventKey, EventKey];
    expect(await decide("drop", first)).toEqual({ found: true });
    expect(await decide("drop", first)).toEqual({ found: false });
    expect(await decide("retry", second)).toEqual({ found: true });
    await cluster.clock.advance(10);
    expect(sink.totals).toEqual([3]);
    expect(await decide("retry", second)).toEqual({ found: false });
    expect(rows()).toMatchObject([{ status: "dead" }]);
    expect((await client().status()).sinks).toMatchObject([{ dead: 1, bytes: expect.any(Number), trouble: null }]);
  });

  test("[EVT5] one that waits to be sent is left alone", async () => {
    const sink = new FakeSink();
    sink.answer = () => new Promise(() => undefined);
    const [eventId = ""] = await start({ one: { topics: "*", sink } }).add({ amount: 1 });
    const key = { sink: "one", type: "Till", id: "a", eventId };
    expect(await decide("drop", key)).toEqual({ refused: "the event waits to be sent" });
    expect(rows()).toHaveLength(1);
  });
});
