/** A partition as the planner sees it. */
export interface PlanMember {
  readonly name: string;
  /** Relative: twice the weight takes twice the shards. */
  readonly weight: number;
  readonly labels: Readonly<Record<string, string>>;
  /** A cordoned one is given nothing, a draining one gives everything away. */
  readonly state: "active" | "cordoned" | "draining";
  /** Ms since the epoch of the last change to it. */
  readonly since: number;
}

/** What a shard has to do. */
export interface ShardLoad {
  readonly objects: number;
  /** Calls a second. */
  readonly calls: number;
  /** Ms of turns a second. */
  readonly busy: number;
  readonly bytes: number;
  /** Types that have objects on it: shards hold many, and a rule of any of them counts. */
  readonly types: readonly string[];
}

export interface PlanShard {
  readonly shard: number;
  readonly owner: string;
  /** Owner by the base assignment over the members that are not draining. */
  readonly base: string;
  /** Not at its base only because membership changed: to be corrected. */
  readonly held: boolean;
  readonly pinned: boolean;
  /** The partition the pin names; absent when it is pinned to where it is. */
  readonly pinnedTo?: string;
  /** A move of it is under way. */
  readonly moving: boolean;
  /** Where to; it is counted there. Absent: counted at its owner. */
  readonly movingTo?: string;
  /** Ms since the epoch. */
  readonly lastMoved: number | null;
  readonly load?: ShardLoad;
}

export interface PlanInput {
  readonly members: readonly PlanMember[];
  /** Element n is shard n. */
  readonly shards: readonly PlanShard[];
  readonly inFlight: number;
}

/** Where shards that hold objects of a type may be, or should. */
export interface TypeRule {
  /** `*` for every type. */
  readonly type: string;
  /** Labels a partition must have, all of them. */
  readonly on?: Readonly<Record<string, string>> | undefined;
  /** Labels of which it must have none. */
  readonly avoid?: Readonly<Record<string, string>> | undefined;
  /** Labels it had better have. */
  readonly prefer?: Readonly<Record<string, string>> | undefined;
  /** Types whose shards should be at the same partition, if possible. */
  readonly affinity?: readonly string[] | undefined;
  /** Types whose shards must not be. */
  readonly antiAffinity?: readonly string[] | undefined;
}

/** A time of the week in UTC, `HH:MM`, that may pass midnight. Without `days` (0 is Sunday) it is every day. */
export interface MaintenanceWindow {
  readonly days?: readonly number[] | undefined;
  readonly from: string;
  readonly to: string;
}

export interface Policy {
  readonly strategy: "off" | "count" | "load";
  /** Share of the ideal that the most and the least laden may differ by. */
  readonly threshold: number;
  /** Moves of one plan; null for `max(1, shards / 128)`. */
  readonly batch: number | null;
  /** Moves that may be under way at once. */
  readonly maxConcurrent: number;
  /** Ms a shard stays where it was moved to. */
  readonly cooldown: number;
  /** Ms without a change of membership before shards are balanced ([PLAN4]). */
  readonly stableFor: number;
  /** When shards may be balanced; empty: always. */
  readonly windows: readonly MaintenanceWindow[];
  readonly rules: readonly TypeRule[];
  readonly loadWeights: {
    readonly objects: number;
    readonly calls: number;
    readonly busy: number;
    readonly bytes: number;
  };
}

export type MoveReason = "drain" | "pin" | "constraint" | "membership" | "balance-count" | "balance-load";

export interface PlannedMove {
  readonly shard: number;
  readonly from: string;
  readonly to: string;
  readonly reason: MoveReason;
  readonly detail: string;
}

export type SkipReason =
  | "balanced"
  | "off"
  | "unstable"
  | "cooldown"
  | "window"
  | "pinned"
  | "moving"
  /** No taker may have what a partition would give. */
  | "constraint"
  | "no-target"
  /** Its last move was undone a moment ago; of a plan that was carried out. */
  | "retry"
  | "concurrency"
  | "batch";

/** Why shards, or balancing at all, were left alone. */
export interface Skip {
  readonly reason: SkipReason;
  readonly count: number;
  readonly detail?: string;
}

export interface MemberStats {
  readonly name: string;
  readonly shards: number;
  /** Shards it would have by its weight. */
  readonly ideal: number;
  /** Share of all load it has, 0 to 1. */
  readonly load: number;
}

export interface Plan {
  readonly moves: readonly PlannedMove[];
  readonly skipped: readonly Skip[];
  readonly stats: {
    readonly members: readonly MemberStats[];
    /** Most shards of a partition over its ideal; 1 is even. */
    readonly imbalance: number;
  };
}
