import type { SqliteStorage } from "edgeverse/testing";
import type { ObjectClass } from "../../src/object/object-class.ts";
import type { MoveOrder, TransferChunk, TransferReply } from "../../src/placement/move.ts";
import { Box, clock, setup } from "./move-fixture.ts";

type Took = (chunk: TransferChunk, transfer: () => Promise<TransferReply>) => Promise<TransferReply>;

/** Two partitions and their only shard, with `ids` on it; the orders come from the test, not from the coordinator. */
export async function shardOf(
  ids: readonly string[] = ["a"],
  objects: readonly ObjectClass[] = [Box],
  storageOf?: (name: string) => SqliteStorage,
) {
  const { made, map } = setup(objects, 1, 2, { callTimeout: "60s" }, storageOf);
  const [from, to] = map().owner(0) === "p0" ? (["p0", "p1"] as const) : (["p1", "p0"] as const);
  for (const id of ids) await made.call("Box", id, "add");
  const [source, target] = [await made.partition(from).core(), await made.partition(to).core()];
  const { incoming } = target.moves;
  const transfer = incoming.transfer.bind(incoming);
  const chunks: TransferChunk[] = [];
  let took: Took = (_, rest) => rest();
  incoming.transfer = (chunk) => {
    chunks.push(structuredClone(chunk));
    return took(chunk, () => transfer(chunk));
  };
  const order = (id: number, changed: Partial<MoveOrder> = {}): MoveOrder => ({
    id,
    shard: 0,
    shards: 1,
    from,
    to,
    mapVersion: 1,
    ...changed,
  });
  return {
    made,
    from,
    to,
    source,
    target,
    order,
    /** The messages that the target got, and what stands between it and the network. */
    chunks,
    atTarget: (next: Took) => {
      took = next;
    },
    advance: (of: MoveOrder) => clock.until(source.moves.outgoing.advance(of)),
    noted: () => made.storage(from).query("SELECT n FROM changes").length,
    state: () => source.ownership.record(0)?.state,
  };
}
