import { EdgeverseError, method, VirtualObject } from "edgeverse";
import { ManualClock, MemoryCallLog, SqliteStorage, TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { partitionClient } from "../../src/partition/client.ts";
import type { SqlRow, SqlValue } from "../../src/platform/ports.ts";
import type { CallRecord } from "../../src/reliable/call-record.ts";

/** A database that, on demand, can't read the requests of calls in line. */
class UnreadableStorage extends SqliteStorage {
  unreadable = false;

  override query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    if (this.unreadable && sql.startsWith("SELECT request FROM pending")) throw new Error("SQLITE_CORRUPT");
    return super.query<Row>(sql, ...params);
  }
}

class Note extends VirtualObject.withState(z.object({ text: z.string().default("") })) {
  static override readonly type = "Note";
  static override readonly methods = {
    away: method({ request: z.object({ text: z.string() }) }),
    write: method({ request: z.object({ text: z.string() }) }),
    wait: method(),
  };
  /** Needs a part of the cluster that can't be reached. */
  away(_: { text: string }) {
    throw new EdgeverseError("UNAVAILABLE", "another part is away");
  }
  write({ text }: { text: string }) {
    this.state.text = text;
    return text;
  }
  wait() {
    return new Promise<void>(() => undefined);
  }
}

function setup(logs = true) {
  const clock = new ManualClock();
  const storage = new UnreadableStorage();
  const log = logs ? new MemoryCallLog(clock) : false;
  const storageOf = (name: string) => (name === "p0" ? storage : new SqliteStorage());
  const made = new TestCluster({ objects: [Note], partitions: 1, storageOf, clock, log });
  const owner = () => partitionClient(made.partition("p0"));
  const send = (id: string, name: string, callId: string | undefined, options = {}) =>
    made.send("Note", id, name, { text: callId ?? "" }, { ...(callId === undefined ? {} : { callId }), ...options });
  /** Lets time pass while no request can be read. */
  const unreadable = async (ms: number) => {
    storage.unreadable = true;
    await clock.advance(ms);
    storage.unreadable = false;
  };
  return { made, clock, storage, owner, send, unreadable };
}

describe("a reliable call whose request can't be read for a while", () => {
  test.each([true, false])("[CALL2] stays pending and is tried again (a log: %s)", async (logs) => {
    const { clock, owner, send, unreadable } = setup(logs);
    const call = send("x", "away", "first", { timeout: 5_000 });
    await clock.advance(400);
    await unreadable(2_000);
    await clock.advance(400_000);
    expect(await call).toMatchObject({ error: { code: "DEADLINE_EXCEEDED", details: { status: "pending" } } });
    const record = await owner().callRecord("Note", "x", "first");
    expect(record).toMatchObject({ status: "pending" });
    expect((record as CallRecord).attempts).toBeGreaterThan(10);
  });

  test("[CALL8] [TURN6] expires once it can be read, and the deadlines of the partition go on", async () => {
    const { made, clock, storage, owner, send, unreadable } = setup();
    const expiring = send("x", "away", "expiring", { expiresIn: 500, timeout: 50_000 });
    const behind = send("x", "write", "behind", { timeout: 50_000 });
    await clock.advance(400);
    await unreadable(200);
    expect(storage.query("SELECT status FROM pending ORDER BY seq")).toEqual([
      { status: "pending" },
      { status: "pending" },
    ]);
    const waits = made.send("Note", "z", "wait", undefined, { timeout: 1_000 });
    await clock.advance(20_000);
    expect(await waits).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    expect(await expiring).toMatchObject({ error: { reason: "EXPIRED" } });
    expect(await behind).toMatchObject({ response: '"behind"' });
    expect(await owner().callRecord("Note", "x", "expiring")).toMatchObject({ status: "expired" });
    expect([...(await made.partition("p0").core()).engine.running]).toHaveLength(0);
  });

  test("[CALL12] can't be ended by an operator until then", async () => {
    const { clock, storage, owner, send } = setup();
    void send("x", "away", "first", { timeout: 5_000 });
    await clock.advance(400);
    storage.unreadable = true;
    await expect(owner().failCall("Note", "x", "first")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    storage.unreadable = false;
    const ended = owner().failCall("Note", "x", "first");
    await clock.advance(5);
    expect(await ended).toMatchObject({ status: "failed" });
    expect(await owner().callRecord("Note", "x", "first")).toMatchObject({ status: "failed" });
  });
});
