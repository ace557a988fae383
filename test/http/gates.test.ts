import { describe, expect, test } from "vitest";
import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { gatesToTry } from "../../src/http/open-at-gate.ts";
import type { GateDoor } from "../../src/http/ports.ts";
import { UNUSED_GATE } from "../../src/push/gate-status.ts";
import { PushRules } from "../../src/push/push-rules.ts";
import { GATE_CLOSED } from "../../src/push/reception.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import { testUuid } from "../../src/testing/test-uuid.ts";
import { httpOf } from "../access/http-of.ts";
import { codeOf, httpFixture } from "./http-fixture.ts";

const RULES = new PushRules({ connect: { anonymous: true } });
const never = () => new Promise<never>(() => undefined);

/** The gates of a cluster, over HTTP. */
function setup() {
  const cluster = new TestCluster({ objects: [], config: { gates: 2 } });
  const status: GateDoor["status"] = async (name) => cluster.gates.status(name);
  const http = httpOf(cluster, { gates: { names: ["g0", "g1"], rules: RULES, open: never, stream: never, status } });
  const ask = async (path: string, method = "GET") => {
    const body = method === "POST" ? { body: "{}" } : {};
    const init = { method, headers: { authorization: "Bearer t" }, ...body };
    const answer = await http(new Request(`http://host.test/admin/v1/${path}`, init));
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  cluster.coordinator.bootstrap(cluster.genesis);
  return { cluster, ask };
}

describe("/admin/v1/gates", () => {
  test("[PUSH14] says how each gate is, and what it has done", async () => {
    const { cluster, ask } = setup();
    using _ = cluster;
    const ann = await cluster.connect({ topics: ["a", "b"] });
    ann.cut();
    await ann.resume();
    const { body } = await ask("gates");
    expect(body["gates"]).toMatchObject([
      { name: "g0", state: "active", goesBy: "active", clients: 1, sessions: 1, subscriptions: 2, drained: false },
      { name: "g1", clients: 0, counts: { connections: 0 } },
    ]);
    expect((await ask("gates/g0")).body["counts"]).toMatchObject({ connections: 2, resumed: 1, refused: 0 });
    expect((await ask("gates/g7")).body).toMatchObject({ code: "NOT_FOUND" });
  });

  test("[PUSH14] drains a gate, but not the last one, and the audit says who did", async () => {
    const { cluster, ask } = setup();
    using _ = cluster;
    expect((await ask("gates/g0/drain", "POST")).body).toEqual({ name: "g0", state: "draining", version: 1 });
    await cluster.clock.advance(100);
    expect((await ask("gates/g0")).body).toMatchObject({ state: "draining", goesBy: "draining", drained: true });
    expect(await ask("gates/g1/cordon", "POST")).toMatchObject({ status: 409, body: { code: "CONFLICT" } });
    expect(await ask("gates/g7/drain", "POST")).toMatchObject({ status: 404 });
    expect((await ask("gates/g0/uncordon", "POST")).body).toMatchObject({ state: "active", version: 2 });
    const { entries } = (await ask("audit")).body as { entries: Record<string, unknown>[] };
    const told = entries.map(({ command, outcome, details }) => [command, outcome, details]);
    expect(told).toEqual([
      ["uncordon-gate", "done", { name: "g0" }],
      ["drain-gate", "NOT_FOUND", { name: "g7" }],
      ["cordon-gate", "CONFLICT", { name: "g1" }],
      ["drain-gate", "done", { name: "g0" }],
    ]);
    expect(entries[0]?.["actor"]).toMatch(/^admin token /);
  });

  test("[PUSH14] shows a gate that can't be asked, as documented", async () => {
    const status: GateDoor["status"] = async (name) => {
      if (name === "g0") return UNUSED_GATE;
      throw new Error("the object was reset");
    };
    const http = httpFixture({ gates: { names: ["g0", "g1"], rules: RULES, open: never, stream: never, status } });
    const { gates } = (await (await http.admin("gates")).json()) as { gates: unknown[] };
    expect(gates).toMatchObject([
      { name: "g0", reachable: true, clients: 0 },
      { name: "g1", reachable: false, error: { code: "UNAVAILABLE" } },
    ]);
    expect(await (await httpFixture().admin("gates")).json()).toEqual({ gates: [] });
  });
});

describe("the gate for a client", () => {
  const names = ["g0", "g1", "g2"];
  const client = `g1.${"0".repeat(32)}`;
  const random = { uuid: () => testUuid(0) };

  test("[PUSH14] is the one that has its session, then others that take new clients", () => {
    const tried = (known: string, closed: readonly string[]) =>
      gatesToTry(names, known, (name) => (closed.includes(name) ? "draining" : "active"), random);
    expect(tried("", [])).toHaveLength(3);
    expect(tried(client, [])[0]).toBe("g1");
    expect(tried(client, ["g1", "g0"])).toEqual(["g1", "g2"]);
    expect(tried("", ["g1", "g0"])).toEqual(["g2"]);
    expect(tried(`g9.${"0".repeat(32)}`, ["g0"]).toSorted()).toEqual(["g1", "g2"]);
  });

  test("[PUSH14] is another one if the first is full or closed; but a session is at its own gate alone", async () => {
    const refusals: Record<string, EdgeverseError> = {};
    const asked: string[] = [];
    const open: GateDoor["open"] = async (gate) => {
      asked.push(gate);
      throw refusals[gate] as EdgeverseError;
    };
    const http = httpFixture({ gates: { names, rules: RULES, open, stream: never, status: never } });
    const headers = { upgrade: "websocket", "sec-websocket-protocol": "edgeverse.v1" };
    const connect = async (query = "") => {
      const answer = await codeOf(await http.fetch(`/api/v1/events/socket${query}`, { headers }));
      return [answer, ...asked.splice(0)];
    };
    const full = new EdgeverseError("OVERLOADED", "full");
    const closed = new EdgeverseError("UNAVAILABLE", "closed", { reason: GATE_CLOSED });
    Object.assign(refusals, { g0: full, g1: full, g2: full });
    expect((await connect()).toSorted()).toEqual(["OVERLOADED", "g0", "g1", "g2"]);
    expect(await connect(`?client=${client}`)).toEqual(["OVERLOADED", "g1"]);
    refusals["g1"] = closed;
    expect((await connect(`?client=${client}`)).slice(0, 2)).toEqual(["OVERLOADED", "g1"]);
    expect(asked).toEqual([]);
    http.parts.settings.live.apply({ version: 1, document: { gates: { g0: "cordoned", g2: "draining" } } });
    expect(await connect()).toEqual(["UNAVAILABLE", "g1"]);
  });
});
