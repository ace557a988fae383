import type { Genesis } from "../placement/shard-map.ts";
import type { VersionedDocument } from "../settings/document.ts";
import type { AskSettings } from "../settings/settings-follower.ts";

/** How a new partition learns what cluster it belongs to. */
export interface Bootstrapper {
  /** The cluster's genesis and present shard count; bootstraps the cluster on `proposal` if nobody has. */
  bootstrap(proposal: Genesis): Promise<Bootstrap>;
  /** Settings newer than these, for a partition that hears that there are. */
  readonly settings?: AskSettings;
}

/** What a new partition begins with. */
export interface Bootstrap {
  readonly genesis: Genesis;
  readonly shards: number;
  readonly settings?: VersionedDocument;
}
