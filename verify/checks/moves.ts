import type { Check, CheckContext } from "../check.ts";
import { equal, isProblem } from "../expect.ts";
import { NotApplicable } from "../failure.ts";
import type { Probe } from "../probe-object.ts";
import { underCalls } from "../traffic.ts";

export const moveChecks: readonly Check[] = [
  {
    rule: "MIG1",
    title: "a shard moves there and back under calls, and no call fails",
    needs: ["probes", "two partitions"],
    async run(context) {
      const { object, shard, from, to } = await settle(context);
      await underCalls(object, context, async () => {
        for (const partition of [to, from]) {
          await context.cluster.move(shard, partition);
          equal((await context.cluster.object(object.type, object.id)).partition, partition, "where the object is");
        }
      });
    },
  },
  {
    rule: "MIG3",
    title: "state, rows and the marks of finished calls move with their shard",
    needs: ["probes", "two partitions"],
    async run(context) {
      const { object, shard, to } = await settle(context);
      const callId = context.name();
      const keys = Array.from({ length: 50 }, (_, at) => `key-${String(at).padStart(2, "0")}`);
      await object.call("put", { keys });
      const first = await object.call("add", { by: 5 }, { callId });
      await context.cluster.move(shard, to);
      equal(await object.call("get"), { count: 5, notes: [] }, "the state after the move");
      equal((await object.call("rows", { limit: 100 })).keys, keys, "the rows after the move");
      const again = await object.send("add", { by: 5 }, { callId });
      equal(
        [again.json, again.headers.get("idempotency-replayed")],
        [{ response: first }, "true"],
        "the repeated call",
      );
    },
  },
  {
    rule: "MIG3",
    title: "reliable calls that are pending move with their shard, and run once",
    needs: ["probes", "two partitions"],
    async run(context) {
      const { object, shard, to } = await settle(context);
      const callIds = Array.from({ length: 6 }, context.name);
      for (const [at, callId] of callIds.entries()) {
        await object.send("note", { text: `${at}`, ms: 100 }, { callId, headers: { prefer: "respond-async" } });
      }
      await context.cluster.move(shard, to);
      for (const [at, callId] of callIds.entries()) await object.call("note", { text: `${at}`, ms: 100 }, { callId });
      const begun = (await object.call("get")).notes.filter((note) => note.endsWith("begins"));
      equal(
        begun,
        callIds.map((_, at) => `${at} begins`),
        "the calls in the order in which they ran",
      );
    },
  },
  {
    rule: "OWN2",
    title: "a move raises the epoch of its shard by one",
    needs: ["probes", "two partitions"],
    async run(context) {
      const { shard, to } = await settle(context);
      const { epoch } = await context.cluster.shard(shard);
      await context.cluster.move(shard, to);
      equal((await context.cluster.shard(shard)).epoch, (epoch as number) + 1, "the epoch after the move");
    },
  },
  {
    rule: "MIG6",
    title: "a move to where the shard is already, or to no partition, is refused",
    needs: ["admin"],
    async run({ cluster, facts, admin, name }) {
      const shard = await cluster.quietShard(facts.shards);
      const { partition } = await cluster.shard(shard);
      isProblem(await admin("POST", `shards/${shard}/move`, { partition }), 409, "CONFLICT", "a move to where it is");
      isProblem(
        await admin("POST", `shards/${shard}/move`, { partition: name() }),
        404,
        "NOT_FOUND",
        "a move to nowhere",
      );
      const beyond = await admin("POST", `shards/${facts.shards}/move`, { partition });
      isProblem(beyond, 404, "NOT_FOUND", "a move of a shard that there is not");
    },
  },
  {
    rule: "MIG8",
    title: "a move that waits for a turn can be cancelled, once, and the object is served where it was",
    needs: ["probes", "two partitions"],
    async run(context) {
      const { admin, cluster } = context;
      const { object, shard, from, to } = await settle(context);
      // The hand-off waits for this turn.
      const turn = object.call("note", { text: "long", ms: 5_000 });
      turn.catch(() => {}); // The move's failure comes first.
      const { id } = await cluster.order<{ id: number }>("POST", `shards/${shard}/move`, { partition: to });
      await cluster.order("POST", `moves/${id}/cancel`);
      await object.call("add", { by: 1 }, { headers: { "edgeverse-timeout": "20000" } });
      await turn;
      await cluster.settled(shard);
      equal((await cluster.object(object.type, object.id)).partition, from, "where the object is");
      equal((await object.call("get")).count, 1, "its count");
      isProblem(await admin("POST", `moves/${id}/cancel`), 409, "CONFLICT", "cancelling it again");
    },
  },
  {
    rule: "PLAN2",
    title: "a pinned shard says so, can't be moved elsewhere, and can again when it is unpinned",
    needs: ["probes", "two partitions"],
    async run(context) {
      const { admin, cluster } = context;
      const { shard, from, to } = await settle(context);
      context.undo(async (last) => last.cluster.order("POST", `shards/${shard}/unpin`));
      await cluster.order("POST", `shards/${shard}/pin`, { partition: from });
      const { pinned, why } = await cluster.shard(shard);
      equal([pinned, why], [true, `pinned to ${from}`], "the view of the shard");
      isProblem(await admin("POST", `shards/${shard}/move`, { partition: to }), 409, "CONFLICT", "moving it");
      await cluster.order("POST", `shards/${shard}/unpin`);
      equal((await cluster.shard(shard)).pinned, false, "pinned after unpinning");
      await cluster.move(shard, to);
    },
  },
  {
    rule: "PLAN2",
    title: "a pin to a partition takes the shard there first",
    needs: ["probes", "two partitions"],
    async run(context) {
      const { cluster } = context;
      const { object, shard, to } = await settle(context);
      context.undo(async (last) => last.cluster.order("POST", `shards/${shard}/unpin`));
      await underCalls(object, context, async () => {
        await cluster.order("POST", `shards/${shard}/pin`, { partition: to });
        await cluster.until("the move", async () => (await cluster.object(object.type, object.id)).partition === to);
      });
    },
  },
];

interface Settled {
  readonly object: Probe;
  readonly shard: number;
  readonly from: string;
  readonly to: string;
}

/** An object on a quiet shard, and another partition. Afterwards the shard is brought back. */
async function settle({ cluster, facts, probe, name, undo }: CheckContext): Promise<Settled> {
  const shard = await cluster.quietShard(facts.shards);
  const object = probe(`shard#${shard}/${name()}`);
  await object.call("add", { by: 0 });
  const { partition: from } = await cluster.shard(shard);
  const to = facts.partitions.find((partition) => partition !== from);
  if (to === undefined) throw new NotApplicable("there is no other partition that takes shards");
  undo(async (last) => {
    await last.cluster.settled(shard);
    await last.cluster.bringBack(shard, from);
  });
  return { object, shard, from, to };
}
