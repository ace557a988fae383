import { describe, expect, test } from "vitest";
import { checkIdentity, expiryOf, type Identity } from "../../src/access/identity.ts";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { CLOSE, GateFixture } from "./gate-fixture.ts";

const RULES = { topics: { "user/*": { owner: true }, "staff/**": { roles: ["staff"] } } };
const soon = (fixture: GateFixture, ms = 60_000) => fixture.clock.now() + ms;
const ann = (roles: readonly string[] = [], expiresAt?: number): Identity =>
  checkIdentity({ id: "ann", roles, ...(expiresAt === undefined ? {} : { expiresAt }) });

describe("credentials that end", () => {
  test("[PUSH10] an identity keeps when it ends to itself: objects and other processes don't see it", () => {
    const identity = ann([], 5);
    expect(expiryOf(identity)).toBe(5);
    expect(identity).toEqual({ id: "ann", roles: [] });
    expect(expiryOf(ann())).toBeUndefined();
  });

  test("[PUSH10] a connection ends with them, also after the gate has slept; its session goes on", async () => {
    const fixture = new GateFixture(RULES);
    const { client } = await fixture.connect({ topics: ["user/ann"] }, ann(), soon(fixture));
    const forever = await fixture.connect({}, ann());
    fixture.restart("kept");
    await fixture.pass(59_999);
    expect(client.wire.closed).toBeUndefined();
    await fixture.pass(1);
    expect(client.wire.closed).toBe(CLOSE.expired);
    expect(forever.client.wire.closed).toBeUndefined();
    expect(fixture.gate.stats).toMatchObject({ connected: 1, sessions: 2 });
  });

  test("[PUSH10] a frame that comes later than they end does nothing", async () => {
    const fixture = new GateFixture(RULES);
    const { client } = await fixture.connect({}, ann(), soon(fixture));
    await fixture.clock.advance(60_000);
    expect(await client.say({ kind: "subscribe", topic: "user/ann" })).toEqual([]);
    expect(client.wire.closed).toBe(CLOSE.expired);
  });

  test("[PUSH10] a fresh token of the same identity renews the connection", async () => {
    const fixture = new GateFixture(RULES);
    fixture.identify = () => ann([], soon(fixture));
    const { client } = await fixture.connect({}, ann(), soon(fixture));
    await fixture.pass(50_000);
    expect(await client.say({ kind: "token", token: "fresh" })).toEqual([{ kind: "renewed" }]);
    await fixture.pass(50_000);
    expect(client.wire.closed).toBeUndefined();
    fixture.restart("kept");
    await fixture.pass(10_000);
    expect(client.wire.closed).toBe(CLOSE.expired);
  });

  test("[PUSH10] it counts with the roles that the token has: topics that it may not listen to any more are refused", async () => {
    const fixture = new GateFixture(RULES);
    const { client } = await fixture.connect({ topics: ["staff/news", "user/ann"] }, ann(["staff"]), soon(fixture));
    fixture.identify = () => ann([], soon(fixture));
    expect(await client.say({ kind: "token", token: "fresh" })).toEqual([
      { kind: "error", topic: "staff/news", error: expect.objectContaining({ code: "ACCESS_DENIED" }) },
      { kind: "renewed" },
    ]);
    await fixture.publish("staff/news", "secret");
    await fixture.publish("user/ann", "mine");
    expect(client.wire.take()).toMatchObject([{ topic: "user/ann" }]);
  });

  test.each([
    ["another identity", () => checkIdentity({ id: "bob", roles: [] })],
    ["nobody", () => null],
    ["one that has expired", () => ann([], 1)],
  ])("[PUSH10] a token for %s ends the connection", async (_, identify) => {
    const fixture = new GateFixture(RULES);
    fixture.identify = identify;
    const { client } = await fixture.connect({}, ann(), soon(fixture));
    expect(await client.say({ kind: "token", token: "other" })).toMatchObject([{ error: { code: "UNAUTHENTICATED" } }]);
    expect(client.wire.closed).toBe(CLOSE.refused);
  });

  test("[PUSH10] a token that nobody can judge now leaves the connection as it is: it may be sent again", async () => {
    const fixture = new GateFixture(RULES);
    fixture.identify = () => {
      throw new EdgeverseError("UNAVAILABLE", "The keys can't be had", { retryAfter: 1 });
    };
    const { client } = await fixture.connect({}, ann(), soon(fixture));
    const later = { code: "UNAVAILABLE", message: "The keys can't be had", retryable: true, retryAfter: 1 };
    expect(await client.say({ kind: "token", token: "fresh" })).toEqual([{ kind: "renewed", error: later }]);
    fixture.identify = () => ann([], soon(fixture, 120_000));
    expect(await client.say({ kind: "token", token: "fresh" })).toEqual([{ kind: "renewed" }]);
    fixture.identify = () => {
      throw new EdgeverseError("UNAVAILABLE", "again");
    };
    await client.say({ kind: "token", token: "fresh" });
    await fixture.pass(120_000);
    expect(client.wire.closed).toBe(CLOSE.expired);
  });

  test("[ACC5] credentials that are revoked end the connections that they have opened, also after a sleep", async () => {
    const fixture = new GateFixture(RULES);
    const clients = ["key-1", "key-2", undefined].map((key) => fixture.open(ann(), undefined, "", key));
    await clients[0]?.say({ kind: "hello" });
    await clients[2]?.say({ kind: "hello" });
    fixture.restart("kept");
    fixture.gate.revoke(["key-1", "key-2", "key-3"]);
    await fixture.pass(1);
    expect(clients.map(({ wire }) => wire.closed)).toEqual([CLOSE.expired, CLOSE.expired, undefined]);
  });

  test("[PUSH10] an anonymous connection has nothing to renew", async () => {
    const fixture = new GateFixture();
    const { client } = await fixture.connect();
    expect(await client.say({ kind: "token", token: "any" })).toMatchObject([{ error: { code: "UNAUTHENTICATED" } }]);
  });
});
