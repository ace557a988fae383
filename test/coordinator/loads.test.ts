import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { hashRange } from "../../src/identity/hash-order.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { COUNT } from "../../src/partition/turns/load-meter.ts";
import type { Plan } from "../../src/placement/plan-types.ts";
import { setup } from "./coordinator-fixture.ts";

const WRITE = /^\s*(INSERT|UPDATE|DELETE)/;

/** Notes what is written to the coordinator's database from now on. */
function writesOf(made: ReturnType<typeof setup>["made"]): string[] {
  const writes: string[] = [];
  made.storage("coordinator").onQuery = (sql) => {
    if (WRITE.test(sql)) writes.push(sql);
  };
  return writes;
}

async function busyFor(seconds: number, { made, clock }: ReturnType<typeof setup>) {
  for (let second = 0; second < seconds; second++) {
    for (let index = 0; index < 40; index++) void made.send("Thing", `u${(second * 40 + index) % 800}`, "touch");
    await clock.advance(1_000);
  }
}

describe("reports of load", () => {
  test("[MEM2] are not sent where no plan goes by them, and nothing is counted for them", async () => {
    const cluster = setup({ rebalance: "count" });
    await busyFor(15, cluster);
    const writes = writesOf(cluster.made);
    const counts: string[] = [];
    for (const name of ["p0", "p1"])
      cluster.made.storage(name).onQuery = (sql) => {
        if (sql.includes("octet_length")) counts.push(sql);
      };
    await busyFor(65, cluster);
    expect(writes).toEqual([]);
    expect(counts).toEqual([]);
  });

  for (const [name, config] of Object.entries({
    "the strategy is `load`": { rebalance: "load", rebalanceThreshold: 10 },
    "there is a rule": { rebalance: "off", placement: JSON.stringify({ rules: [{ type: "Other", on: { a: "b" } }] }) },
  }))
    test(`[PLAN1] [MEM2] cost one row each, every 30 s at most, when ${name}`, async () => {
      const cluster = setup(config);
      await busyFor(15, cluster);
      const writes = writesOf(cluster.made);
      await busyFor(65, cluster);
      const reports = writes.filter((sql) => sql.includes("INTO reports"));
      expect(reports.length).toBeGreaterThanOrEqual(4);
      expect(reports.length).toBeLessThanOrEqual(6);
    });

  test("[PLAN1] survive the coordinator's process", async () => {
    const cluster = setup({ rebalance: "load", rebalanceThreshold: 10 });
    await busyFor(65, cluster);
    const load = async () => {
      const plan = (await cluster.clock.until(
        cluster.made.command({ kind: "rebalance", strategy: "load", dryRun: true }),
      )) as Plan;
      return plan.stats.members.map((member) => member.load);
    };
    const before = await load();
    cluster.made.crashCoordinator();
    expect(await load()).toEqual(before);
    expect(before.every((share) => share > 0)).toBe(true);
  });
});

describe("an operator's plan by load where nobody reports", () => {
  test("[PLAN1] [PLAN3] asks the partitions", async () => {
    const cluster = setup({ rebalance: "off" });
    await busyFor(5, cluster);
    const plan = (await cluster.clock.until(
      cluster.made.command({ kind: "rebalance", strategy: "load", dryRun: true }),
    )) as Plan;
    expect(plan.stats.members.every(({ load }) => load > 0)).toBe(true);
  });

  test("[PLAN3] is refused while one does not answer: it would seem to be idle", async () => {
    const cluster = setup({ rebalance: "off" });
    await busyFor(5, cluster);
    cluster.made.unreachable.add("p1");
    const asked = cluster.clock.until(cluster.made.command({ kind: "rebalance", strategy: "load", dryRun: false }));
    await expect(asked).rejects.toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("p1") });
    expect(await cluster.made.coordinator.moves({ limit: 10 })).toEqual([]);
  });
});

describe("counting the objects of a shard", () => {
  test("[PLAN1] reads no state: its size is in the header of its row", () => {
    const storage = new SqliteStorage();
    migrate(storage);
    const columns = storage.query<{ opcode: string; p2: number; p5: number }>(`EXPLAIN ${COUNT}`, 0, "", "", 1, 1);
    const state = storage.query<{ cid: number }>(
      "SELECT cid FROM pragma_table_info('objects') WHERE name = 'state'",
    )[0];
    // OPFLAG_BYTELENARG of SQLite: only the length is wanted, so pages of overflow stay unread.
    const read = columns.filter(({ opcode, p5 }) => opcode === "Column" && p5 === 0xc0);
    expect(read).toHaveLength(1);
    expect(read[0]?.p2).toBe(state?.cid);
    storage.close();
  });

  test("[PLAN1] lets other work in between, and counts to a bound", async () => {
    const { made, clock, map, start } = setup({ rebalance: "off" });
    await start();
    const shard = Array.from({ length: 64 }, (_, n) => n).find((n) => map().owner(n) === "p0") as number;
    await made.call("Thing", `shard#${shard}/x`, "touch");
    const storage = made.storage("p0");
    const { first } = hashRange(shard, 64);
    storage.transaction(() => {
      for (let index = 0; index < 12_000; index++)
        storage.query(
          "INSERT INTO objects (position, type, id, version, state, created, updated) VALUES (?, 'Old', ?, 1, '{\"a\":1}', 0, 0)",
          first + 1 + index,
          `o${index}`,
        );
    });
    const { meter } = await made.partition("p0").core();
    let slices = 0;
    storage.onQuery = (sql) => {
      if (sql === COUNT) slices++;
    };
    const seen: number[] = [];
    const look = () => {
      if (seen.at(-1) !== slices) seen.push(slices);
      if (slices < 20) clock.soon(look);
    };
    look();
    const report = clock.until(meter.report());
    expect((await report).shards).toMatchObject([
      { shard, types: ["Thing"], stored: { objects: 10_000, bytes: 69_995 } },
    ]);
    expect(seen).toEqual(Array.from({ length: 21 }, (_, index) => index));
  });
});
