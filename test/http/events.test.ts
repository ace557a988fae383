import { describe, expect, it } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import type { GateDoor } from "../../src/http/ports.ts";
import { UNUSED_GATE } from "../../src/push/gate-status.ts";
import { PushRules } from "../../src/push/push-rules.ts";
import { codeOf, httpFixture } from "./http-fixture.ts";

/** What a request for a socket asks a gate. A real 101 is only to be had in workerd. */
function doorFixture(rules: PushRules, open?: GateDoor["open"]) {
  const asked: { gate: string; identity: unknown }[] = [];
  const http = httpFixture({
    gates: {
      stream: () => Promise.reject(new Error("not asked")),
      names: ["g0", "g1"],
      rules,
      open:
        open ??
        (async (gate, identity) => {
          asked.push({ gate, identity });
          throw new EdgeverseError("OVERLOADED", "asked");
        }),
      status: async () => UNUSED_GATE,
    },
    authenticate: async (request) => {
      const id = request.headers.get("authorization")?.slice("Bearer ".length);
      if (id === "bad") throw new EdgeverseError("UNAUTHENTICATED", "bad");
      return id === undefined ? null : { id, roles: [] };
    },
  });
  const ask = async (headers: Record<string, string> = {}, query = "") => {
    const all = { upgrade: "websocket", "sec-websocket-protocol": "edgeverse.v1", ...headers };
    return codeOf(await http.fetch(`/api/v1/events/socket${query}`, { headers: all }));
  };
  return { http, ask, asked };
}

const OPEN = new PushRules({ connect: { anonymous: true } });

describe("GET /api/v1/events/socket", () => {
  it("[PUSH5] is not there on a host without gates or without rules for clients", async () => {
    const answer = await httpFixture().fetch("/api/v1/events/socket", { headers: { upgrade: "websocket" } });
    expect(await codeOf(answer)).toBe("NOT_FOUND");
  });

  it("[PUSH1] wants an upgrade to a WebSocket, and the protocol", async () => {
    const { ask, asked } = doorFixture(OPEN);
    expect(await ask({ upgrade: "h2c" })).toBe("INVALID_ARGUMENT");
    expect(await ask({ "sec-websocket-protocol": "edgeverse.v2, chat" })).toBe("INVALID_ARGUMENT");
    expect(asked).toEqual([]);
  });

  it("[PUSH1] leads to the gate that the client id names, if there is one", async () => {
    const { ask, asked } = doorFixture(OPEN);
    const client = (gate: string) => `?client=${gate}.${"0".repeat(32)}`;
    for (const query of [client("g1"), client("g1"), client("g0"), client("g7"), "?client=g1", "?client=%00"])
      expect(await ask({}, query)).toBe("OVERLOADED");
    expect(asked.slice(0, 3).map(({ gate }) => gate)).toEqual(["g1", "g1", "g0"]);
    expect(asked.every(({ gate }) => ["g0", "g1"].includes(gate))).toBe(true);
  });

  it("[PUSH5] knows a client by its credentials, in a header or among the protocols, and by nothing else", async () => {
    const { ask, asked } = doorFixture(OPEN);
    await ask({ authorization: "Bearer ann" });
    await ask({ "sec-websocket-protocol": "edgeverse.v1, bearer.bo" });
    await ask({ "x-edgeverse-identity": '{"id":"eve","roles":["admin"]}' });
    // A gate that is full is not the only one that is asked.
    const known = new Set(asked.map(({ identity }) => JSON.stringify(identity)));
    expect(Array.from(known, (text) => JSON.parse(text))).toEqual([
      { id: "ann", roles: [] },
      { id: "bo", roles: [] },
      null,
    ]);
    expect(await ask({ authorization: "Bearer bad" })).toBe("UNAUTHENTICATED");
  });

  it("[PUSH5] denies whom no rule lets in, and pages of other sites", async () => {
    const known = doorFixture(new PushRules({ connect: {} }));
    expect(await known.ask()).toBe("UNAUTHENTICATED");
    expect(await known.ask({ authorization: "Bearer ann" })).toBe("OVERLOADED");
    expect(await doorFixture(new PushRules({})).ask({ authorization: "Bearer ann" })).toBe("ACCESS_DENIED");
    expect(await known.ask({ authorization: "Bearer ann", origin: "https://evil.example" })).toBe("ACCESS_DENIED");
    expect(await known.ask({ authorization: "Bearer ann", origin: "http://host.test" })).toBe("OVERLOADED");
  });

  it("[PUSH1] is UNAVAILABLE while the gate can't be reached", async () => {
    const lost = doorFixture(OPEN, async () => {
      throw new Error("the object was reset");
    });
    expect(await lost.ask()).toBe("UNAVAILABLE");
    const silent = doorFixture(OPEN, () => new Promise<never>(() => {}));
    const answer = silent.ask();
    await silent.http.clock.advance(10_000);
    expect(await answer).toBe("UNAVAILABLE");
  });
});
