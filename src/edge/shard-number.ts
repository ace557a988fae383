import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type { EdgeParts } from "./ports.ts";
import { type EdgeContext, param } from "./route.ts";

/** The shard that a path names, by the newest map. @throws EdgeverseError `NOT_FOUND` when there is none of that number */
export async function shardNumber(context: EdgeContext, { router }: Pick<EdgeParts, "router">): Promise<number> {
  await router.refresh();
  const { shards } = router.map;
  const text = param(context, "n");
  const shard = Number(text);
  if (/^(0|[1-9]\d{0,5})$/.test(text) && shard < shards) return shard;
  throw new EdgeverseError("NOT_FOUND", `No such shard: the cluster has ${shards}, numbered from 0`);
}
