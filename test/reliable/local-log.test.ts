import { method, VirtualObject } from "edgeverse";
import { ManualClock, TestCluster } from "edgeverse/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { positionOf } from "../../src/identity/hash-order.ts";
import { placementOf } from "../../src/identity/object-id.ts";
import { partitionClient } from "../../src/partition/client.ts";
import { storeMarks, storePending } from "../../src/partition/storage/call-rows.ts";
import { isFinal, type OwnerAnswer } from "../../src/reliable/call-record.ts";
import { LocalLog } from "../../src/reliable/local-log.ts";
import { maintenanceOf } from "../../src/reliable/maintenance.ts";
import { describeReading } from "../contract/readable-log.ts";
import { callRecord } from "../support/call-records.ts";
import { letPass } from "./maintenance-fixture.ts";

const LARGE = { requests: 700_000, responses: 1_200_000 };

class Counter extends VirtualObject {
  static override readonly type = "Counter";
  static override readonly methods = {
    add: method(),
    refuse: method({ request: z.object({ why: z.string() }) }),
    wait: method({ request: z.object({ for: z.string() }) }),
    copy: method({ request: z.object({ text: z.string(), length: z.number() }) }),
  };
  add() {}
  async wait() {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
  }
  copy({ text, length }: { text: string; length: number }) {
    return text.slice(0, 1).repeat(length);
  }
  refuse({ why }: { why: string }) {
    this.fail("NO", why);
  }
}

let release = () => {};

/** A cluster with a local log; every shard is claimed, half of them by each partition. */
async function setup() {
  const clock = new ManualClock();
  const cluster = new TestCluster({
    objects: [Counter],
    partitions: 2,
    clock,
    log: false,
    config: { shards: 4, maxMessage: 1_800_000 },
  });
  for (let shard = 0; shard < 4; shard++) await cluster.object(Counter, `shard#${shard}/x`).add();
  const { router, config, registry } = cluster;
  const connect = (name: string) => {
    if (cluster.unreachable.has(name)) throw new Error(`nothing reaches ${name}`);
    return partitionClient(cluster.partition(name));
  };
  const log = new LocalLog({ router, connect, clock });
  const maintenance = maintenanceOf({ log: undefined, router, connect, config, registry, clock });
  return { clock, cluster, log, maintenance };
}

/** Ids of two partitions. */
function twoIds(): [string, string] {
  const { router } = new TestCluster({ objects: [Counter], partitions: 2, config: { shards: 4 } });
  const of = (name: string) =>
    [0, 1, 2, 3].map((shard) => `shard#${shard}/a`).find((id) => router.owner({ type: "T", id }) === name);
  return [of("p0") as string, of("p1") as string];
}

type Setup = Awaited<ReturnType<typeof setup>>;

describe("call log contract: local", () => {
  let made: Setup;
  beforeAll(async () => {
    made = await setup();
  });
  afterAll(() => made.cluster.stop());

  // What the owners' commits store is put there as they do. The rest of the suite is of writing from elsewhere, which nobody
  // does to a local log: batches in any order, epochs, rows to drive and to read by their places, and an outage of its own.
  describeReading(() => {
    let seq = 1;
    return {
      log: {
        list: (filter) => letPass(made.clock, made.log.list(filter)),
        stats: () => letPass(made.clock, made.log.stats()),
        causedBy: (causes, limit) => letPass(made.clock, made.log.causedBy(causes, limit)),
      },
      put: async (records) => {
        for (const record of records) {
          const placement = placementOf(record.id);
          const position = placement.kind === "hash" ? positionOf(placement.hash) : 0;
          const call = { seq: seq++, position, log: "write-behind", crashes: 0, logged: true, record } as const;
          const storage = made.cluster.storage(made.cluster.router.owner({ type: "T", id: record.id }));
          if (isFinal(record.status)) storeMarks(storage, [call], { whole: true });
          else storePending(storage, [call]);
        }
        // As after a move.
        for (const name of ["p0", "p1"]) (await made.cluster.partition(name).core()).marks.arrived();
      },
      clean: async (before, dryRun) => {
        const olderThan = made.clock.now() - before;
        return (await letPass(made.clock, made.maintenance.cleanUp({ olderThan, dryRun }))).counts;
      },
    };
  });
});

describe("a local log", () => {
  const [here, there] = twoIds();

  test("[CALL14] has each call with its request, outcome and caller as soon as it is answered", async () => {
    const { clock, cluster, log } = await setup();
    await cluster.object(Counter, here, { callId: "good" }).add();
    await expect(cluster.object(Counter, there, { callId: "bad" }).refuse({ why: "no" })).rejects.toThrow("no");
    await cluster.object(Counter, here, { callId: "last" }).copy({ text: "ab", length: 2 });
    await expect(cluster.object(Counter, here).refuse({ why: "a plain call is not in it" })).rejects.toThrow();
    const { calls } = await letPass(clock, log.list({ limit: 10 }));
    expect(calls).toMatchObject([
      { callId: "last", id: here, status: "success", request: '{"text":"ab","length":2}', response: '"aa"' },
      { callId: "bad", id: there, status: "failed", request: '{"why":"no"}', error: { code: "CALL_FAILED" } },
      { callId: "good", id: here, status: "success", request: null, response: "null" },
    ]);
    for (const call of calls) expect(JSON.parse(call.caller ?? "")).toMatchObject({ kind: "worker" });
    expect((await letPass(clock, log.list({ status: "failed", limit: 10 }))).calls).toHaveLength(1);
    cluster.stop();
  });

  test("[CALL14] costs a call no row: nothing but the object and its mark is written", async () => {
    const { cluster } = await setup();
    const storage = cluster.storage(cluster.router.owner({ type: "T", id: here }));
    const written: string[] = [];
    storage.onQuery = (sql) => {
      const table = /^\s*INSERT INTO (\w+)/.exec(sql)?.[1];
      if (table !== undefined) written.push(table);
    };
    await cluster.object(Counter, here, { callId: "one" }).add();
    expect(written.sort()).toEqual(["marks", "objects"]);
    expect(storage.query("SELECT count(*) AS n FROM backlog")).toEqual([{ n: 0 }]);
    cluster.stop();
  });

  test("[CALL14] [MIG3] lists a call once, wherever its shard has moved, and goes on at the same place", async () => {
    const { clock, cluster, log } = await setup();
    for (let n = 0; n < 4; n++) await cluster.object(Counter, n % 2 === 0 ? here : there, { callId: `c${n}` }).add();
    const first = await letPass(clock, log.list({ limit: 2 }));
    for (const id of [here, there]) {
      const to = cluster.ownerOf(Counter, id) === "p0" ? "p1" : "p0";
      await cluster.move(Counter, id, { to });
    }
    const rest = await letPass(clock, log.list({ limit: 10, before: first.next }));
    expect([...first.calls, ...rest.calls].map(({ callId }) => callId)).toEqual(["c3", "c2", "c1", "c0"]);
    expect(rest.calls.map(({ caller }) => caller)).not.toContain(null);
    const of = await letPass(clock, log.list({ id: here, limit: 10 }));
    expect(of.calls.map(({ callId }) => callId)).toEqual(["c2", "c0"]);
    expect((await letPass(clock, log.stats())).counts).toMatchObject([
      { type: "Counter", status: "success", count: 4 },
    ]);
    cluster.stop();
  });

  test("[CALL14] [CALL15] names partitions that do not answer", async () => {
    const { clock, cluster, log } = await setup();
    for (const id of [here, there]) await cluster.object(Counter, id, { callId: "c" }).add();
    const away = cluster.router.owner({ type: "T", id: there });
    cluster.unreachable.add(away);
    expect(await letPass(clock, log.list({ limit: 10 }))).toMatchObject({ calls: [{ id: here }], unreachable: [away] });
    expect(await letPass(clock, log.stats())).toMatchObject({ counts: [{ count: 1 }], unreachable: [away] });
    cluster.stop();
  });

  test("[CALL14] a request that does not fit in a row beside its response is left out", async () => {
    const { clock, cluster, log } = await setup();
    const copy = async (callId: string, text: string, length: number) =>
      cluster.object(Counter, here, { callId }).copy({ text, length });
    await copy("fits", "x".repeat(LARGE.requests), 100);
    await copy("too-large", "x".repeat(LARGE.requests), LARGE.responses);
    await copy("fits-as-utf-8", "é".repeat(LARGE.requests), LARGE.requests / 4);
    const { calls } = await letPass(clock, log.list({ limit: 10 }));
    const kept = calls.map(({ callId, request }) => [callId, request !== null]);
    expect(kept).toEqual([
      ["fits-as-utf-8", true],
      ["too-large", false],
      ["fits", true],
    ]);
    cluster.stop();
  });

  test("[CALL6] takes no write-ahead call: the promise is another database", async () => {
    const { cluster } = await setup();
    const call = cluster.object(Counter, here, { callId: "c", log: "write-ahead" }).add();
    await expect(call).rejects.toMatchObject({ code: "LOG_UNAVAILABLE", retryable: false });
    cluster.stop();
  });

  test("[CALL8] [CALL14] has the request of a call that never ran", async () => {
    const { clock, cluster, log } = await setup();
    const send = (callId: string, expiresIn?: number) =>
      cluster.send(
        "Counter",
        here,
        "wait",
        { for: callId },
        { callId, answer: "accepted", ...(expiresIn === undefined ? {} : { expiresIn }) },
      );
    await letPass(clock, send("runs"));
    await letPass(clock, send("waits", 10));
    await clock.advance(20);
    release();
    await clock.advance(100);
    const { calls } = await letPass(clock, log.list({ limit: 10 }));
    expect(calls).toMatchObject([
      { callId: "waits", status: "expired", attempts: 1, request: '{"for":"waits"}' },
      { callId: "runs", status: "success", request: '{"for":"runs"}' },
    ]);
    expect(calls[0]?.expiresAt).toEqual(expect.any(Number));
    cluster.stop();
  });
});

/** Owners that only pretend: one has the keys, and each answers for records as it is told. */
function pretending(answers: Record<string, (key: { callId: string }) => OwnerAnswer>) {
  const keys = Array.from({ length: 3 }, (_, n) => ({ type: "T", id: "a", callId: `c${n}`, seq: n, bytes: 1 }));
  const asked: string[] = [];
  const log = new LocalLog({
    clock: new ManualClock(),
    router: {
      map: { partitions: ["p0", "p1"] },
      refresh: async () => {},
      owner: () => "p0",
      locates: () => true,
      ask: () => Promise.reject(new Error("not by id")),
    },
    connect: (name) => ({
      newestCalls: async ({ limit }) => ({
        calls: name === "p0" ? keys.reverse().slice(0, limit) : [],
        complete: true,
      }),
      callStats: async () => ({ counts: [], complete: true }),
      causedBy: async () => ({ calls: [], complete: true }),
      callRecords: async (wanted, whole) => {
        asked.push(`${name} ${wanted.map(({ callId }) => callId)} ${whole}`);
        return wanted.map((key) => (answers[name] as (key: { callId: string }) => OwnerAnswer)(key));
      },
    }),
  });
  return { log, asked };
}

describe("between the two questions of a page", () => {
  const record = (callId: string) => callRecord({ type: "T", id: "a", callId });

  test("[CALL14] a call that has moved is asked for where it is now, once", async () => {
    const { log, asked } = pretending({
      p0: ({ callId }) => (callId === "c2" ? record(callId) : { movedTo: "p1" }),
      p1: ({ callId }) => (callId === "c1" ? record(callId) : { movedTo: "p0" }),
    });
    const { calls } = await log.list({ limit: 10 });
    expect(calls.map(({ callId, seq }) => [callId, seq])).toEqual([
      ["c2", "2"],
      ["c1", "1"],
    ]);
    expect(asked).toEqual(["p0 c2,c1,c0 true", "p1 c1,c0 true"]);
  });

  test("[CALL14] a call may end or be forgotten: the page is shorter, and the next goes on behind it", async () => {
    const { log } = pretending({
      p0: ({ callId }) =>
        callId === "c1" ? null : { ...record(callId), status: callId === "c2" ? "pending" : "success" },
    });
    const page = await log.list({ status: "pending", limit: 2 });
    expect(page.calls.map(({ callId }) => callId)).toEqual(["c2"]);
    expect(JSON.parse(page.next ?? "")).toEqual([1, "T", "a", "c1"]);
  });
});
