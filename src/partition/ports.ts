import type { CallMessage, Reply } from "../object/message.ts";
import type { LoadReport } from "../placement/load-report.ts";
import type { Genesis } from "../placement/shard-map.ts";

/** How a partition reaches objects it does not own: routed, redirected and retried within the message's deadline. */
export interface Peers {
  call(message: CallMessage): Promise<Reply>;
}

/** How a new partition learns what cluster it belongs to. */
export interface Founder {
  /** The cluster's genesis and present shard count; founds the cluster on `proposal` if nobody has. */
  found(proposal: Genesis): Promise<Founding>;
}

/** What a new partition begins with. */
export interface Founding {
  readonly genesis: Genesis;
  readonly shards: number;
}

/** Where a partition that has traffic tells how much. */
export interface LoadSink {
  report(report: LoadReport): Promise<void>;
}

/** What someone may want to hear of. Must not throw. */
export interface Observer {
  /** A method threw what was not meant for its caller. */
  methodThrew(key: string, requestId: string, thrown: unknown): void;
  warn(event: string, details: Readonly<Record<string, unknown>>): void;
}
