import { describe, expect, test } from "vitest";
import { Counter } from "../../examples/counter.ts";
import { Journal } from "../../examples/journal.ts";
import { Wallet } from "../../examples/wallet.ts";
import { TestCluster } from "../../src/testing/test-cluster.ts";
import { cluster, created, gates, Lab, Lister } from "./turns-fixture.ts";

describe("turns", () => {
  test("[TURN3] a call changes the state, and the state outlives the process", async () => {
    const { made } = cluster();
    expect(await made.call("Counter", "a", "add", { by: 2 })).toEqual({ value: 2 });
    expect(await made.call("Counter", "a", "add", { by: 3 })).toEqual({ value: 5 });
    made.crash("p0");
    expect(await made.call("Counter", "a", "get")).toEqual({ value: 5 });
  });

  test("[TURN2] a throwing method leaves no trace, not even in private fields", async () => {
    const { made } = cluster();
    await made.call("Lab", "a", "bump");
    await expect(made.call("Lab", "a", "bumpThenThrow")).rejects.toMatchObject({ code: "INTERNAL" });
    expect(await made.call("Lab", "a", "bump")).toEqual({ value: 2, seen: 1 });
    const rows = made.storage("p0").query("SELECT * FROM rows");
    expect(rows).toEqual([]);
  });

  test("[OBJ1] only declared methods can be called", async () => {
    const { made } = cluster();
    for (const name of [
      "hidden",
      "constructor",
      "onCreate",
      "__proto__",
      "toString",
      "state",
      "id",
      "deleteSelf",
      "",
    ]) {
      await expect(made.call("Lab", "a", name)).rejects.toMatchObject({ code: "METHOD_NOT_FOUND" });
    }
  });

  test("[OBJ2] a unfit request runs nothing and names the path", async () => {
    const { made } = cluster();
    await expect(made.call("Counter", "a", "add", { by: "x" })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      details: { issues: [{ path: ["by"] }] },
    });
    expect(made.storage("p0").query("SELECT * FROM objects")).toEqual([]);
  });

  test("[OBJ2] a request that is all defaults need not be sent, whoever calls", async () => {
    const { made, clock } = cluster([Lister, Journal], { partitions: 4 });
    await made.call("Journal", "j", "append", { entry: 1 });
    const listed = { entries: [1], length: 1 };
    expect(await made.call("Journal", "j", "list")).toEqual(listed);
    expect(await made.call("Journal", "j", "list", undefined, { callId: "l1" })).toEqual(listed);
    const batch = made.router.batch([made.message("Journal", "j", "list"), made.message("Journal", "j", "list", null)]);
    await clock.advance(1);
    for (const reply of await batch) expect(reply).toEqual({ kind: "response", response: JSON.stringify(listed) });
    // Of these some are in the journal's partition and some are not.
    for (const id of ["a", "b", "c", "d", "e", "f"]) {
      expect(await made.call("Lister", id, "list"), id).toEqual([listed, listed]);
    }
  });

  test("[OBJ2] a request schema that throws is INTERNAL and not retryable, and the log has it", async () => {
    const { made } = cluster([Lister]);
    await expect(made.call("Lister", "a", "parse", "{")).rejects.toMatchObject({ code: "INTERNAL", retryable: false });
    expect(made.thrown).toMatchObject([{ cause: expect.any(SyntaxError) }]);
  });

  test.each(["function", "nan", "date"])("[OBJ2] a response that is not JSON rolls back: %s", async (what) => {
    const { made } = cluster();
    await expect(made.call("Lab", "a", "respond", what)).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
    expect(made.storage("p0").query("SELECT * FROM objects")).toEqual([]);
  });

  test("[OBJ2] a method that returns nothing answers null", async () => {
    const { made } = cluster();
    expect(await made.call("Lab", "a", "respond", "nothing")).toBeNull();
  });

  test("[TURN1] turns of one object run one at a time: no update is lost between awaits", async () => {
    const { made, clock } = cluster();
    const first = made.send("Lab", "a", "slowBump", { gate: "1" });
    const second = made.send("Lab", "a", "slowBump", { gate: "2" });
    await clock.advance(1);
    expect(gates.has("2")).toBe(false);
    gates.get("1")?.();
    await clock.advance(1);
    gates.get("2")?.();
    await clock.advance(1);
    expect(await first).toMatchObject({ response: '{"value":1}' });
    expect(await second).toMatchObject({ response: '{"value":2}' });
    gates.clear();
  });

  test("[TURN1] readonly turns run beside one another, and never beside a writing one", async () => {
    const { made, clock } = cluster();
    await made.call("Lab", "a", "bump");
    const readers = ["r1", "r2"].map((gate) => made.send("Lab", "a", "slowPeek", { gate }));
    await clock.advance(1);
    expect([...gates.keys()]).toEqual(["r1", "r2"]);
    const writer = made.send("Lab", "a", "bump");
    const late = made.send("Lab", "a", "peek");
    await clock.advance(1);
    for (const gate of gates.values()) gate();
    await clock.advance(1);
    for (const reader of readers) expect(await reader).toMatchObject({ response: '{"value":1}' });
    expect(await writer).toMatchObject({ response: expect.stringContaining('"value":2') });
    expect(await late).toMatchObject({ response: '{"value":2}' });
    gates.clear();
  });

  test("[TURN1] a readonly method can't change the state", async () => {
    const { made } = cluster();
    await made.call("Lab", "a", "bump");
    await expect(made.call("Lab", "a", "cheat")).rejects.toMatchObject({ code: "INTERNAL" });
    expect(await made.call("Lab", "a", "peek")).toEqual({ value: 1 });
  });

  test("[TURN4] turns that finish together share a commit; a failed commit fails them all and shows nothing", async () => {
    const { made, clock } = cluster();
    await made.call("Counter", "warm", "add", { by: 1 });
    const before = (await made.partition("p0").core()).commit.stats.commits;
    const calls = Array.from({ length: 50 }, (_, index) => made.send("Counter", `c${index % 5}`, "add", { by: 1 }));
    await clock.advance(1);
    await Promise.all(calls);
    expect((await made.partition("p0").core()).commit.stats.commits).toBe(before + 1);

    made.storage("p0").failing = new Error("disk I/O error");
    const failing = Array.from({ length: 5 }, (_, index) => made.send("Counter", `c${index}`, "add", { by: 1 }));
    await clock.advance(1);
    for (const reply of await Promise.all(failing)) expect(reply).toMatchObject({ error: { code: "UNAVAILABLE" } });
    expect(await made.call("Counter", "c0", "get")).toEqual({ value: 10 });
    made.storage("p0").failing = undefined;
    expect(await made.call("Counter", "c0", "add", { by: 1 })).toEqual({ value: 11 });
  });

  test("[TURN6] a call that passes its deadline changed nothing, and frees the mailbox", async () => {
    const { made, clock } = cluster();
    await made.call("Lab", "a", "bump");
    const slow = made.send("Lab", "a", "slowBump", { gate: "stuck" }, { timeout: 100 });
    const next = made.send("Lab", "a", "bump");
    await clock.advance(101);
    expect(await slow).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    expect(await next).toMatchObject({ response: expect.stringContaining('"value":2') });
    gates.get("stuck")?.();
    await clock.advance(10);
    expect(await made.call("Lab", "a", "peek")).toEqual({ value: 2 });
    gates.clear();
  });

  test("[TURN6] a call that waited too long never runs", async () => {
    const { made, clock } = cluster();
    const slow = made.send("Lab", "a", "slowBump", { gate: "g" }, { timeout: 1_000 });
    const waiting = made.send("Lab", "a", "bump", undefined, { timeout: 50 });
    await clock.advance(60);
    expect(await waiting).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    gates.get("g")?.();
    await clock.advance(1);
    expect(await slow).toMatchObject({ response: '{"value":1}' });
    gates.clear();
  });

  test("[TURN7] a call that comes back to its own turn fails at once and names the chain", async () => {
    const { made } = cluster();
    await expect(made.call("Lab", "a", "callMe", { path: ["b", "a"] })).rejects.toMatchObject({
      code: "DEADLOCK",
      details: { chain: ["Lab/a", "Lab/b", "Lab/a"] },
    });
    await expect(made.call("Lab", "a", "callMe", { path: ["a"] })).rejects.toMatchObject({ code: "DEADLOCK" });
    expect(await made.call("Lab", "a", "callMe", { path: ["b", "c"] })).toEqual({ id: "c" });
  });

  test("[TURN7] a position of five across partitions fails at once", async () => {
    const made = new TestCluster({ objects: [Lab], partitions: 4 });
    const path = ["r2", "r3", "r4", "r5", "r1"];
    await expect(made.call("Lab", "r1", "callMe", { path })).rejects.toMatchObject({ code: "DEADLOCK" });
  });

  test("[TURN8] a full mailbox refuses at once with a time to come back", async () => {
    const { made, clock } = cluster([Lab], { mailbox: 3 });
    const slow = made.send("Lab", "a", "slowBump", { gate: "g" });
    await clock.advance(1);
    const waiting = [1, 2, 3].map(() => made.send("Lab", "a", "bump"));
    const refused = made.send("Lab", "a", "bump");
    await clock.advance(1);
    expect(await refused).toMatchObject({ error: { code: "OVERLOADED", retryAfter: 1 } });
    gates.get("g")?.();
    await clock.advance(1);
    expect(await slow).toMatchObject({ kind: "response" });
    for (const call of waiting) expect(await call).toMatchObject({ kind: "response" });
    gates.clear();
  });

  test("[TURN9] state, values and responses have limits; nothing is stored", async () => {
    const { made } = cluster([Lab, Journal], { maxState: 1_000, maxValue: 500, maxMessage: 2_000 });
    await expect(made.call("Lab", "a", "fill", { bytes: 1_001 })).rejects.toMatchObject({ code: "STATE_TOO_LARGE" });
    await expect(made.call("Journal", "a", "append", { entry: "x".repeat(600) })).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
    });
    await expect(made.call("Lab", "a", "respond", "y".repeat(2_001))).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
    });
    expect(made.storage("p0").query("SELECT * FROM objects")).toEqual([]);
  });

  test("[OBJ4] a state the schema refuses is never written", async () => {
    const { made } = cluster();
    await made.call("Lab", "a", "bump");
    await expect(made.call("Lab", "a", "corrupt")).rejects.toMatchObject({ code: "STATE_INVALID" });
    expect(await made.call("Lab", "a", "peek")).toEqual({ value: 1 });
  });

  test("[OBJ4] a row that can't be parsed fails calls, is left untouched, and can be deleted", async () => {
    const { made } = cluster();
    await made.call("Lab", "a", "bump");
    made.storage("p0").query("UPDATE objects SET state = ?", '{"value":"broken"}');
    made.crash("p0");
    await expect(made.call("Lab", "a", "peek")).rejects.toMatchObject({ code: "STATE_INVALID" });
    expect(made.storage("p0").query("SELECT state FROM objects")).toEqual([{ state: '{"value":"broken"}' }]);
    expect(await made.lifecycle("delete", "Lab", "a")).toEqual({ existed: true });
    expect(await made.call("Lab", "a", "peek")).toEqual({ value: 0 });
  });

  test("[LIFE1] a hundred first calls run onCreate once", async () => {
    const { made, clock } = cluster();
    const calls = Array.from({ length: 100 }, () => made.send("Lab", "new", "bump"));
    await clock.advance(1);
    await Promise.all(calls);
    expect(created).toBe(1);
    expect(await made.call("Lab", "new", "peek")).toEqual({ value: 100 });
  });

  test("[LIFE2] an idle object leaves memory and nothing changes", async () => {
    const { made, clock } = cluster();
    await made.call("Counter", "a", "add", { by: 4 });
    await clock.advance(120_000);
    expect(clock.timers).toBe(0);
    await made.call("Counter", "b", "add", { by: 1 });
    expect([...(await made.partition("p0").core()).activations.map.keys()]).toEqual(["Counter/b"]);
    expect(await made.call("Counter", "a", "get")).toEqual({ value: 4 });
  });

  test("[LIFE2] memory holds no more objects than its limit", async () => {
    const { made } = cluster([Counter], { maxObjects: 10 });
    for (let index = 0; index < 100; index++) await made.call("Counter", `c${index}`, "add", { by: index });
    expect((await made.partition("p0").core()).activations.map.size).toBeLessThanOrEqual(11);
    for (let index = 0; index < 100; index += 9) {
      expect(await made.call("Counter", `c${index}`, "get")).toEqual({ value: index });
    }
  });

  test("[LIFE3] delete removes state and rows, in memory or not, saved or not", async () => {
    const { made } = cluster();
    await made.call("Journal", "a", "append", { entry: 1 });
    expect(await made.lifecycle("delete", "Journal", "a")).toEqual({ existed: true });
    expect(await made.call("Journal", "a", "list", {})).toEqual({ entries: [], length: 0 });
    await made.call("Journal", "a", "append", { entry: 2 });
    made.crash("p0");
    expect(await made.lifecycle("delete", "Journal", "a")).toEqual({ existed: true });
    expect(made.storage("p0").query("SELECT * FROM rows")).toEqual([]);
    expect(await made.lifecycle("delete", "Journal", "never")).toEqual({ existed: false });
    await made.call("Lab", "v", "vanish");
    expect(made.storage("p0").query("SELECT * FROM objects")).toEqual([]);
  });

  test("[OBJ3] values pass by copy between neighbours", async () => {
    const { made } = cluster([Wallet]);
    await made.call("Wallet", "a", "deposit", { amount: 10 });
    expect(await made.call("Wallet", "a", "transfer", { to: "b", amount: 4 }, { callId: "t1" })).toEqual({
      balance: 6,
    });
    expect(await made.call("Wallet", "b", "getBalance")).toEqual({ balance: 4 });
  });
});
