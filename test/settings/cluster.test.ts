import { type EdgeverseError, method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { partitionClient } from "../../src/partition/client.ts";
import type { SettingsDocument } from "../../src/settings/document.ts";

class Counter extends VirtualObject {
  static override readonly type = "Counter";
  static override readonly access = { anonymous: true };
  static override readonly methods = { add: method(), wait: method() };
  add() {
    return 1;
  }
  async wait() {
    await new Promise(() => undefined);
  }
}

function setup(partitions = 2) {
  const cluster = new TestCluster({ objects: [Counter], partitions, config: { shards: 16, rebalance: "off" } });
  onTestFinished(() => cluster.stop());
  const put = (document: SettingsDocument, more: object = {}) =>
    cluster.command({ kind: "put-settings", document, dryRun: false, ...more }) as Promise<{ version: number }>;
  const receipts = async () => (await cluster.coordinator.settings())?.receipts ?? [];
  const versions = async () => (await receipts()).map(({ name, version }) => [name, version]);
  const timeoutAt = (name: string) => cluster.partition(name).settings.live.config.callTimeout;
  const anonymous = (id: string) => cluster.object(Counter, id, { identity: null });
  return { cluster, put, receipts, versions, timeoutAt, anonymous };
}

const slow = (seconds: number): SettingsDocument => ({ settings: { callTimeout: `${seconds}s` } });
/** Long enough for what is sent at once. */
const SOON = 100;

describe("settings in a cluster", () => {
  test("[CONF1] [CONF4] reach every partition and gate, and those that join later before their first call", async () => {
    const { cluster, put, versions, timeoutAt } = setup();
    await cluster.call("Counter", "a", "add");
    await put(slow(7));
    await cluster.clock.advance(SOON);
    expect(await versions()).toEqual([
      ["p0", 1],
      ["p1", 1],
      ["g0", 1],
    ]);
    await cluster.command({ kind: "add-partition", name: "q0" });
    await cluster.clock.advance(SOON);
    // It was told, and belongs to no cluster by that: it has no tables.
    expect(cluster.partition("q0").bootstrapped).toBe(false);
    for (const name of ["p0", "p1", "q0"]) await cluster.partition(name).core();
    expect(["p0", "p1", "q0"].map(timeoutAt)).toEqual([7_000, 7_000, 7_000]);
  });

  test("[CONF4] a router learns by its next answers, and asks nobody while all agree", async () => {
    const { cluster, put } = setup(1);
    await cluster.call("Counter", "a", "add");
    await put(slow(7));
    await cluster.clock.advance(SOON);
    expect(cluster.settings.seen).toBe(0);
    await cluster.call("Counter", "a", "add");
    await cluster.clock.advance(1);
    expect([cluster.settings.seen, cluster.config.callTimeout]).toEqual([1, 7_000]);
  });

  test("[CONF1] limits per client count at a router once it knows them, and end with the document", async () => {
    const { cluster, put } = setup(1);
    const told = async (document: SettingsDocument) => {
      await put(document);
      await cluster.clock.advance(5_000);
      await cluster.call("Counter", "a", "add");
      await cluster.clock.advance(SOON);
    };
    await cluster.call("Counter", "a", "add");
    const call = () =>
      cluster
        .object(Counter, "a", { identity: { id: "ann", roles: [] } })
        .add()
        .then(
          () => "ran",
          (error: EdgeverseError) => error.code,
        );
    await told({ limits: { few: { per: "client", rate: 0.001, burst: 1 } } });
    expect([await call(), await call()]).toEqual(["ran", "RATE_LIMITED"]);
    await told({});
    expect([await call(), await call()]).toEqual(["ran", "ran"]);
  });

  test("[CONF4] outlast processes, and a partition that was away gets them when it is back", async () => {
    const { cluster, put, receipts, timeoutAt } = setup();
    for (const name of ["p0", "p1"]) await cluster.partition(name).core();
    cluster.unreachable.add("p1");
    await put(slow(7));
    await cluster.clock.advance(SOON);
    expect((await receipts()).find(({ name }) => name === "p1")).toMatchObject({ seen: 0, trouble: /reaches/ });
    cluster.crashCoordinator();
    cluster.crash("p0");
    await cluster.partition("p0").core();
    expect(timeoutAt("p0")).toBe(7_000);
    await put(slow(8));
    await cluster.clock.advance(86_400_000 * 2);
    cluster.unreachable.delete("p1");
    await cluster.clock.advance(60_000);
    expect([timeoutAt("p0"), timeoutAt("p1")]).toEqual([8_000, 8_000]);
    expect((await receipts()).every(({ trouble }) => trouble === null)).toBe(true);
  });

  test("[MEM2] [CONF4] once all have confirmed there is no alarm", async () => {
    const { cluster, put } = setup();
    for (const name of ["p0", "p1"]) await cluster.partition(name).core();
    await cluster.clock.advance(60_000);
    cluster.unreachable.add("p1");
    await put(slow(7));
    await cluster.clock.advance(SOON);
    expect(cluster.storage("coordinator").wake).not.toBeNull();
    cluster.unreachable.delete("p1");
    await cluster.clock.advance(60_000);
    expect(cluster.storage("coordinator").wake).toBeNull();
  });

  test("[CONF4] a partition that was passed over learns from a caller who knows more", async () => {
    const { cluster, put, timeoutAt } = setup(1);
    await cluster.call("Counter", "a", "add");
    cluster.unreachable.add("p0");
    const { version } = await put(slow(7));
    await cluster.clock.advance(SOON);
    cluster.unreachable.delete("p0");
    expect(timeoutAt("p0")).toBe(30_000);
    const answer = partitionClient(cluster.partition("p0")).call(cluster.message("Counter", "a", "add"), version);
    await cluster.clock.advance(1);
    expect(await answer).toEqual({ kind: "response", response: "1" });
    expect(timeoutAt("p0")).toBe(7_000);
  });

  test("[ACC1] [CONF4] rules of a document hold at the partition for the next call, and a rollback takes them away", async () => {
    const { cluster, put, anonymous } = setup(1);
    await anonymous("a").add();
    await put({ access: [{ type: "Counter", method: "add", access: "INTERNAL" }] });
    await cluster.clock.advance(SOON);
    await expect(anonymous("a").add()).rejects.toMatchObject({ code: "ACCESS_DENIED" });
    await cluster.command({ kind: "rollback-settings", version: 0, dryRun: false });
    await cluster.clock.advance(SOON);
    await anonymous("a").add();
    expect((await cluster.coordinator.settingsVersions()).map(({ version, from }) => [version, from])).toEqual([
      [2, 0],
      [1, null],
    ]);
  });

  test("[LIM1] [CONF4] limits of a document are over those of the code", async () => {
    const { cluster, put, anonymous } = setup(1);
    await anonymous("a").add();
    await put({ limits: { few: { per: "object", rate: 0.001, burst: 1 } } });
    await cluster.clock.advance(SOON);
    await anonymous("a").add();
    await expect(anonymous("a").add()).rejects.toMatchObject({ code: "RATE_LIMITED" });
    await put({});
    await cluster.clock.advance(SOON);
    await anonymous("a").add();
  });

  test("[CONF4] a partition that can't use a document keeps the one before, and says why", async () => {
    const { cluster, put, receipts, timeoutAt } = setup(1);
    await cluster.call("Counter", "a", "add");
    await put(slow(7));
    await cluster.clock.advance(SOON);
    // The coordinator has no classes: a router checks before it.
    await put({ ...slow(8), access: [{ type: "Missing", access: "ALLOW" }] });
    await cluster.clock.advance(SOON);
    const [receipt] = await receipts();
    expect(receipt).toMatchObject({ seen: 2, version: 1, fault: expect.stringContaining("Missing") });
    expect(timeoutAt("p0")).toBe(7_000);
    expect(cluster.warnings.map(({ event }) => event)).toContain("the settings can't be used here");
  });

  test("[CONF1] a version is refused that is not the expected one; what changes nothing makes none; 100 are kept", async () => {
    const { cluster, put } = setup(1);
    await put(slow(1));
    await expect(put(slow(2), { expectedVersion: 0 })).rejects.toMatchObject({
      code: "CONFLICT",
      details: { version: 1 },
    });
    expect(await put(slow(1))).toMatchObject({ version: 1, changed: false, changes: [] });
    expect(await put(slow(2), { dryRun: true })).toMatchObject({ version: 1, changed: false, changes: [{ to: "2s" }] });
    await expect(put({ settings: { placement: { rules: [{ on: 5 }] } } })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    for (let n = 2; n <= 103; n++) await put(slow(n), { expectedVersion: n - 1 });
    const versions = (await cluster.coordinator.settingsVersions()).map(({ version }) => version);
    expect([versions.length, versions[0], versions.at(-1)]).toEqual([100, 103, 4]);
    await expect(cluster.command({ kind: "rollback-settings", version: 3, dryRun: false })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });

  test("[PLAN1] [CONF1] the planner goes by the newest settings, also after an end of its process", async () => {
    const { cluster, put } = setup();
    await cluster.call("Counter", "a", "add");
    await put({ settings: { rebalance: "count", stableFor: "1ms" } });
    cluster.crashCoordinator();
    await cluster.command({ kind: "add-partition", name: "q0" });
    await cluster.clock.advance(60_000);
    const view = await cluster.coordinator.view();
    expect(view.members.find(({ name }) => name === "q0")?.shards).toBeGreaterThan(3);
  });

  test("[CONF1] the audit has who, and what changed", async () => {
    const { cluster, put } = setup(1);
    await put(slow(7));
    await put(slow(8), { expectedVersion: 9 }).catch(() => undefined);
    const rows = (await cluster.coordinator.audit({ limit: 10 })).map(({ actor, command, details, outcome }) => ({
      actor,
      command,
      outcome,
      details: JSON.parse(details),
    }));
    expect(rows).toEqual([
      { actor: "test", command: "put-settings", outcome: "CONFLICT", details: {} },
      {
        actor: "test",
        command: "put-settings",
        outcome: "done",
        details: { version: 1, changed: true, changes: [{ path: "/settings", to: { callTimeout: "7s" } }] },
      },
    ]);
  });
});
