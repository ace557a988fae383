import { describe, expect, test } from "vitest";
import type { WireNote } from "../../src/push/ports.ts";
import { GateFixture, TestClient, TestWire } from "./gate-fixture.ts";

const MOST = 3;

class WireFrom extends TestWire {
  readonly origin: string;

  constructor(origin: string) {
    super();
    this.origin = origin;
  }
}

/** A gate to which clients come from somewhere. */
function house() {
  const fixture = new GateFixture(undefined, { clientConnections: MOST });
  const open = (origin: string, client?: string) => {
    fixture.gate.checkRoom(client, origin);
    const wire = new WireFrom(origin);
    fixture.gate.open(wire, null);
    return new TestClient(() => fixture.gate, wire);
  };
  const refused = expect.objectContaining({ code: "OVERLOADED", retryAfter: 30 });
  return { fixture, open, refused };
}

describe("connections of one client", () => {
  test("[PUSH9] are bounded, whether they say hello or not; others are not affected, and those that end give room", () => {
    const { fixture, open, refused } = house();
    const [first] = Array.from({ length: MOST }, () => open("address 1.2.3.4"));
    expect(() => open("address 1.2.3.4")).toThrow(refused);
    expect(() => open("address 1.2.3.5")).not.toThrow();
    expect(fixture.gate.stats.counts.refused).toBe(1);
    fixture.gate.closed((first as TestClient).wire);
    fixture.gate.closed((first as TestClient).wire);
    expect(() => open("address 1.2.3.4")).not.toThrow();
    expect(() => open("address 1.2.3.4")).toThrow(refused);
  });

  test("[PUSH9] are counted on after the gate has slept", () => {
    const { fixture, open, refused } = house();
    const wires = Array.from({ length: MOST }, () => open("identity ann").wire);
    fixture.restart("lost");
    fixture.gate.restore(wires.map((wire) => [wire, wire.kept as WireNote]));
    expect(() => open("identity ann")).toThrow(refused);
  });

  test("[PUSH9] a session that comes back need not wait until its old connection is known to be broken", async () => {
    const { open, refused } = house();
    const clients = Array.from({ length: MOST }, () => open("address 1.2.3.4"));
    const [welcome] = await (clients[0] as TestClient).say({ kind: "hello" });
    const { client, session } = welcome as unknown as { client: string; session: string };
    expect(() => open("address 1.2.3.4", client.replace(/.$/, "x"))).toThrow(refused);
    const back = open("address 1.2.3.4", client);
    expect(await back.say({ kind: "hello", session })).toMatchObject([{ kind: "welcome", resumed: true }]);
    for (let more = 0; more < MOST - 1; more++) open("address 1.2.3.4", client);
    // Its id is no secret, so that is all.
    expect(() => open("address 1.2.3.4", client)).not.toThrow();
    expect(() => open("address 1.2.3.4", client)).toThrow(refused);
  });
});
