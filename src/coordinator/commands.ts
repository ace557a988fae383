import type { WireError } from "../errors/edgeverse-error.ts";
import type { MovePhase } from "../placement/move-state.ts";
import type { CallKey } from "../reliable/call-record.ts";
import type { EventKey } from "../router/event-views.ts";
import type { VersionedDocument } from "../settings/document.ts";
import type { SettingsReceipt, SettingsVersion } from "./settings-views.ts";

/** What an operator may change. Every one leaves a row in the audit. */
export type AdminCommand =
  | MemberCommand
  | { readonly kind: "remove-partition"; readonly name: string }
  | { readonly kind: "move-shard"; readonly shard: number; readonly to: string }
  | { readonly kind: "cancel-move"; readonly move: number; readonly force: boolean }
  /** Without a partition: where the shard is now. */
  | { readonly kind: "pin-shard"; readonly shard: number; readonly partition?: string | undefined }
  | { readonly kind: "unpin-shard"; readonly shard: number }
  | { readonly kind: "rebalance"; readonly strategy?: "count" | "load" | undefined; readonly dryRun: boolean }
  | { readonly kind: "shard-count"; readonly count: number; readonly dryRun: boolean }
  | GateCommand
  | SettingsCommand;

/** A change of one gate: of the section `gates` of the settings. */
export interface GateCommand {
  readonly kind: "cordon-gate" | "uncordon-gate" | "drain-gate";
  readonly name: string;
}

/** A change of the settings; refused unless `expectedVersion`, if it is given, is the newest. */
export type SettingsCommand = { readonly expectedVersion?: number | undefined; readonly dryRun: boolean } & (
  | { readonly kind: "put-settings"; readonly document: unknown }
  | { readonly kind: "rollback-settings"; readonly version: number }
);

/** A change of one partition; a dry run gives the moves that would follow from it. */
export type MemberCommand = { readonly name: string; readonly dryRun?: boolean | undefined } & (
  | {
      readonly kind: "add-partition";
      readonly weight?: number | undefined;
      readonly labels?: Readonly<Record<string, string>> | undefined;
      readonly location?: string | undefined;
    }
  | {
      readonly kind: "change-partition";
      readonly weight?: number | undefined;
      readonly labels?: Readonly<Record<string, string>> | undefined;
    }
  | { readonly kind: "cordon" | "uncordon" | "drain" }
);

/** What an operator decides about a reliable call. Its owner carries it out; the coordinator only notes it. */
export interface CallCommand extends CallKey {
  readonly kind: "retry-call" | "fail-call";
}

/** The same about an event that was set aside. */
export interface EventCommand extends EventKey {
  readonly kind: "retry-event" | "drop-event";
}

/** What an operator decides about an API key, as the audit has it: without the secret, and without its hash. */
export type KeyCommand =
  | {
      readonly kind: "make-key";
      readonly prefix: string;
      readonly name: string;
      readonly identity: string;
      readonly roles: readonly string[];
      readonly expiresAt: number | null;
    }
  | { readonly kind: "revoke-key"; readonly prefix: string };

/** Who gave a command, for the audit. */
export interface Operator {
  readonly requestId: string;
  readonly actor: string;
}

export type MemberState = "active" | "cordoned" | "draining";

/** A partition as the coordinator has it. */
export interface MemberView {
  readonly name: string;
  readonly weight: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: MemberState;
  readonly location: string | null;
  /** Shards it owns by the map, those nobody has used yet among them. */
  readonly shards: number;
  /** Moves under way, into it and out of it. */
  readonly incoming: number;
  readonly outgoing: number;
  /** A drain is over: it owns nothing and nothing is on its way out. */
  readonly drained: boolean;
  /** Ms since the epoch of the last change to it. */
  readonly since: number;
}

/** Why a shard is where the base map does not put it. */
export type ShardWhy = "held" | "plan" | "operator" | "pin" | "drain" | "split" | "undone";

/** What the coordinator knows of a shard beyond the base map. */
export interface ShardNote {
  readonly shard: number;
  readonly partition: string;
  readonly epoch: number | null;
  readonly why: ShardWhy | null;
  readonly pinned: boolean;
  readonly pinnedTo: string | null;
  /** Ms since the epoch of its last move. */
  readonly movedAt: number | null;
}

export interface MoveView {
  readonly id: number;
  readonly shard: number;
  readonly from: string;
  readonly to: string;
  readonly phase: MovePhase;
  readonly reason: string;
  readonly detail: string;
  readonly epoch: number | null;
  /** Why it was undone, or is held up. */
  readonly trouble: string | null;
  readonly attempts: number;
  readonly rows: number;
  readonly bytes: number;
  /** How long callers of the shard were stopped; null while it is not known. */
  readonly pausedMs: number | null;
  /** Ms since the epoch. */
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | null;
  /** It takes longer than a move should. */
  readonly stuck: boolean;
}

export interface AuditRow {
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  readonly requestId: string;
  readonly command: string;
  /** The command as JSON. */
  readonly details: string;
  /** "done", or the code it was refused with. */
  readonly outcome: string;
}

/** One decision of the planner, also that nothing is to be done ([PLAN3]). */
export interface DecisionView {
  readonly at: number;
  readonly trigger: string;
  readonly moves: number;
  readonly skipped: readonly { readonly reason: string; readonly count: number; readonly detail?: string }[];
}

export interface ReshardView {
  readonly shards: number;
  /** Null when the count is not being changed. */
  readonly target: number | null;
  readonly phase: "joining" | "settling" | "counting" | null;
  /** Pairs of shards still to be brought together, and partitions still to reshard. */
  readonly pairsLeft: number;
  readonly partitionsLeft: number;
  readonly trouble: string | null;
}

export interface MoveCounts {
  readonly done: number;
  readonly undone: number;
  readonly active: number;
  readonly planned: number;
  /** Ms the oldest move under way has been so. */
  readonly oldestMs: number;
}

/** All an operator can see of the coordinator at once. */
export interface CoordinatorView {
  readonly mapVersion: number;
  readonly members: readonly MemberView[];
  readonly moves: MoveCounts;
  readonly reshard: ReshardView;
  readonly decisions: readonly DecisionView[];
  /** How often the planner came to each conclusion. */
  readonly decisionCounts: Readonly<Record<string, number>>;
}

/** Answer to a command: what it made, or why it was refused. Errors cross as plain data. */
export type AdminResult =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: WireError };

/** Which moves, newest first. */
export interface MovesQuery {
  readonly limit: number;
  readonly before?: number | undefined;
  /** Only those that have not ended. */
  readonly active?: boolean | undefined;
  readonly shard?: number | undefined;
}

/** One version of the settings; of the newest, who has heard of it. */
export interface SettingsView extends SettingsVersion, VersionedDocument {
  readonly receipts: readonly SettingsReceipt[] | null;
}

/** The coordinator as an operator's commands and questions reach it. */
export interface CoordinatorAdmin {
  /**
   * Results by kind: partition commands give a `MemberView`, as a dry run a `Plan`; `move-shard` and `cancel-move`
   * a `MoveView`; `pin-shard`
   * and `unpin-shard` a `ShardNote`; `rebalance` a `Plan` (placement/plan-types.ts) with `dryRun`; `shard-count` a
   * `ReshardView` with `dryRun`; `put-settings`, `rollback-settings` and the commands of
   * gates a `SettingsResult`.
   */
  execute(command: AdminCommand, operator: Operator): Promise<AdminResult>;
  /** Leaves a row in the audit of a command that was carried out elsewhere. @param outcome "done", or the code it was refused with */
  auditCall(command: CallCommand | EventCommand, operator: Operator, outcome: string): Promise<void>;
  view(): Promise<CoordinatorView>;
  /** Of every shard that is pinned, has moved, or is not where the base map puts it. */
  notes(): Promise<ShardNote[]>;
  moves(query: MovesQuery): Promise<MoveView[]>;
  audit(query: { readonly limit: number; readonly before?: number | undefined }): Promise<AuditRow[]>;
  /** A version of the settings, by default the newest; null when there is none of that number. */
  settings(version?: number): Promise<SettingsView | null>;
  /** Those that are kept, newest first. */
  settingsVersions(): Promise<SettingsVersion[]>;
  /** The newest settings if their number is above `known`. */
  newerSettings(known: number): Promise<VersionedDocument | null>;
}
