import { method, VirtualObject } from "edgeverse";
import { type ManualClock, type SqliteStorage, TestCluster } from "edgeverse/testing";
import { z } from "zod";
import { placementOf } from "../../src/identity/object-id.ts";
import type { ObjectClass } from "../../src/object/object-class.ts";
import { ShardMap } from "../../src/placement/shard-map.ts";

export let clock: ManualClock;
export const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));

export class Box extends VirtualObject<{ n: number }> {
  static override readonly type = "Box";
  static override readonly state = z.object({ n: z.number().default(0) });
  static override readonly methods = {
    add: method(),
    get: method({ readonly: true }),
    keep: method({ request: z.object({ key: z.string(), value: z.string() }) }),
    rows: method({ readonly: true }),
    slow: method({ request: z.object({ ms: z.number() }) }),
    relay: method({ request: z.object({ to: z.string(), ms: z.number(), callId: z.string().optional() }) }),
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
  async relay({ to, ms, callId }: { to: string; ms: number; callId?: string | undefined }) {
    await sleep(ms);
    return this.object(Box, to, callId === undefined ? {} : { callId }).add();
  }
  async slow({ ms }: { ms: number }) {
    await sleep(ms);
    return ++this.state.n;
  }
}

/** One for each shard. */
export class Auto extends VirtualObject<{ n: number }> {
  static override readonly type = "Auto";
  static override readonly autoLoad = "shard";
  static override readonly state = z.object({ n: z.number().default(0) });
  static override readonly methods = { touch: method() };
  touch() {}
}

/** A cluster of which nothing moves by itself. */
export function setup(
  objects: readonly ObjectClass[],
  shards: number,
  partitions = 2,
  config: Record<string, string | number> = {},
  storageOf?: (name: string) => SqliteStorage,
) {
  const made = new TestCluster({
    objects,
    partitions,
    config: { shards, rebalance: "off", ...config },
    ...(storageOf === undefined ? {} : { storageOf }),
  });
  clock = made.clock;
  const map = () => new ShardMap(made.coordinator.map() ?? { version: 0, genesis: made.genesis, exceptions: [] });
  const shardOf = (id: string) => map().shard(placementOf(id)) as number;
  const ownerOf = (id: string) => map().owner(shardOf(id));
  const other = (id: string) => (ownerOf(id) === "p0" ? "p1" : "p0");
  return { made, map, shardOf, ownerOf, other };
}

/** An id on the shard. */
export const idOn = (shard: number, shards: number, tag = "i"): string => {
  for (let index = 0; ; index++) {
    const placement = placementOf(`${tag}${index}`);
    if (placement.kind !== "partition" && placement.hash % shards === shard) return `${tag}${index}`;
  }
};
