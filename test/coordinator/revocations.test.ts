import { describe, expect, test } from "vitest";
import { checkIdentity, withCredential } from "../../src/access/identity.ts";
import { ApiKeys } from "../../src/coordinator/api-keys.ts";
import { Revocations } from "../../src/coordinator/revocations.ts";
import { migrateCoordinator } from "../../src/coordinator/tables.ts";
import { ManualClock } from "../../src/testing/clocks.ts";
import { SqliteStorage } from "../../src/testing/sqlite-storage.ts";
import { setup } from "./coordinator-fixture.ts";

function fixture() {
  const clock = new ManualClock();
  const storage = new SqliteStorage();
  migrateCoordinator(storage);
  const told: [gate: string, ...credentials: string[]][] = [];
  const away = new Set<string>();
  const gates = {
    names: ["g0", "g1"],
    async revoke(gate: string, credentials: readonly string[]) {
      if (away.has(gate)) throw new Error("away");
      told.push([gate, ...credentials]);
    },
  };
  const make = () => new Revocations({ storage, clock, gates, onPause: () => undefined });
  return { clock, storage, told, away, gates, make };
}

describe("an API key that is revoked", () => {
  test("[ACC5] is told to every gate, and once more when no router takes it any more; then to nobody", async () => {
    const { clock, told, make } = fixture();
    const revocations = make();
    expect(revocations.due).toBeUndefined();
    revocations.add("a");
    revocations.add("b");
    expect(revocations.due).toBe(clock.now());
    revocations.go();
    revocations.go();
    await clock.advance(1);
    expect(told.splice(0)).toEqual([
      ["g0", "a", "b"],
      ["g1", "a", "b"],
    ]);
    const due = revocations.due ?? 0;
    expect(due - clock.now()).toBeGreaterThan(30_000);
    await clock.advance(due - clock.now());
    // Another process goes on with it.
    const next = make();
    next.go();
    await clock.advance(1);
    expect(told).toHaveLength(2);
    expect(next.due).toBeUndefined();
  });

  test("[ACC5] is told again to a gate that can't be reached, and to none that is no more", async () => {
    const { clock, told, away, gates, make } = fixture();
    const revocations = make();
    away.add("g1");
    revocations.add("a");
    revocations.go();
    await clock.advance(1);
    expect(told.splice(0)).toEqual([["g0", "a"]]);
    const due = revocations.due ?? 0;
    expect(due - clock.now()).toBeLessThanOrEqual(2_000);
    away.clear();
    await clock.advance(due - clock.now());
    revocations.go();
    await clock.advance(1);
    expect(told.splice(0)).toEqual([["g1", "a"]]);
    gates.names = [];
    await clock.advance(60_000);
    revocations.go();
    await clock.advance(1);
    expect([told, revocations.due]).toEqual([[], undefined]);
  });

  test("[ACC5] ends connections, whatever the coordinator does meanwhile, and then nothing is left to do", async () => {
    const { made, clock, start } = setup();
    using _ = made;
    await start();
    const keys = new ApiKeys(made.storage("coordinator"), clock, (prefix) => made.coordinator.revoked(prefix));
    const identity = checkIdentity({ id: "billing", roles: [] });
    const operator = { actor: "t", requestId: "r" };
    await keys.make({ prefix: "k1", hash: "h", identity, name: "", expiresAt: null }, operator);
    const client = await made.connect({ identity: withCredential(identity, "k1") });
    const other = await made.connect({ identity: checkIdentity({ id: "billing", roles: [] }) });
    await keys.revoke("k1", operator);
    made.crashCoordinator();
    await clock.advance(10_000);
    expect([client.closed, other.isOpen]).toEqual([4401, true]);
    // A router may have let another one in meanwhile.
    await client.resume();
    await clock.advance(40_000);
    expect(client.closed).toBe(4401);
    expect(made.storage("coordinator").query("SELECT * FROM revocations")).toEqual([]);
    expect(made.storage("coordinator").wake).toBeNull();
  });
});
