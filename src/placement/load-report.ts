import type { Policy } from "./plan-types.ts";

/** What one shard had to do since the report before. */
export interface ShardTraffic {
  readonly shard: number;
  readonly calls: number;
  /** Ms that turns took, those beside one another counted each. */
  readonly busy: number;
  /** Types of the objects that had turns. */
  readonly types?: readonly string[];
  /** Stored objects, the bytes of their states and their types, when they were counted for this report. */
  readonly stored?: { readonly objects: number; readonly bytes: number; readonly types: readonly string[] };
}

/** How much a partition had to do. */
export interface LoadReport {
  readonly partition: string;
  /** Ms the figures are of. */
  readonly period: number;
  /** The busiest shards first; the rest is left out beyond a bound. */
  readonly shards: readonly ShardTraffic[];
}

/** Whether plans go by load or by what shards hold, so that partitions report it: nobody else reads it. */
export function usesReports({ strategy, rules }: { strategy: Policy["strategy"]; rules: unknown }): boolean {
  return strategy === "load" || (Array.isArray(rules) && rules.length > 0);
}
