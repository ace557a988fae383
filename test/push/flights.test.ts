import { describe, expect, test } from "vitest";
import { FLIGHTS } from "../../src/push/flights.ts";
import { CLOSE, data, GateFixture, type TestClient } from "./gate-fixture.ts";

const BIG = "x".repeat(130_000);
const CLIENTS = 600;

/** A gate with so many clients that not all of them can be sent a big message at once. */
async function crowd() {
  const fixture = new GateFixture(undefined, { gateClients: CLIENTS, pushLog: 8 * 1024 * 1024 });
  const clients: TestClient[] = [];
  for (let index = 0; index < CLIENTS; index++) clients.push((await fixture.connect({ topics: ["room"] })).client);
  const heard = new Map<TestClient, unknown[]>(clients.map((client) => [client, []]));
  /** Takes what has come; gives those who got something, and the number of the last message of each. */
  const look = () => {
    const got = new Map<TestClient, number>();
    for (const client of clients) {
      const frames = client.wire.take().filter(({ kind }) => kind === "message");
      heard.get(client)?.push(...data(frames).map((text) => String(text).slice(0, 5)));
      if (frames.length > 0) got.set(client, Number(frames.at(-1)?.["n"]));
    }
    return got;
  };
  const acknowledge = async (got: ReadonlyMap<TestClient, number>) => {
    for (const [client, seen] of got) void client.say({ kind: "ack", seen });
    await fixture.clock.advance(1);
  };
  return { fixture, clients, heard, look, acknowledge };
}

describe("what is on its way to all clients of a gate", () => {
  test("[PUSH7] is bounded: they take turns, miss nothing, and those who take it do not wait for others", async () => {
    const { fixture, heard, look, acknowledge } = await crowd();
    await fixture.publish("room", BIG);
    let got = look();
    expect(got.size).toBe(Math.floor(FLIGHTS.bytes / (BIG.length + 2 + 200 + "topic room".length)));
    await fixture.publish("room", "small");
    for (let turns = 0; got.size > 0; turns++) {
      expect(turns).toBeLessThan(10);
      await acknowledge(got);
      got = look();
    }
    for (const texts of heard.values()) expect(texts).toEqual(["xxxxx", "small"]);
  });

  test("[PUSH7] who holds the room for which others wait, and takes nothing, is closed; its session goes on", async () => {
    const { fixture, clients, heard, look, acknowledge } = await crowd();
    await fixture.publish("room", BIG);
    const first = look();
    const good = new Map([...first].slice(0, 10));
    await acknowledge(good);
    expect(look().size).toBe(10);
    await fixture.clock.advance(60_000);
    const closed = clients.filter(({ wire }) => wire.closed === CLOSE.silent);
    expect(closed.length).toBeGreaterThan(490);
    expect([...good.keys()].some(({ wire }) => wire.closed !== undefined)).toBe(false);
    look();
    // All the others have it now.
    for (const [client, texts] of heard) if (client.wire.closed === undefined) expect(texts).toEqual(["xxxxx"]);
  });

  test("[PUSH7] with nobody waiting, who takes nothing has two minutes", async () => {
    const fixture = new GateFixture();
    const { client } = await fixture.connect({ topics: ["room"] });
    await fixture.publish("room", BIG);
    await fixture.clock.advance(90_000);
    expect(client.wire.closed).toBeUndefined();
  });
});
