import { ManualClock, SqliteStorage, TestCluster } from "edgeverse/testing";
import { expect, test, vi } from "vitest";
import { Counter } from "../../examples/counter.ts";

test("[OWN1] settings changed after the founding move no shard: every object is found, and nobody else serves it", async () => {
  const storages = new Map<string, SqliteStorage>();
  const storageOf = (name: string) => {
    const known = storages.get(name) ?? new SqliteStorage();
    storages.set(name, known);
    return known;
  };
  const before = new TestCluster({ objects: [Counter], partitions: 2, storageOf });
  const ids = Array.from({ length: 40 }, (_, index) => `c${index}`);
  for (const id of ids) await before.call("Counter", id, "add", { by: 1 });

  const changes = [{ partitions: 5 }, { partitions: 1 }, { partitions: 2, config: { shards: 64 } }] as const;
  for (const [round, change] of changes.entries()) {
    const after = new TestCluster({ objects: [Counter], storageOf, ...change });
    for (const id of ids) expect(await after.call("Counter", id, "add", { by: 1 })).toEqual({ value: round + 2 });
    const rows = [...storages.values()].map((storage) => {
      const there = storage.query<{ n: number }>("SELECT count(*) AS n FROM sqlite_master WHERE name = 'objects'");
      return there[0]?.n === 1 ? (storage.query<{ n: number }>("SELECT count(*) AS n FROM objects")[0]?.n ?? 0) : 0;
    });
    expect(rows.reduce((sum, n) => sum + n)).toBe(ids.length);
  }
});

test.each([
  ["never answers", () => new Promise<never>(() => undefined)],
  ["breaks off", () => Promise.reject(new Error("Network connection lost."))],
])(
  "[HTTP12] a new partition whose coordinator %s has run nothing, and asks again at the next call",
  async (_, answer) => {
    const clock = new ManualClock();
    const cluster = new TestCluster({ clock, objects: [Counter] });
    const bootstrap = vi.spyOn(cluster.coordinator, "bootstrap").mockImplementation(answer as never);
    const first = cluster.send("Counter", "a", "add", { by: 1 });
    await clock.advance(5_000);
    expect(await first).toMatchObject({
      kind: "error",
      error: { code: "UNAVAILABLE", retryable: true, message: expect.stringContaining("nothing ran") },
    });
    bootstrap.mockRestore();
    expect(await cluster.call("Counter", "a", "add", { by: 1 })).toEqual({ value: 1 });
  },
);
