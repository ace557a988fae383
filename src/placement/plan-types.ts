export interface PlanMember {
  readonly name: string;
  readonly weight: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: "active" | "cordoned" | "draining";
  readonly since: number;
}
export interface ShardLoad {
  readonly objects: number;
  readonly calls: number;
  readonly busy: number;
  readonly bytes: number;
  readonly types: readonly string[];
}
export interface PlanShard {
  readonly shard: number;
  readonly owner: string;
  readonly base: string;
  readonly held: boolean;
  readonly pinned: boolean;
  readonly pinnedTo?: string;
  readonly moving: boolean;
  readonly lastMoved: number | null;
  readonly load?: ShardLoad;
}
export interface PlanInput {
  readonly members: readonly PlanMember[];
  readonly shards: readonly PlanShard[];
  readonly inFlight: number;
}
export interface Policy {
  readonly strategy: "off" | "count" | "load";
  readonly threshold: number;
  readonly batch: number | null;
  readonly maxConcurrent: number;
  readonly cooldown: number;
  readonly stableFor: number;
}
export interface PlannedMove {
  readonly shard: number;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly detail: string;
}
export interface Plan {
  readonly moves: readonly PlannedMove[];
  readonly skipped: readonly { readonly reason: string; readonly count: number; readonly detail?: string }[];
}
