import { EdgeverseError, method, VirtualObject } from "edgeverse";
import { ManualClock, TestCluster } from "edgeverse/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { partitionClient } from "../../src/partition/client.ts";
import { notesOf, withNote } from "../../src/reliable/call-history.ts";
import { CallStories } from "../../src/reliable/call-story.ts";
import { timelineOf } from "../../src/reliable/call-timeline.ts";
import { callRecord } from "../support/call-records.ts";
import { letPass } from "./maintenance-fixture.ts";

const elsewhere = { away: false, message: "the bank is away" };

class Till extends VirtualObject.withState(z.object({ sold: z.number().default(0) })) {
  static override readonly type = "Till";
  static override readonly methods = { sell: method(), slow: method() };
  sell() {
    if (elsewhere.away) throw new EdgeverseError("UNAVAILABLE", elsewhere.message);
    return ++this.state.sold;
  }
  async slow() {
    await new Promise<void>((resolve) => running.push(resolve));
    return ++this.state.sold;
  }
}
let running: (() => void)[] = [];

const ID = "shard#0/till";
const KEY = { type: "Till", id: ID, callId: "c" };
let made: TestCluster | undefined;
beforeEach(() => {
  elsewhere.away = false;
  running = [];
});
afterEach(() => made?.stop());

function setup(log: "postgres" | "local", config: Record<string, number | string> = {}) {
  const clock = new ManualClock(1_790_000_000_000);
  const cluster = new TestCluster({
    objects: [Till],
    partitions: 2,
    clock,
    config: { shards: 4, rebalance: "off", ...config },
    ...(log === "local" ? { log: false } : {}),
  });
  made = cluster;
  const connect = (name: string) => partitionClient(cluster.partition(name));
  const { router } = cluster;
  const stories = new CallStories({ router, connect, clock, log: log === "local" ? undefined : cluster.log });
  /** Its moments, as lines: what, which attempt and where, which error. */
  const moments = async (): Promise<string[]> => {
    const story = await letPass(clock, stories.tell(KEY, { depth: 5, limit: 100 }));
    if (story === null) return [];
    const all = timelineOf(story.call, story.loggedAt);
    const times = all.flatMap(({ at }) => at ?? []);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    return all.map(({ what, attempt, by, error }) => [what, attempt, by, error?.code].filter(Boolean).join(" "));
  };
  const call = (name: "sell" | "slow" = "sell") =>
    cluster.call("Till", ID, name, undefined, { callId: "c" }).catch((error: EdgeverseError) => error);
  const owner = () => cluster.ownerOf(Till, ID);
  const client = () => partitionClient(cluster.partition(owner()));
  const histories = (name = owner()) =>
    cluster
      .storage(name)
      .query("SELECT history FROM calls")
      .map(({ history }) => history);
  return { clock, cluster, moments, call, owner, client, histories };
}

describe.each(["postgres", "local"] as const)("what happened to a call; log in %s", (log) => {
  const end = log === "postgres" ? ["logged"] : [];

  test("[CALL16] nothing is kept of a call that went well", async () => {
    const { clock, call, histories, moments } = setup(log);
    await call();
    await clock.advance(1_000);
    expect(histories()).toEqual([null]);
    expect(await moments()).toEqual(["accepted", "success", ...end]);
    expect(made?.log.rows.map(({ history }) => history) ?? []).toEqual(log === "local" ? [] : [undefined]);
  });

  test("[CALL16] each attempt is in it with its time, its partition and its error, and moves with the shard", async () => {
    const { clock, cluster, call, owner, moments } = setup(log);
    elsewhere.away = true;
    const answer = call();
    const from = owner();
    await clock.advance(60);
    const first = [`faulted 1 ${from} UNAVAILABLE`, `started 2 ${from}`, `faulted 2 ${from} UNAVAILABLE`];
    // The last one is not stored yet.
    expect((await moments()).filter((line) => line !== "logged")).toEqual(["accepted", ...first]);
    const to = from === "p0" ? "p1" : "p0";
    await cluster.move(Till, ID, { to });
    elsewhere.away = false;
    await clock.advance(60_000);
    await answer;
    const lines = await moments();
    // What nobody had stored when the shard left is not known.
    expect(lines.slice(0, 3)).toEqual(["accepted", ...first.slice(0, 2)]);
    expect(lines.slice(-1 - end.length)).toEqual(["success", ...end]);
    cluster.crash(to);
    expect(await moments()).toEqual(lines);
    if (log === "postgres") {
      cluster.storage(to).query("DELETE FROM marks");
      expect((await moments()).filter((line) => line !== "logged")).toEqual(lines.slice(0, -1));
    }
  });

  test("[CALL16] ends of the process, parking, and what operators decide", async () => {
    const { clock, cluster, call, owner, client, moments } = setup(log, { maxCrashes: 1 });
    const here = owner();
    void call("slow");
    await clock.advance(10);
    cluster.crash(here);
    await cluster.call("Till", ID, "sell");
    await clock.advance(1_000);
    const parked = ["accepted", `crashed 1 ${here}`, `parked 1 ${here} UNAVAILABLE`];
    expect((await moments()).filter((line) => line !== "logged")).toEqual(parked);
    expect(await client().unpark("Till", ID, "c")).toMatchObject({ status: "pending" });
    await clock.advance(10);
    cluster.crash(here);
    await cluster.call("Till", ID, "sell");
    await clock.advance(1_000);
    expect(await client().failCall("Till", ID, "c")).toMatchObject({ status: "failed" });
    await clock.advance(1_000);
    expect(await moments()).toEqual([
      ...parked,
      `unparked 2 ${here}`,
      `crashed 2 ${here}`,
      `parked 2 ${here} UNAVAILABLE`,
      `ended 2 ${here}`,
      "failed CALL_FAILED",
      ...end,
    ]);
  });

  test("[CALL16] a call that is tried again and again keeps its first and last attempts, and little of each error", async () => {
    const { clock, call, moments, histories } = setup(log, { callTimeout: "1h" });
    elsewhere.away = true;
    elsewhere.message = "x".repeat(100_000);
    void call();
    await clock.advance(1_200_000);
    const lines = (await moments()).filter((line) => line !== "logged");
    expect(lines).toHaveLength(1 + 4 + 1 + 16);
    expect(lines.filter((line) => line === "omitted")).toHaveLength(1);
    expect(String(histories()[0]).length).toBeLessThan(8_000);
  });
});

test("[CALL16] what others put into the log's row as history is no timeline", () => {
  for (const history of [
    "null",
    "1",
    '"x"',
    "{}",
    '[1, null, {}, {"at": 1, "what": "made up", "attempt": 1, "by": "p"}]',
  ])
    expect(timelineOf(callRecord({ history }), null).map(({ what }) => what)).toEqual(["accepted", "success"]);
});

test("[CALL16] notes that are left out are counted", () => {
  let history: string | undefined;
  for (let attempt = 1; attempt <= 50; attempt++)
    history = withNote(history, { at: attempt, what: "started", attempt, by: "p" });
  const notes = notesOf(history);
  const last = Array.from({ length: 16 }, (_, n) => 35 + n);
  expect(notes.map((note) => ("left" in note ? -note.left : note.attempt))).toEqual([1, 2, 3, 4, -30, ...last]);
});
