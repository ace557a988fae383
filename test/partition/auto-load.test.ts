import { method, VirtualObject } from "edgeverse";
import { TestCluster } from "edgeverse/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { placementOf } from "../../src/identity/object-id.ts";
import { ShardMap } from "../../src/placement/shard-map.ts";

/** What was brought into memory, in order. */
let active: string[] = [];
beforeEach(() => {
  active = [];
});

class Ticker extends VirtualObject<{ starts: number }> {
  static override readonly type = "Ticker";
  static override readonly autoLoad = "global";
  static override readonly state = z.object({ starts: z.number().default(0) });
  static override readonly methods = { starts: method({ readonly: true }) };
  protected override onActivate() {
    active.push(`Ticker/${this.id}`);
    this.state.starts++;
  }
  starts() {
    return this.state.starts;
  }
}

class Index extends VirtualObject {
  static override readonly type = "Index";
  static override readonly autoLoad = "shard";
  static override readonly methods = { touch: method() };
  touch() {}
  protected override onActivate() {
    active.push(`Index/${this.id}`);
  }
}

class Probe extends VirtualObject {
  static override readonly type = "Probe";
  static override readonly autoLoad = "partition";
  static override readonly methods = { touch: method() };
  touch() {}
  protected override onActivate() {
    active.push(`Probe/${this.id}`);
  }
}

class Plain extends VirtualObject {
  static override readonly type = "Plain";
  static override readonly methods = { touch: method() };
  touch() {}
}

async function setup() {
  const made = new TestCluster({
    objects: [Ticker, Index, Probe, Plain],
    partitions: 2,
    config: { shards: 4, rebalance: "off", idleTimeout: "100ms", maxObjects: 2 },
  });
  const clock = made.clock;
  for (const name of ["p0", "p1"]) await made.partition(name).core();
  await clock.advance(20);
  const map = () => new ShardMap(made.coordinator.map() as never);
  const shardOf = (id: string) => map().shard(placementOf(id)) as number;
  return { made, clock, map, shardOf };
}

describe("autoLoad", () => {
  test("[LIFE4] the global object and those of partitions are active once the partition is", async () => {
    await setup();
    expect(active.sort()).toEqual(
      ["Probe/partition#p0/auto", "Probe/partition#p1/auto", "Ticker/auto"]
        .concat(active.filter((key) => key.startsWith("Index/")))
        .sort(),
    );
    expect(active.filter((key) => key === "Ticker/auto")).toHaveLength(1);
  });

  test("[LIFE4] one on a shard is active once the shard is in use, and is not put out for want of use", async () => {
    const { made, clock, shardOf } = await setup();
    active = [];
    const shard = [0, 1, 2, 3].find((each) => each !== shardOf("auto")) as number;
    await made.call("Plain", `shard#${shard}/x`, "touch");
    await clock.advance(20);
    expect(active).toEqual([`Index/shard#${shard}/auto`]);
    for (let round = 0; round < 5; round++) {
      await clock.advance(200);
      await made.call("Plain", `shard#${shard}/x${round}`, "touch");
    }
    await made.call("Index", `shard#${shard}/auto`, "touch");
    expect(active).toEqual([`Index/shard#${shard}/auto`]);
  });

  test("[LIFE4] follows its shard, under its own id", async () => {
    const { made, clock, map, shardOf } = await setup();
    const shard = shardOf("auto");
    const to = map().owner(shard) === "p0" ? "p1" : "p0";
    active = [];
    await made.command({ kind: "move-shard", shard, to });
    await clock.advance(500);
    expect(map().owner(shard)).toBe(to);
    expect(active.sort()).toEqual([`Index/shard#${shard}/auto`, "Ticker/auto"]);
    expect(await made.call("Ticker", "auto", "starts")).toBe(2);
    const there = await made.partition(to).core();
    expect([...there.activations.map.keys()]).toContain("Ticker/auto");
  });
});
