import { method, VirtualObject } from "edgeverse";
import { type ManualClock, TestCluster } from "edgeverse/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { placementOf } from "../../src/identity/object-id.ts";
import { ShardMap } from "../../src/placement/shard-map.ts";

class Box extends VirtualObject<{ n: number }> {
  static override readonly type = "Box";
  static override readonly state = z.object({ n: z.number().default(0) });
  static override readonly methods = {
    add: method(),
    get: method({ readonly: true }),
    keep: method({ request: z.object({ key: z.string(), value: z.string() }) }),
    rows: method({ readonly: true }),
    slow: method({ request: z.object({ ms: z.number() }) }),
  };
  add() {
    return ++this.state.n;
  }
  get() {
    return this.state.n;
  }
  keep({ key, value }: { key: string; value: string }) {
    this.store.put(key, value);
  }
  rows() {
    return this.store.list().map(({ key, value }) => `${key}=${value}`);
  }
  async slow({ ms }: { ms: number }) {
    await new Promise<void>((resolve) => clock.after(ms, resolve));
    return ++this.state.n;
  }
}

let clock: ManualClock;

function setup(partitions = 2, config: Record<string, string | number> = {}) {
  const made = new TestCluster({ objects: [Box], partitions, config: { shards: 8, stableFor: "1ms", ...config } });
  clock = made.clock as ManualClock;
  const ownerOf = (id: string) => {
    const map = new ShardMap(made.coordinator.map() ?? { version: 0, genesis: made.genesis, exceptions: [] });
    return map.owner(map.shard(placementOf(id)) as number);
  };
  const shardOf = (id: string) => new ShardMap(made.coordinator.map() as never).shard(placementOf(id)) as number;
  const other = (id: string) => (ownerOf(id) === "p0" ? "p1" : "p0");
  const move = async (id: string, to: string) => {
    await made.command({ kind: "move-shard", shard: shardOf(id), to });
  };
  return { made, ownerOf, shardOf, other, move };
}

describe("a move", () => {
  test("[MIG1] [MIG3] takes an object with its rows and marks to another partition, and it goes on there", async () => {
    const { made, ownerOf, shardOf, other, move } = setup();
    expect(await made.call("Box", "a", "add")).toBe(1);
    expect(await made.call("Box", "a", "add", undefined, { callId: "once" })).toBe(2);
    await made.call("Box", "a", "keep", { key: "k", value: "v" });
    const [from, to] = [ownerOf("a"), other("a")];
    await move("a", to);
    await clock.advance(500);
    expect(ownerOf("a")).toBe(to);
    expect(await made.coordinator.moves({ limit: 10 })).toMatchObject([{ phase: "done", from, to, shard: shardOf("a") }]);
    expect(await made.call("Box", "a", "get")).toBe(2);
    expect(await made.call("Box", "a", "rows")).toEqual(["k=v"]);
    expect(await made.call("Box", "a", "add", undefined, { callId: "once" })).toBe(2);
    expect(await made.call("Box", "a", "add")).toBe(3);
    for (const table of ["objects", "rows", "calls", "changes"]) {
      expect(made.storage(from).query(`SELECT * FROM ${table}`), `${table} of the source`).toEqual([]);
    }
    const record = (await made.partition(to).core()).ownership.record(shardOf("a"));
    expect(record?.state).toEqual({ kind: "owned", epoch: 2 });
    expect(made.warnings).toEqual([]);
  });
});
