import { method, VirtualObject } from "edgeverse";
import { MemoryCallLog, SqliteStorage, TestCluster } from "edgeverse/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import type { SqlRow, SqlValue } from "../../src/platform/ports.ts";

/** A database that counts the characters it gives out, and notes what is written. */
class CountingStorage extends SqliteStorage {
  read = 0;
  writes: string[] = [];

  override query<Row extends SqlRow = SqlRow>(sql: string, ...params: SqlValue[]): Row[] {
    const rows = super.query<Row>(sql, ...params);
    for (const row of rows) for (const value of Object.values(row)) this.read += String(value).length;
    if (!/^\s*SELECT/.test(sql)) this.writes.push(sql.trim().split(/\s+/).slice(0, 3).join(" "));
    return rows;
  }
}

let open: () => void = () => undefined;

class Job extends VirtualObject.withState(z.object({ total: z.number().default(0) })) {
  static override readonly type = "Job";
  static override readonly methods = {
    add: method({ request: z.object({ text: z.string() }) }),
    hold: method({ timeout: "9m" }),
  };
  add({ text }: { text: string }) {
    this.state.total += text.length;
    return this.state.total;
  }
  hold() {
    return new Promise<void>((resolve) => {
      open = resolve;
    });
  }
}

function setup(config: Record<string, string | number> = {}, logs = true) {
  const storage = new CountingStorage();
  const storageOf = (name: string) => (name === "p0" ? storage : new SqliteStorage());
  const { clock } = new TestCluster({ objects: [Job] });
  const log = new MemoryCallLog(clock);
  const made = new TestCluster({ objects: [Job], storageOf, clock, config, log: logs ? log : false });
  const add = (id: string, callId: string, text: string) =>
    made.send("Job", id, "add", { text }, { callId, answer: "accepted", timeout: 10_000 });
  return { made, storage, clock, log, add };
}

test("[TURN8] a partition starts without reading the requests of its pending calls; each is read when its turn comes", async () => {
  const { made, storage, clock, add } = setup();
  void made.send("Job", "a", "hold", undefined, { callId: "first", answer: "accepted" });
  const accepted = Array.from({ length: 40 }, (_, n) => add("a", `c${n}`, "x".repeat(100_000)));
  await clock.advance(10);
  expect(new Set((await Promise.all(accepted)).map(({ kind }) => kind))).toEqual(new Set(["accepted"]));
  made.crash("p0");
  storage.read = 0;
  await made.partition("p0").core();
  expect(storage.read).toBeLessThan(40_000);
  await clock.advance(10);
  storage.read = 0;
  open();
  await clock.advance(100);
  expect(await made.call("Job", "a", "add", { text: "" })).toBe(4_000_000);
  // Each request once for its turn, and none to tell the log what it was told.
  expect(storage.read).toBeLessThan(8_500_000);
});

test("[TURN8] pending calls are bounded in number, and in bytes", async () => {
  for (const [config, text] of [
    [{ partitionMailbox: 5 }, "x"],
    [{ logBacklog: 30_000 }, "x".repeat(10_000)],
  ] as const) {
    const { made, clock, add } = setup(config, false);
    void made.send("Job", "a", "hold", undefined, { callId: "first", answer: "accepted" });
    await clock.advance(5);
    const kinds: string[] = [];
    for (let n = 0; n < 8; n++) {
      const reply = add(`o${n % 2}`, `c${n}`, text);
      void made.send("Job", `o${n % 2}`, "hold", undefined, { timeout: 60_000 });
      await clock.advance(5);
      const answer = await reply;
      kinds.push(answer.kind === "error" ? answer.error.code : answer.kind);
    }
    expect(kinds[0]).toBe("accepted");
    expect(kinds.at(-1)).toBe("OVERLOADED");
  }
});

test("[CALL3] [TURN4] the calls of a commit are stored with one statement each for objects, marks and backlog", async () => {
  const { made, storage, clock } = setup({ shards: 1 });
  await made.call("Job", "warm", "add", { text: "" });
  await clock.advance(1_000);
  storage.writes = [];
  const calls = Array.from({ length: 200 }, (_, n) =>
    made.send("Job", `o${n}`, "add", { text: "x" }, { callId: `c${n}` }),
  );
  await clock.advance(1);
  expect((await Promise.all(calls)).map(({ kind }) => kind)).not.toContain("error");
  expect(storage.writes).toEqual(["INSERT INTO objects", "INSERT INTO marks", "INSERT INTO backlog"]);
  expect(storage.query("SELECT * FROM pending")).toEqual([]);
});

test("[CALL5] a call that ends soon is told to the log once; one that stays pending, before it ends as well", async () => {
  const { made, storage, clock, log } = setup();
  const told: string[] = [];
  const write = log.write.bind(log);
  log.write = (records) => {
    told.push(...records.map(({ callId, status }) => `${callId} ${status}`));
    return write(records);
  };
  void made.send("Job", "a", "hold", undefined, { callId: "long" });
  void made.send("Job", "b", "add", { text: "x" }, { callId: "short" });
  await clock.advance(1_000);
  expect(told).toEqual(["short success", "long pending"]);
  open();
  await clock.advance(1_000);
  expect(told).toEqual(["short success", "long pending", "long success"]);
  expect(storage.query("SELECT * FROM backlog")).toEqual([]);
});
