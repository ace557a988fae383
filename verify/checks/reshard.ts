import type { Check, CheckContext } from "../check.ts";
import { equal } from "../expect.ts";
import { NotApplicable } from "../failure.ts";
import { underCalls } from "../traffic.ts";

interface ShardCount {
  readonly shards: number;
  readonly target: number | null;
}

const WITHIN = 300_000;

export const reshardChecks: readonly Check[] = [
  {
    rule: "SPLIT1",
    title: "the shards double and halve again under calls, and no call fails",
    needs: ["probes", "admin", "--allow-reshard"],
    within: WITHIN,
    async run(context) {
      const { cluster, probe } = context;
      const { shards, target } = await cluster.get<ShardCount>("shard-count");
      if (target !== null) throw new NotApplicable("the shard count changes already");
      if (shards * 2 > 65_536) throw new NotApplicable("the cluster has as many shards as it can");
      const object = probe();
      context.undo((last) => change(last, shards));
      await underCalls(object, context, async () => {
        await change(context, shards * 2);
        const { hash, shard } = await cluster.object(object.type, object.id);
        equal(shard, Number.parseInt(hash ?? "", 16) % (shards * 2), "the object's shard after doubling");
        await change(context, shards);
      });
    },
  },
];

/** Sets the shard count, and waits until it is so. */
async function change({ cluster }: CheckContext, count: number): Promise<void> {
  const now = await cluster.get<ShardCount>("shard-count");
  if (now.shards === count && now.target === null) return;
  if (now.target !== count) await cluster.order("POST", "shard-count", { count });
  await cluster.until(
    `${count} shards`,
    async () => {
      const { shards, target } = await cluster.get<ShardCount>("shard-count");
      return shards === count && target === null;
    },
    WITHIN,
  );
}
