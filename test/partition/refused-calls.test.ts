import { method, VirtualObject } from "edgeverse";
import { MemoryCallLog, SqliteStorage, TestCluster } from "edgeverse/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { partitionClient } from "../../src/partition/client.ts";
import type { PartitionClient } from "../../src/router/ports.ts";
import { PickyStorage } from "./picky-storage.ts";

/** What `repeat` leaves in the state. */
let word = "POISON";
let runs: string[] = [];

class Note extends VirtualObject.withState(z.object({ text: z.string().default("") })) {
  static override readonly type = "Note";
  static override readonly methods = {
    repeat: method(),
    write: method({ request: z.object({ text: z.string() }) }),
    wait: method(),
    read: method({ readonly: true }),
    refuseOther: method(),
  };
  repeat() {
    runs.push(this.id);
    this.store.put("row", word);
    return word.length;
  }
  write({ text }: { text: string }) {
    runs.push(text);
    this.state.text = text;
    return text;
  }
  wait() {
    runs.push("wait");
    return new Promise<void>(() => undefined);
  }
  read() {
    return this.state.text;
  }
  /** Commits with an object that the database refuses, and waits. */
  async refuseOther() {
    runs.push(this.id);
    await this.object(Note, "other").write({ text: "POISON" });
    return await this.wait();
  }
}

function setup(config: Record<string, string | number> = {}) {
  word = "POISON";
  runs = [];
  const storage = new PickyStorage();
  const storageOf = (name: string) => (name === "p0" ? storage : new SqliteStorage());
  const { clock } = new TestCluster({ objects: [Note] });
  const log = new MemoryCallLog(clock);
  const made = new TestCluster({ objects: [Note], storageOf, clock, log, config });
  const owner = () => partitionClient(made.partition("p0"));
  const client: Pick<PartitionClient, "callRecord" | "unpark" | "failCall"> = {
    callRecord: (...call) => owner().callRecord(...call),
    unpark: (...call) => owner().unpark(...call),
    failCall: (...call) => owner().failCall(...call),
  };
  const send = (name: string, callId: string, request?: unknown) =>
    made.send("Note", "a", name, request, { callId, timeout: 60_000 });
  return { made, clock, storage, log, client, send };
}

const parkedReply = {
  kind: "error",
  error: { code: "COMMIT_REFUSED", retryable: false, details: { status: "parked" } },
};

describe("a reliable call whose commit the database refuses", () => {
  let made: ReturnType<typeof setup>;
  beforeEach(() => {
    made = setup();
  });

  test("[CALL2] is tried three times and parked; the calls behind it and beside it go on, in order", async () => {
    const { clock, send, made: cluster } = made;
    const poison = send("repeat", "poison");
    const behind = [1, 2].map((n) => send("write", `w${n}`, { text: `${n}` }));
    const beside = cluster.send("Note", "b", "write", { text: "b" });
    await clock.advance(5);
    expect(await beside).toMatchObject({ response: '"b"' });
    await clock.advance(5_000);
    expect(await poison).toMatchObject(parkedReply);
    expect(await Promise.all(behind)).toMatchObject([{ response: '"1"' }, { response: '"2"' }]);
    expect(runs.filter((run) => run === "a")).toHaveLength(3);
    expect(runs.slice(-2)).toEqual(["1", "2"]);
    const again = send("repeat", "poison");
    await clock.advance(5);
    expect(await again).toMatchObject({ ...parkedReply, replayed: true });
  });

  test("[CALL2] [CALL5] stays parked after a crash, costs no alarm, and the log says so", async () => {
    const { clock, send, made: cluster, storage, log } = made;
    void send("repeat", "poison");
    await clock.advance(5_000);
    cluster.crash("p0");
    await cluster.partition("p0").wake();
    await clock.advance(60_000);
    expect(runs).toHaveLength(3);
    expect(storage.query("SELECT call_id, status FROM pending")).toEqual([{ call_id: "poison", status: "parked" }]);
    expect((await log.list({ limit: 9 })).calls).toMatchObject([{ callId: "poison", status: "parked" }]);
    await cluster.partition("p0").wake();
    expect(storage.wake).toBeNull();
  });

  test("[CALL2] [CALL4] runs again when an operator says so, behind those that came later", async () => {
    const { clock, send, client, log } = made;
    void send("repeat", "poison");
    await clock.advance(5_000);
    void send("wait", "first");
    await clock.advance(5);
    word = "fine";
    runs = [];
    expect(await client.unpark("Note", "a", "poison")).toMatchObject({ status: "pending", error: null });
    expect(await client.unpark("Note", "a", "poison")).toEqual({ refused: "the call is pending" });
    await clock.advance(1_000);
    expect(runs).toEqual([]);
    expect((await log.find("Note", "a", "poison"))?.status).toBe("pending");
    await clock.advance(2_000_000);
    expect(runs.at(-1)).toBe("a");
    expect(await client.callRecord("Note", "a", "poison")).toMatchObject({ status: "success", response: "4" });
    expect((await log.find("Note", "a", "poison"))?.status).toBe("success");
  });

  test("[CALL2] is parked also when its turn still runs as the commits are refused", async () => {
    const { clock, send, client } = made;
    const poison = send("refuseOther", "poison");
    const behind = send("write", "behind", { text: "behind" });
    await clock.advance(5_000);
    expect(await client.callRecord("Note", "a", "poison")).toMatchObject({
      status: "parked",
      error: { code: "COMMIT_REFUSED" },
    });
    expect(await poison).toMatchObject(parkedReply);
    expect(await behind).toMatchObject({ response: '"behind"' });
    expect(runs.filter((run) => run === "a")).toHaveLength(3);
  });

  test("[CALL2] ends as failed when an operator says so, for good", async () => {
    const { clock, send, client, log, storage } = made;
    void send("repeat", "poison");
    await clock.advance(5_000);
    expect(await client.failCall("Note", "a", "nobody")).toBeNull();
    expect(await client.failCall("Note", "a", "poison")).toMatchObject({
      status: "failed",
      error: { code: "CALL_FAILED" },
    });
    expect(await client.failCall("Note", "a", "poison")).toEqual({ refused: "the call is failed" });
    const again = send("repeat", "poison");
    await clock.advance(40_000);
    expect(await again).toMatchObject({ error: { code: "CALL_FAILED" }, replayed: true });
    expect(storage.query("SELECT * FROM pending")).toEqual([]);
    expect((await log.find("Note", "a", "poison"))?.status).toBe("failed");
  });

  test("[CALL6] [CALL12] written ahead, it ends as failed, and nobody is told before the log", async () => {
    const { clock, client, log, made: cluster } = made;
    const options = { callId: "poison", log: "write-ahead", timeout: 60_000 } as const;
    void cluster.send("Note", "a", "repeat", undefined, options);
    await clock.advance(5_000);
    log.down = true;
    expect(await client.failCall("Note", "a", "poison")).toMatchObject({ status: "failed" });
    const early = cluster.send("Note", "a", "repeat", undefined, options);
    await clock.advance(5_000);
    expect(await early).toMatchObject({ error: { code: "LOG_UNAVAILABLE", details: { status: "failed" } } });
    log.down = false;
    await clock.advance(5_000);
    const again = cluster.send("Note", "a", "repeat", undefined, options);
    await clock.advance(5_000);
    expect(await again).toMatchObject({ error: { code: "CALL_FAILED" }, replayed: true });
  });

  test("[CALL2] is not accepted if its request is what the database refuses", async () => {
    const { clock, send, storage } = made;
    const refused = send("write", "w", { text: "POISON" });
    await clock.advance(5_000);
    expect(await refused).toMatchObject({ error: { code: "COMMIT_REFUSED" } });
    expect(storage.query("SELECT * FROM calls")).toEqual([]);
  });
});

test("[CALL2] a full disk is not the call's fault: it is tried until there is room", async () => {
  const { made, clock, storage, send } = setup();
  word = "fine";
  void made.send("Note", "a", "wait", undefined, { timeout: 20_000 });
  await clock.advance(5);
  const waiting = send("repeat", "c");
  await clock.advance(5);
  storage.full = true;
  await clock.advance(30_000);
  storage.full = false;
  await clock.advance(29_000);
  expect(await waiting).toMatchObject({ response: "4" });
});

test("[CALL2] a call that ends its process three times in a row is parked; those of other objects go on", async () => {
  const { made, clock, send, client } = setup();
  void made.send("Note", "a", "wait", undefined, { callId: "killer", answer: "accepted" });
  await clock.advance(5);
  for (let crash = 0; crash < 3; crash++) {
    made.crash("p0");
    await made.partition("p0").wake();
    await clock.advance(1_000);
  }
  expect(runs.filter((run) => run === "wait")).toHaveLength(3);
  expect(await client.callRecord("Note", "a", "killer")).toMatchObject({
    status: "parked",
    error: { code: "UNAVAILABLE", message: expect.stringContaining("process ended") },
  });
  const next = send("write", "next", { text: "x" });
  await clock.advance(5);
  expect(await next).toMatchObject({ response: '"x"' });
});

test("[CALL2] [OBJ4] a call whose object's row can't be used is parked at once, and runs after the repair", async () => {
  const { made, clock, storage, send, client } = setup();
  await made.call("Note", "a", "write", { text: "x" });
  made.crash("p0");
  storage.query("UPDATE objects SET state = '{\"text\":1}'");
  const broken = send("write", "w", { text: "y" });
  await clock.advance(5);
  expect(await broken).toMatchObject({ error: { code: "STATE_INVALID", details: { status: "parked" } } });
  storage.query('UPDATE objects SET state = \'{"text":"x"}\'');
  made.crash("p0");
  expect(await client.unpark("Note", "a", "w")).toMatchObject({ status: "pending" });
  await clock.advance(5);
  expect(await client.callRecord("Note", "a", "w")).toMatchObject({ status: "success" });
});
