import { ManualClock, SqliteStorage } from "edgeverse/testing";
import { expect, test } from "vitest";
import { FIXED_POSITION, hashRange } from "../../src/identity/hash-order.ts";
import { Registry } from "../../src/object/registry.ts";
import { Ownership } from "../../src/partition/storage/ownership.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import { LoadMeter } from "../../src/partition/turns/load-meter.ts";
import type { LoadReport } from "../../src/placement/load-report.ts";

/** The meter of a partition with so many shards, and what it has sent. */
function setup(shards = 16, { sends = true, fails = false } = {}) {
  const storage = new SqliteStorage();
  migrate(storage);
  const genesis = { shards, members: [{ name: "p0", weight: 1 }] };
  Ownership.bootstrap(storage, "p0", genesis, shards);
  const ownership = new Ownership("p0", genesis, storage, new Registry([]));
  const clock = new ManualClock();
  const sent: LoadReport[] = [];
  const loads = {
    async report(report: LoadReport) {
      sent.push(report);
      if (fails) throw new Error("lost");
    },
  };
  const meter = new LoadMeter({ clock, ownership, storage, loads: () => (sends ? loads : undefined) });
  const turn = (shard: number, busy = 1, type = "T") =>
    meter.turn(hashRange(shard, shards).first, type, busy, clock.now());
  const store = (shard: number, type: string, ids: readonly string[], state = "{}") => {
    for (const id of ids) {
      const { first } = hashRange(shard, shards);
      storage.query(
        "INSERT INTO objects (position, type, id, version, state, created, updated) VALUES (?, ?, ?, 1, ?, 0, 0)",
        first,
        type,
        id,
        state,
      );
    }
  };
  const report = () => clock.until(meter.report());
  return { storage, ownership, clock, sent, meter, turn, store, report };
}

const EMPTY = { objects: 0, bytes: 0, types: [] };

test("[PLAN1] a report says what each shard had to do since the last one, and what is stored there", async () => {
  const { clock, meter, turn, store, report } = setup();
  store(3, "T", ["a", "b"], '{"n":1}');
  store(3, "U", ["a"], "{}");
  store(4, "V", ["a"]);
  turn(3, 5);
  turn(3, 7, "U");
  turn(0, 0);
  meter.turn(FIXED_POSITION, "T", 9, clock.now());
  await clock.advance(1_000);
  expect(await report()).toEqual({
    partition: "p0",
    period: 1_000,
    shards: [
      { shard: 3, calls: 2, busy: 12, types: ["T", "U"], stored: { objects: 3, bytes: 16, types: ["T", "U"] } },
      { shard: 0, calls: 1, busy: 0, types: ["T"], stored: EMPTY },
    ],
  });
  await clock.advance(50);
  expect(await report()).toEqual({ partition: "p0", period: 50, shards: [] });
});

test("[PLAN1] the busiest shards come first, and only so many", async () => {
  const { turn, report } = setup(1_024);
  for (let shard = 0; shard < 600; shard++) turn(shard, shard);
  for (let call = 0; call < 1_000; call++) turn(7, 0);
  turn(8, 5_000);
  const { shards } = await report();
  expect(shards).toHaveLength(512);
  expect(shards.slice(0, 4).map(({ shard }) => shard)).toEqual([8, 7, 599, 598]);
});

test("[PLAN1] a shard's objects are counted once an hour, those of eight shards for one report", async () => {
  const { clock, turn, report } = setup();
  const counted = async () => {
    for (let shard = 0; shard < 10; shard++) turn(shard, 20 - shard);
    return (await report()).shards.filter(({ stored }) => stored !== undefined).map(({ shard }) => shard);
  };
  expect(await counted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  const since = clock.now();
  await clock.advance(10);
  expect(await counted()).toEqual([8, 9]);
  expect(await counted()).toEqual([]);
  await clock.advance(since + 3_600_000 - clock.now() - 1);
  expect(await counted()).toEqual([]);
  await clock.advance(1);
  expect((await counted()).length).toBeGreaterThanOrEqual(1);
});

test("[PLAN1] a report names a bounded number of types", async () => {
  const { turn, store, report } = setup();
  for (let type = 0; type < 70; type++) {
    turn(3, 1, `T${type}`);
    store(3, `T${type}`, ["a"]);
  }
  const [traffic] = (await report()).shards;
  expect([traffic?.types?.length, traffic?.stored?.types?.length, traffic?.stored?.objects]).toEqual([64, 64, 70]);
});

test.each([499, 500, 501, 1_000])(
  "[PLAN1] all of %d objects of a shard are counted, a few in one event",
  async (many) => {
    const { storage, clock, turn, store, report } = setup();
    storage.transaction(() =>
      store(
        3,
        "T",
        Array.from({ length: many }, (_, n) => `o${n}`),
      ),
    );
    turn(3);
    let [events, slices] = [0, 0];
    storage.onQuery = (sql) => {
      if (sql.includes("octet_length")) slices++;
    };
    const look = () => {
      if (++events < 5) clock.soon(look);
    };
    look();
    expect((await report()).shards).toMatchObject([{ stored: { objects: many, bytes: 2 * many } }]);
    expect([events >= slices, slices]).toEqual([true, Math.floor(many / 500) + 1]);
  },
);

test("[SPLIT1] [PLAN1] a shard that is no more is left out", async () => {
  const { ownership, storage, clock, meter, turn } = setup();
  turn(9, 5);
  turn(8, 5);
  turn(3, 1);
  const report = meter.report();
  storage.query("UPDATE meta SET value = '8' WHERE key = 'shards'");
  ownership.resharded(8);
  const { shards } = await clock.until(report);
  expect(shards.map(({ shard }) => shard)).toEqual([3]);
});

test("[MEM2] [PLAN1] a report is sent with the first turn after half a minute, and no timer waits for it", async () => {
  const { clock, sent, turn } = setup();
  turn(3);
  await clock.advance(29_999);
  turn(3);
  await clock.advance(0);
  expect([sent.length, clock.timers]).toEqual([0, 0]);
  await clock.advance(1);
  expect(sent).toEqual([]);
  turn(3);
  await clock.advance(10);
  expect(sent).toMatchObject([{ period: 30_000, shards: [{ shard: 3, calls: 3 }] }]);
  turn(3);
  await clock.advance(10);
  expect(sent).toHaveLength(1);
});

test("[MEM2] [PLAN1] nothing is sent where nobody plans by reports, and a lost one is no failure", async () => {
  for (const { sends, fails, reports } of [
    { sends: false, fails: false, reports: 0 },
    { sends: true, fails: true, reports: 2 },
  ]) {
    const { clock, sent, turn } = setup(16, { sends, fails });
    for (let report = 0; report < 2; report++) {
      await clock.advance(30_000);
      turn(3);
      await clock.advance(10);
    }
    expect(sent).toHaveLength(reports);
  }
});
