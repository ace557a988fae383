import type { RefusalCounts } from "../observe/refusal-counters.ts";
import type { CallKey, CallRecord } from "../reliable/call-record.ts";
import type { ShipperStatus } from "../reliable/shipper.ts";
import type { SinkStatus } from "./event-views.ts";

/** What one partition says of itself to an operator. */
export interface PartitionStatus {
  readonly name: string;
  readonly shards: number;
  readonly objectsInMemory: number;
  readonly bytesInMemory: number;
  readonly waitingTurns: number;
  readonly commits: number;
  readonly repliesCommitted: number;
  readonly failedCommits: number;
  /** Reliable calls that have not ended, and outcomes that the log has not seen. */
  readonly openCalls: number;
  /** Bytes of those outcomes, roughly. */
  readonly backlogBytes: number;
  /** Calls that objects have sent and that are not delivered, and roughly their bytes. */
  readonly messages: number;
  readonly messageBytes: number;
  /** Reminders that its objects have set, and calls that wait for their time. */
  readonly reminders: number;
  /** Of these, how many could not call when they were due. */
  readonly remindersRefused: number;
  /** What its objects have emitted, by sink. */
  readonly sinks: SinkStatus[];
  /** Calls of clients that limits refused, by limit: here, and at routers that report here. */
  readonly refused: RefusalCounts;
  readonly log: ShipperStatus | null;
}

export interface ObjectListing {
  readonly type: string;
  readonly id: string;
  readonly shard: number;
}

export interface ObjectQuery {
  readonly type?: string | undefined;
  readonly shard?: number | undefined;
  readonly cursor?: ObjectCursor | undefined;
  readonly limit: number;
}

/** Place of an object in the partition's order. */
export interface ObjectCursor {
  readonly position: number;
  readonly type: string;
  readonly id: string;
}

export interface ObjectDescription {
  readonly exists: boolean;
  readonly shard: number;
  readonly epoch: number;
  readonly claimedAt: number | null;
  readonly inMemory: boolean;
}

export interface ParkedQuery {
  readonly type?: string | undefined;
  readonly id?: string | undefined;
  /** Only calls behind this one. */
  readonly after?: CallKey | undefined;
  readonly limit: number;
}

export interface ParkedCalls {
  readonly calls: CallRecord[];
  /** Where to go on; it may come with an empty page. */
  readonly next: CallKey | null;
}
