import { callOutcome, method, VirtualObject } from "edgeverse";
import { ManualClock, TestCluster } from "edgeverse/testing";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { partitionClient } from "../../src/partition/client.ts";
import { CallStories } from "../../src/reliable/call-story.ts";
import { timelineOf } from "../../src/reliable/call-timeline.ts";
import { letPass } from "./maintenance-fixture.ts";

const amount = z.number();
let clusters: TestCluster[] = [];
afterEach(() => {
  for (const cluster of clusters) cluster.stop();
  clusters = [];
});

class Purse extends VirtualObject.withState(z.object({ left: z.number().default(100) })) {
  static override readonly type = "Purse";
  static override readonly methods = {
    transfer: method({ request: z.object({ to: z.array(z.string()), amount }) }),
    deposit: method({ request: z.object({ amount }) }),
    settled: method({ internal: true, request: callOutcome }),
    bySomeone: method({ request: z.object({ who: z.string(), to: z.string() }) }),
    atOnce: method({ request: z.object({ to: z.string() }) }),
    go: method({ request: z.object({ to: z.string() }) }),
  };
  transfer({ to, amount }: { to: string[]; amount: number }) {
    this.state.left -= amount * to.length;
    for (const id of to) this.outbox(Purse, id, { onOutcome: "settled" }).deposit({ amount });
  }
  deposit({ amount }: { amount: number }) {
    if (amount > 50) this.fail("TOO_MUCH", "a purse holds 50");
    this.state.left += amount;
  }
  settled() {}
  /** A plain call between: its turn has no call id of its own. */
  async bySomeone({ who, to }: { who: string; to: string }) {
    await this.object(Purse, who).go({ to });
  }
  go({ to }: { to: string }) {
    this.outbox(Purse, to).deposit({ amount: 1 });
  }
  async atOnce({ to }: { to: string }) {
    await this.object(Purse, to, { callId: this.callIdFor("now") }).deposit({ amount: 1 });
  }
}

const HERE = "partition#p0/here";
const THERE = "partition#p1/there";
const call = (id: string, callId: string) => ({ type: "Purse", id, callId });

/** A cluster of two partitions, whose log is in Postgres (as tests have it) or local. */
function setup(log: "postgres" | "local") {
  const clock = new ManualClock();
  const config = { shards: 4 };
  const cluster = new TestCluster({
    objects: [Purse],
    partitions: 2,
    clock,
    config,
    ...(log === "local" ? { log: false } : {}),
  });
  clusters.push(cluster);
  const connect = (name: string) => {
    if (cluster.unreachable.has(name)) throw new Error(`nothing reaches ${name}`);
    return partitionClient(cluster.partition(name));
  };
  const { router } = cluster;
  const stories = new CallStories({ router, connect, clock, log: log === "local" ? undefined : cluster.log });
  const tell = (id: string, callId: string, most = { depth: 5, limit: 100 }) =>
    letPass(clock, stories.tell(call(id, callId), most));
  return { clock, cluster, tell };
}

/** As lines: the story of a call must read in order. */
const lines = (calls: readonly { id: string; method: string | null; status: string; cause?: { id: string } }[]) =>
  calls.map(
    ({ id, method, status, cause }) => `${id} ${method} ${status}${cause === undefined ? "" : ` by ${cause.id}`}`,
  );

describe.each(["postgres", "local"] as const)("the story of a call, log in %s", (log) => {
  test("[CALL16] [CALL7] a transfer: what it sent, to whom, and what it heard of it", async () => {
    const { clock, cluster, tell } = setup(log);
    await cluster.object(Purse, HERE, { callId: "t" }).transfer({ to: [THERE], amount: 10 });
    await clock.advance(5_000);
    const story = await tell(HERE, "t");
    expect(story?.call).toMatchObject({ ...call(HERE, "t"), method: "transfer", status: "success" });
    expect(lines(story?.causes ?? [])).toEqual([
      `${THERE} deposit success by ${HERE}`,
      `${HERE} settled success by ${THERE}`,
    ]);
    expect(story).toMatchObject({ causedBy: [], complete: true, unreachable: [] });
    const outcome = story?.causes[1]?.callId as string;
    const back = await tell(HERE, outcome);
    expect(lines(back?.causedBy ?? [])).toEqual([`${THERE} deposit success`, `${HERE} transfer success`]);
    expect(back?.causes).toEqual([]);
    expect(JSON.parse(back?.call.caller ?? "")).toMatchObject({ kind: "object", id: THERE });
  });

  test("[CALL16] what another purse refuses is in it, with its error", async () => {
    const { clock, cluster, tell } = setup(log);
    await cluster.object(Purse, HERE, { callId: "t" }).transfer({ to: [THERE], amount: 60 });
    await clock.advance(5_000);
    const story = await tell(HERE, "t");
    expect(story?.causes[0]).toMatchObject({ status: "failed", error: { code: "CALL_FAILED", reason: "TOO_MUCH" } });
    expect(story?.causes[0]?.error).not.toHaveProperty("details");
  });

  test("[CALL16] what is not delivered is `sending`", async () => {
    const { clock, cluster, tell } = setup(log);
    const [here, there] = [cluster.ownerOf(Purse, HERE), cluster.ownerOf(Purse, THERE)];
    expect(here).not.toBe(there);
    await cluster.object(Purse, THERE).deposit({ amount: 1 });
    cluster.unreachable.add(there);
    await cluster.object(Purse, HERE, { callId: "t" }).transfer({ to: [THERE], amount: 1 });
    const story = await tell(HERE, "t");
    expect(lines(story?.causes ?? [])).toEqual([`${THERE} deposit sending by ${HERE}`]);
    expect(story?.causes[0]).toMatchObject({ acceptedAt: null, attempts: 0, error: null });
    cluster.unreachable.delete(there);
    await clock.advance(60_000);
    expect((await tell(HERE, "t"))?.causes[0]).toMatchObject({ method: "deposit", status: "success", attempts: 1 });
  });

  test("[CALL16] a call with an id of its own, and what was sent through a plain call, belong to it", async () => {
    const { clock, cluster, tell } = setup(log);
    await cluster.object(Purse, HERE, { callId: "now" }).atOnce({ to: THERE });
    await cluster.object(Purse, HERE, { callId: "by" }).bySomeone({ who: "shard#0/who", to: THERE });
    await clock.advance(5_000);
    const deposit = `${THERE} deposit success by ${HERE}`;
    for (const callId of ["now", "by"]) expect(lines((await tell(HERE, callId))?.causes ?? [])).toEqual([deposit]);
  });

  test("[CALL16] is cut by depth and by number, and says so", async () => {
    const { clock, cluster, tell } = setup(log);
    const to = Array.from({ length: 12 }, (_, n) => `shard#${n % 4}/p${n}`);
    await cluster.object(Purse, HERE, { callId: "t" }).transfer({ to, amount: 1 });
    await clock.advance(5_000);
    expect(await tell(HERE, "t")).toMatchObject({ complete: true, causes: { length: 24 } });
    const shallow = await tell(HERE, "t", { depth: 1, limit: 100 });
    expect(shallow).toMatchObject({ complete: false, causes: { length: 12 } });
    const few = await tell(HERE, "t", { depth: 5, limit: 5 });
    expect(few).toMatchObject({ complete: false, causes: { length: 5 } });
    expect(new Set(lines(few?.causes ?? []).map((line) => line.split(" ")[1]))).toEqual(new Set(["deposit"]));
    const last = (await tell(HERE, "t"))?.causes.at(-1)?.callId as string;
    expect(await tell(HERE, last, { depth: 1, limit: 5 })).toMatchObject({ complete: false, causedBy: { length: 1 } });
  });

  test("[CALL16] names partitions that do not answer; an unknown call has no story", async () => {
    const { clock, cluster, tell } = setup(log);
    await cluster.object(Purse, HERE, { callId: "t" }).transfer({ to: [THERE], amount: 1 });
    await clock.advance(5_000);
    expect(await tell(HERE, "never")).toBeNull();
    const away = cluster.ownerOf(Purse, THERE);
    cluster.unreachable.add(away);
    const story = await tell(HERE, "t");
    expect(story).toMatchObject({ complete: false, unreachable: [away] });
    expect(story?.call.status).toBe("success");
  });
});

test("[CALL16] the log's silence is in the story, and so is that it has heard", async () => {
  const { clock, cluster, tell } = setup("postgres");
  cluster.log.down = true;
  await cluster.object(Purse, HERE, { callId: "t" }).transfer({ to: [THERE], amount: 1 });
  const before = await tell(HERE, "t");
  expect(before).toMatchObject({ loggedAt: null, complete: false, unreachable: ["log"] });
  cluster.log.down = false;
  await clock.advance(60_000);
  const after = await tell(HERE, "t");
  expect(after).toMatchObject({ complete: true, unreachable: [] });
  const { call, loggedAt } = after as NonNullable<typeof after>;
  const moments = timelineOf(call, loggedAt);
  expect(moments.map(({ what }) => what)).toEqual(["accepted", "success", "logged"]);
  const times = moments.map(({ at }) => at as number);
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test("[CALL16] a cause of which nothing is left is unknown", async () => {
  const { clock, cluster, tell } = setup("local");
  await cluster.object(Purse, HERE, { callId: "t" }).transfer({ to: [THERE], amount: 1 });
  await clock.advance(5_000);
  const deposit = (await tell(HERE, "t"))?.causes[0]?.callId as string;
  cluster.storage(cluster.ownerOf(Purse, HERE)).query("DELETE FROM marks WHERE call_id = 't'");
  const story = await tell(THERE, deposit);
  expect(story?.causedBy).toEqual([
    {
      ...call(HERE, "t"),
      status: "unknown",
      method: null,
      attempts: 0,
      acceptedAt: null,
      finishedAt: null,
      error: null,
    },
  ]);
});
