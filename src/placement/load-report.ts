/** What one shard had to do since the report before. */
export interface ShardTraffic {
  readonly shard: number;
  readonly calls: number;
  /** Ms that turns took, those beside one another counted each. */
  readonly busy: number;
  /** Stored objects, the bytes of their states and their types, when they were counted for this report. */
  readonly stored?: { readonly objects: number; readonly bytes: number; readonly types: readonly string[] };
}

/** How much a partition had to do; sent only by one that had anything. */
export interface LoadReport {
  readonly partition: string;
  /** Ms the figures are of. */
  readonly period: number;
  /** The busiest shards first; the rest is left out beyond a bound. */
  readonly shards: readonly ShardTraffic[];
}
