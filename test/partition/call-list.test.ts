import { SqliteStorage } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { Registry } from "../../src/object/registry.ts";
import { CallList } from "../../src/partition/calls/call-list.ts";
import { storeMarks } from "../../src/partition/storage/call-rows.ts";
import { migrate } from "../../src/partition/storage/schema.ts";
import type { NewestQuery } from "../../src/reliable/newest-calls.ts";
import { callRecord } from "../support/call-records.ts";

/** Marks at many positions, their order of time another than that of their keys; two of a time now and then. */
function setup(marks: number, most?: number) {
  const storage = new SqliteStorage();
  migrate(storage);
  const all = Array.from({ length: marks }, (_, n) => ({
    position: n,
    seq: 1 + (((n * 7_919) % marks) >> 1),
    status: n % 10 === 0 ? ("failed" as const) : ("success" as const),
    callId: `c${n}`,
  }));
  const calls = all.map(({ position, seq, ...changes }) => {
    const record = callRecord({ type: "T", id: `o${position}`, acceptedAt: seq, finishedAt: seq, ...changes });
    return { position, seq, log: "write-behind" as const, crashes: 0, logged: true, record };
  });
  storeMarks(storage, calls, { whole: true });
  let pauses = 0;
  const left = new Set<number>();
  const list = new CallList({
    storage,
    clock: {
      soon: (action) => {
        pauses++;
        setImmediate(action);
      },
    },
    owned: (position) => !left.has(position),
    places: new Registry([]),
    ...(most === undefined ? {} : { most }),
  });
  const expected = ({ status, limit }: NewestQuery) =>
    all
      .filter((call) => status === undefined || call.status === status)
      .filter(({ position }) => !left.has(position))
      .sort((a, b) => b.seq - a.seq || (`o${a.position}` < `o${b.position}` ? -1 : 1))
      .map(({ callId }) => callId)
      .slice(0, limit);
  const names = async (query: NewestQuery) => (await list.newest(query)).calls.map(({ callId }) => callId);
  return { storage, list, left, names, expected, pauses: () => pauses };
}

describe("the list of a partition's calls", () => {
  test("[CALL14] is in the order of time, though marks are not, and lets calls run between steps", async () => {
    const { names, expected, pauses, storage } = setup(12_000);
    let most = 0;
    const { query } = storage;
    storage.query = ((...given: Parameters<typeof query>) => {
      const rows = query.apply(storage, given);
      most = Math.max(most, rows.length);
      return rows;
    }) as typeof query;
    expect(await names({ limit: 100 })).toEqual(expected({ limit: 100 }));
    expect(pauses()).toBe(2);
    expect(most).toBe(5_000);
  });

  test("[CALL14] comes in pages, with each call once though two may have the same time", async () => {
    const { list, expected } = setup(600);
    for (const status of [undefined, "failed", "success"] as const) {
      const found: string[] = [];
      for (let before: NewestQuery["before"]; ; ) {
        const { calls } = await list.newest({ status, before, limit: 7 });
        found.push(...calls.map(({ callId }) => callId));
        if (calls.length < 7) break;
        before = calls.at(-1);
      }
      expect(found).toEqual(expected({ status, limit: 600 }));
    }
  });

  test("[CALL14] finds the last calls that failed by an index, however many succeeded", async () => {
    const { names, expected, storage, pauses } = setup(20_000);
    const plans: string[] = [];
    storage.onQuery = (sql) => {
      if (!sql.includes("FROM marks")) return;
      storage.onQuery = undefined;
      const plan = storage.query<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, Number.MAX_SAFE_INTEGER);
      plans.push(...plan.map(({ detail }) => detail));
    };
    expect(await names({ status: "failed", limit: 10 })).toEqual(expected({ status: "failed", limit: 10 }));
    expect(plans).toEqual([expect.stringMatching(/USING INDEX marks_unsuccessful \(seq/)]);
    expect(await names({ status: "expired", limit: 10 })).toEqual([]);
    expect(pauses()).toBe(0);
  });

  test("[CALL14] [CALL15] leaves out rows of shards that are not here", async () => {
    const { names, expected, left, list } = setup(100);
    for (let position = 0; position < 90; position++) left.add(position);
    expect(await names({ limit: 50 })).toEqual(expected({ limit: 50 }));
    expect(await names({ status: "failed", limit: 50 })).toEqual(["c90"]);
    const { counts } = await list.stats();
    expect(counts.map(({ status, count }) => [status, count]).sort()).toEqual([
      ["failed", 1],
      ["success", 9],
    ]);
  });

  test("[CALL14] [CALL15] says when there are too many to look at", async () => {
    const { list } = setup(12_000, 10_000);
    expect(await list.newest({ limit: 1 })).toMatchObject({ complete: false });
    expect(await list.newest({ limit: 1, type: "T", id: "o5" })).toMatchObject({ complete: true });
    expect(await list.newest({ limit: 1, status: "failed" })).toMatchObject({ complete: true });
    expect(await list.stats()).toMatchObject({ complete: false, counts: [{ type: "T" }, { type: "T" }] });
  });
});
