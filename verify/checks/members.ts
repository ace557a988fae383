import type { Check, CheckContext } from "../check.ts";
import { equal, isProblem } from "../expect.ts";
import { NotApplicable } from "../failure.ts";
import { underCalls } from "../traffic.ts";

/** The partition that a run adds: always the same, so that the platform keeps no more than one that is empty. */
const NAME = "edgeverse-verify";
/** So small that balancing gives it no shard. */
const WEIGHT = 1e-9;

interface Member {
  readonly state: string;
  readonly drained: boolean;
  readonly assignedShards: number | null;
}

export const memberChecks: readonly Check[] = [
  {
    rule: "MEM1",
    title: "a partition is added, gets a shard, is cordoned, drained and removed under calls, and no call fails",
    needs: ["probes", "admin"],
    within: 120_000,
    async run(context) {
      const { cluster, facts, name } = context;
      await removeIt(context);
      const shard = await cluster.quietShard(facts.shards);
      const object = context.probe(`shard#${shard}/${name()}`);
      await object.call("add", { by: 1 });
      const { partition: home } = await cluster.shard(shard);
      context.undo(({ cluster: last }) => last.bringBack(shard, home));
      context.undo(removeIt);
      context.undo(({ cluster: last }) => last.settled(shard));
      await underCalls(object, context, async () => {
        await cluster.order("POST", "partitions", { name: NAME, weight: WEIGHT });
        await cluster.move(shard, NAME);
        equal((await cluster.object(object.type, object.id)).partition, NAME, "where the object is");
        for (const [order, state] of [
          ["cordon", "cordoned"],
          ["uncordon", "active"],
        ] as const) {
          await cluster.order("POST", `partitions/${NAME}/${order}`);
          equal((await member(context)).state, state, `its state after ${order}`);
        }
        isProblem(
          await context.admin("DELETE", `partitions/${NAME}`),
          409,
          "CONFLICT",
          "removing it before it is drained",
        );
        await cluster.order("POST", `partitions/${NAME}/drain`);
        await cluster.until("the drain", async () => (await member(context)).drained);
        equal((await member(context)).assignedShards, 0, "the shards that it has after the drain");
        await cluster.order("DELETE", `partitions/${NAME}`);
      });
    },
  },
  {
    rule: "MEM1",
    title: "the last partition that takes shards can't be drained or cordoned",
    needs: ["admin"],
    async run({ facts, admin }) {
      if (facts.partitions.length !== 1) throw new NotApplicable("the cluster has several partitions that take shards");
      for (const order of ["drain", "cordon"]) {
        const answer = await admin("POST", `partitions/${facts.partitions[0]}/${order}`);
        isProblem(answer, 409, "CONFLICT", order);
      }
    },
  },
  {
    rule: "MEM1",
    title: "a dry run of a drain shows every move, and changes nothing",
    needs: ["two partitions"],
    async run({ cluster, facts }) {
      const [partition] = facts.partitions;
      const path = `partitions/${partition}`;
      const before = await cluster.get<Member>(path);
      const plan = await cluster.order<{ total: number; moves: { from: string }[] }>("POST", `${path}/drain`, {
        dryRun: true,
        limit: 5,
      });
      equal(
        plan.moves.every(({ from }) => from === partition),
        true,
        "that all moves begin there",
      );
      const { state, assignedShards } = await cluster.get<Member>(path);
      equal([state, assignedShards], [before.state, before.assignedShards], "the partition after it");
    },
  },
];

function member({ cluster }: CheckContext): Promise<Member> {
  return cluster.get(`partitions/${NAME}`);
}

/** Removes the partition, whatever state a run that was killed left it in. */
async function removeIt({ cluster, admin }: CheckContext): Promise<void> {
  if ((await admin("GET", `partitions/${NAME}`)).status === 404) return;
  await cluster.order("POST", `partitions/${NAME}/drain`);
  await cluster.until("the drain", async () => (await cluster.get<Member>(`partitions/${NAME}`)).drained);
  await cluster.order("DELETE", `partitions/${NAME}`);
}
