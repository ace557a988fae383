import { describe, expect, test } from "vitest";
import { settle } from "../../src/testing/clocks.ts";
import { setup } from "./job-fixture.ts";
import { SlowStorage } from "./slow-storage.ts";

describe("failures of the storage", () => {
  function slowCluster(config: Record<string, string | number> = {}) {
    const { made, clock } = setup(config);
    const storage = new SlowStorage();
    made.storages.set("p0", storage);
    return { made, clock, storage };
  }

  test("[CALL4] a commit that fails while an earlier one becomes durable does not block an object's queue", async () => {
    const { made, clock, storage } = slowCluster();
    await made.call("Job", "warm", "add", { by: 1 });
    storage.hold = true;
    const first = made.send("Job", "a", "add", { by: 1 }, { callId: "c1" });
    await clock.advance(1);
    storage.failing = new Error("disk I/O error");
    const failing = made.send("Job", "b", "add", { by: 1 });
    await clock.advance(1);
    storage.failing = undefined;
    storage.hold = false;
    for (const durable of storage.held) durable();
    await clock.advance(100);
    expect(await failing).toMatchObject({ error: { code: "UNAVAILABLE" } });
    expect(await first).toMatchObject({ kind: "response" });
    const second = made.send("Job", "a", "add", { by: 1 }, { callId: "c2", timeout: 5_000 });
    await clock.advance(6_000);
    expect(await second).toMatchObject({ response: "2" });
  });

  test("[TURN4] a storage that fails altogether leaves nobody without an answer", async () => {
    const { made, clock, storage } = slowCluster();
    await made.call("Job", "warm", "add", { by: 1 });
    const call = made.send("Job", "warm", "add", { by: 1 });
    await settle();
    storage.broken = true;
    await clock.advance(1).catch(() => undefined);
    storage.broken = false;
    let reply: unknown;
    void call.then((answer) => {
      reply = answer;
    });
    await clock.advance(60_000);
    expect(reply).toMatchObject({ error: { code: "UNAVAILABLE" } });
  });

  test("[TURN4] [TURN9] a commit of many large states keeps within the platform's 2 MB a value", async () => {
    const { made, clock, storage } = slowCluster();
    await made.call("Job", "warm", "add", { by: 1 });
    storage.maxBytes = 2_000_000;
    const calls = ["a", "b", "c"].map((id) => made.send("Job", id, "write", { text: "x".repeat(900_000) }));
    await clock.advance(5);
    for (const call of calls) expect(await call).toMatchObject({ kind: "response" });
  });

  test("[TURN4] [TURN9] one state within its limit can be written, whatever is in it", async () => {
    const { made, clock, storage } = slowCluster();
    await made.call("Job", "warm", "add", { by: 1 });
    storage.maxBytes = 2_000_000;
    const call = made.send("Job", "a", "write", { text: '"'.repeat(500_000) });
    await clock.advance(5);
    expect(await call).toMatchObject({ kind: "response" });
  });
});
