import { afterEach, describe, expect, test } from "vitest";
import * as z from "zod";
import type { Identity } from "../../src/access/identity.ts";
import { method } from "../../src/object/method.ts";
import { VirtualObject } from "../../src/object/virtual-object.ts";
import { partitionClient } from "../../src/partition/client.ts";
import type { CallRecord } from "../../src/reliable/call-record.ts";
import { callerOfRow } from "../../src/reliable/caller-of-row.ts";
import { maintenanceOf } from "../../src/reliable/maintenance.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";

const place = z.object({ to: z.string() });

/** Says for whom it was called, and goes on to another one in every way there is. */
class Relay extends VirtualObject.withState(z.object({ heard: z.array(z.string()).default([]) })) {
  static override readonly type = "Relay";
  static override readonly access = { anonymous: true };
  static override readonly methods = {
    who: method({ readonly: true }),
    note: method(),
    outcome: method({ request: z.looseObject({}) }),
    heard: method({ readonly: true }),
    ask: method({ request: place }),
    askReliably: method({ request: place }),
    take: method({ request: place }),
    send: method({ request: place.extend({ delay: z.number().default(0) }) }),
    remindMe: method(),
    forge: method({ request: place }),
    wait: method({ request: z.object({ ms: z.number() }) }),
  };

  who() {
    return this.context.identity ?? null;
  }
  note() {
    this.state.heard.push(`${this.context.caller.kind} ${this.context.identity?.id}`);
  }
  outcome(_: Record<string, unknown>) {
    this.note();
  }
  heard() {
    return this.state.heard;
  }
  ask({ to }: { to: string }) {
    return this.object(Relay, to).who();
  }
  askReliably({ to }: { to: string }) {
    return this.object(Relay, to, { callId: this.callIdFor("ask") }).who();
  }
  async take({ to }: { to: string }) {
    return this.transact([[Relay, to]], (other) => other.who());
  }
  send({ to, delay }: { to: string; delay: number }) {
    this.outbox(Relay, to, { onOutcome: "outcome", delay }).note();
  }
  remindMe() {
    this.remind("later", { after: 5_000 }, "note");
  }
  async forge({ to }: { to: string }) {
    const identity = this.context.identity as { id: string; roles: string[] };
    const attempts = [() => (identity.id = "root"), () => identity.roles.push("root")];
    const failed = attempts.filter((attempt) => {
      try {
        attempt();
        return false;
      } catch {
        return true;
      }
    });
    return { failed: failed.length, seen: await this.object(Relay, to).who() };
  }
  async wait({ ms }: { ms: number }) {
    await new Promise<void>((resolve) => clusterOf().clock.after(ms, resolve));
    this.note();
    return this.context.identity ?? null;
  }
}

/** A row that its owner has not accepted. */
const UNKNOWN: CallRecord = {
  callId: "c1",
  type: "Relay",
  id: "r0",
  shard: 0,
  method: "note",
  request: null,
  requestHash: "",
  status: "pending",
  response: null,
  error: null,
  caller: null,
  traceId: null,
  attempts: 1,
  epoch: 0,
  acceptedAt: 0,
  finishedAt: null,
  expiresAt: null,
};

const ann: Identity = { id: "ann", roles: ["player"], claims: { tenant: "t1" } };

let made: TestCluster | undefined;
const clusterOf = () => made as TestCluster;
afterEach(() => made?.stop());

/** A cluster, an object, one beside it on its shard, and one on another partition. */
function setUp() {
  made = new TestCluster({ objects: [Relay], partitions: 2 });
  const ids = Array.from({ length: 40 }, (_, index) => `r${index}`);
  const home = clusterOf().ownerOf(Relay, "r0");
  const near = ids.slice(1).find((id) => clusterOf().ownerOf(Relay, id) === home) as string;
  const far = ids.find((id) => clusterOf().ownerOf(Relay, id) !== home) as string;
  return { cluster: clusterOf(), near, far, home };
}

const CAUSED = { kind: "object", type: "R", id: "a", cause: { type: "R", id: "b", callId: "c" } };

describe("an identity reaches", () => {
  test("[ACC2] the object that is called, plainly and reliably", async () => {
    const { cluster } = setUp();
    expect(await cluster.object(Relay, "r0", { identity: ann }).who()).toEqual(ann);
    expect(await cluster.object(Relay, "r0", { identity: ann, callId: "c1" }).who()).toEqual(ann);
    expect(await cluster.object(Relay, "r0").who()).toBeNull();
    expect(await cluster.object(Relay, "r0", { identity: null }).who()).toBeNull();
  });

  test.each(["near", "far"] as const)("[ACC2] the objects that it calls, on a partition that is %s", async (where) => {
    const parts = setUp();
    const to = parts[where];
    const relay = parts.cluster.object(Relay, "r0", { identity: ann });
    expect(await relay.ask({ to })).toEqual(ann);
    expect(await relay.askReliably({ to })).toEqual(ann);
    expect(await parts.cluster.object(Relay, "r0").ask({ to })).toBeNull();
  });

  test("[ACC2] [TX6] the objects of a transaction", async () => {
    const { cluster } = setUp();
    const [a, b] = ["shard#3/a", "shard#3/b"];
    expect(await cluster.object(Relay, a, { identity: ann }).take({ to: b })).toEqual(ann);
  });

  test.each(["near", "far"] as const)(
    "[ACC2] [CALL7] what was sent to one that is %s, and its outcome, across a crash",
    async (where) => {
      const parts = setUp();
      const { cluster, home } = parts;
      const to = parts[where];
      await cluster.object(Relay, "r0", { identity: ann }).send({ to, delay: 5_000 });
      cluster.crash(home);
      cluster.crash(cluster.ownerOf(Relay, to));
      await cluster.clock.advance(20_000);
      expect(await cluster.object(Relay, to).heard()).toEqual(["object ann"]);
      expect(await cluster.object(Relay, "r0").heard()).toEqual(["object ann"]);
    },
  );

  test("[ACC2] [TIME1] the reminders that an object sets, across a crash", async () => {
    const { cluster, home } = setUp();
    await cluster.object(Relay, "r0", { identity: ann }).remindMe();
    cluster.crash(home);
    await cluster.clock.advance(20_000);
    expect(await cluster.object(Relay, "r0").heard()).toEqual(["object ann"]);
  });

  test("[ACC2] [CALL3] the turn of a reliable call that a crash interrupted", async () => {
    const { cluster, home } = setUp();
    const message = cluster.message("Relay", "r0", "wait", { ms: 400 }, { callId: "slow", answer: "accepted" });
    const accepted = cluster.router.call({ ...message, caller: { kind: "client", identity: ann } });
    expect(await cluster.clock.until(accepted)).toMatchObject({ kind: "accepted" });
    cluster.crash(home);
    await cluster.clock.advance(20_000);
    expect(await cluster.object(Relay, "r0").heard()).toEqual(["client ann"]);
    expect(await cluster.object(Relay, "r0", { identity: ann, callId: "slow" }).wait({ ms: 400 })).toEqual(ann);
  });

  test("[ACC2] [CALL10] a call of which only the log knows", async () => {
    const { cluster } = setUp();
    const { log, router, config, registry, clock } = cluster;
    await log.write([{ ...UNKNOWN, caller: JSON.stringify({ kind: "client", identity: ann }) }]);
    const connect = (name: string) => partitionClient(cluster.partition(name));
    const maintenance = maintenanceOf({ log, router, config, registry, clock, connect });
    expect(await clock.until(maintenance.reconcile())).toMatchObject({ driven: 1 });
    expect(await cluster.object(Relay, "r0").heard()).toEqual(["client ann"]);
  });
});

describe("an identity", () => {
  test("[ACC2] is not changed by the objects that it passes", async () => {
    const { cluster, near, far } = setUp();
    for (const to of [near, far])
      expect(await cluster.object(Relay, "r0", { identity: ann }).forge({ to })).toEqual({ failed: 2, seen: ann });
  });

  test("[ACC2] [CALL1] of another client does not hear the outcome by repeating the call id", async () => {
    const { cluster } = setUp();
    expect(await cluster.object(Relay, "r0", { identity: ann, callId: "c1" }).who()).toEqual(ann);
    for (const identity of [{ id: "bob", roles: [] }, null]) {
      const other = cluster.object(Relay, "r0", { identity, callId: "c1" }).who();
      await expect(other).rejects.toMatchObject({ code: "CALL_ID_REUSED" });
    }
    // The same one, with other roles by now.
    expect(await cluster.object(Relay, "r0", { identity: { ...ann, roles: [] }, callId: "c1" }).who()).toEqual(ann);
  });

  test.each([
    [null, { kind: "system" }],
    ["not JSON", { kind: "system" }],
    ['"billing"', { kind: "system" }],
    ['{"kind":"client"}', { kind: "client" }],
    ['{"kind":"client","identity":{"id":"ann","roles":[]}}', { kind: "client", identity: { id: "ann", roles: [] } }],
    // A client whose identity can't be read is no one, and never the system.
    ['{"kind":"client","identity":{"subject":"ann","roles":[]}}', { kind: "client" }],
    ['{"kind":"object","type":"Relay","id":"a"}', { kind: "object", type: "Relay", id: "a" }],
    ['{"kind":"object","type":"R","id":"a","cause":{"type":"R","id":"b","callId":"c","more":1}}', CAUSED],
    ['{"kind":"client","cause":"c"}', { kind: "client" }],
    ['{"kind":"worker","__proto__":{"kind":"client"}}', { kind: "worker" }],
  ])("[ACC2] of a row in the log is read from %s", (text, caller) => {
    expect(callerOfRow(text)).toEqual(caller);
  });
});
