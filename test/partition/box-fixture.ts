import type { TestCluster } from "edgeverse/testing";
import { Box, clock, setup as clusterOf } from "./move-fixture.ts";

export function setup(partitions = 2, config: Record<string, string | number> = {}) {
  const { shards = 8, ...rest } = config;
  const { made, ownerOf, shardOf, other } = clusterOf([Box], Number(shards), partitions, rest);
  const move = async (id: string, to: string) => {
    await made.command({ kind: "move-shard", shard: shardOf(id), to });
  };
  return { made, ownerOf, shardOf, other, move };
}

/** Calls every few ms until told to stop; keeps what came back. */
export function traffic(made: TestCluster, ids: readonly string[], every = 3) {
  const replies: { id: string; reply: unknown; sent: number; answered: number }[] = [];
  const pending: Promise<void>[] = [];
  let stopped = false;
  const next = (round: number) => {
    if (stopped) return;
    const id = ids[round % ids.length] as string;
    const sent = clock.now();
    const call = made.send("Box", id, "add", undefined, { timeout: 5_000 }).then((reply) => {
      replies.push({ id, reply, sent, answered: clock.now() });
    });
    pending.push(call);
    clock.after(every, () => next(round + 1));
  };
  next(0);
  return {
    async stop() {
      stopped = true;
      await clock.advance(6_000);
      await Promise.all(pending);
      return replies;
    },
  };
}
