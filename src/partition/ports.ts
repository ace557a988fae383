import type { Genesis } from "../placement/shard-map.ts";

/** How a new partition learns what cluster it belongs to. */
export interface Bootstrapper {
  /** The cluster's genesis and present shard count; bootstraps the cluster on `proposal` if nobody has. */
  bootstrap(proposal: Genesis): Promise<Bootstrap>;
}

/** What a new partition begins with. */
export interface Bootstrap {
  readonly genesis: Genesis;
  readonly shards: number;
}
