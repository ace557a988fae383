import type { MoveState } from "../../placement/move-state.ts";
import { type ShardRecord, serves } from "../../placement/shard-state.ts";

/** Partitions by name. The first is the shard's owner by the genesis. */
export const NAMES = ["A", "B", "C"] as const;
export type Name = (typeof NAMES)[number];
export const GENESIS: Name = "A";

/**
 * How far the source's driver of a move is; lost in a crash. 0 nobody drives · 1 copies · 2 callers are stopped · 3 and the
 * target stands ready · 4 committed, the target is yet to be told.
 */
export type Drive = 0 | 1 | 2 | 3 | 4;

export interface PartitionState {
  readonly record: ShardRecord | undefined;
  /** The shard's rows, durably: calls whose write is in the list, sorted, and "m" for the mark of the reliable one. */
  readonly rows: string;
  /** Durably, at a target: the number of the last change it was sent; null before the first pass. */
  readonly cursor: number | null;
  readonly drive: Drive;
  /** The gate is open though the driver believes it shut, or soon will be. Only a flaw does that. */
  readonly ajar: "" | "soon" | "open";
  /** Writes that the source forgot to note. Only a flaw does that. */
  readonly hidden: string;
}

export interface Order {
  readonly id: number;
  readonly from: Name;
  readonly to: Name;
}

export interface Chunk {
  readonly epoch: number;
  readonly from: number | null;
  readonly to: number;
  /** What the list and the mark are now; null when nothing changed since `from`. */
  readonly rows: string | null;
  /** Set in the last message of a hand-off: what the copy must come to. */
  readonly final: string | null;
}

/** A request that arrives when nobody waits for it any more, or a second time. */
export type Message =
  | { readonly kind: "advance" | "undo" | "activate"; readonly order: Order }
  | { readonly kind: "drop"; readonly order: Order; readonly epoch: number }
  | { readonly kind: "chunk"; readonly order: Order; readonly chunk: Chunk };

/** The journal: durable, all of it. What the coordinator has in memory is one request at a time. */
export interface CoordinatorState {
  readonly owner: Name;
  readonly epoch: number;
  /** Number of the last move. */
  readonly ids: number;
  /** The last move, also after its end. */
  readonly move: { readonly order: Order; readonly state: MoveState } | null;
}

/** "1" is reliable, "2" is not. */
export type Call = "1" | "2";

/** One try of a call: "~" on its way to anywhere, "." over, "A" waits at the gate of A, "a" its turn runs at A. */
export interface Attempt {
  readonly call: Call;
  readonly at: string;
}

export interface MoveModelState {
  readonly partitions: readonly PartitionState[];
  readonly coordinator: CoordinatorState;
  readonly attempts: readonly Attempt[];
  /** Calls that were answered. */
  readonly acked: string;
  readonly late: readonly Message[];
  readonly crashes: number;
  /** Who was the last to serve, and under which epoch. */
  readonly last: { readonly at: Name; readonly epoch: number };
}

export function partitionOf(state: MoveModelState, name: string): PartitionState {
  return state.partitions[name.charCodeAt(0) - 65] as PartitionState;
}

export function withPartition(state: MoveModelState, name: string, patch: Partial<PartitionState>): MoveModelState {
  const place = name.charCodeAt(0) - 65;
  return {
    ...state,
    partitions: state.partitions.map((each, index) => (index === place ? { ...each, ...patch } : each)),
  };
}

/** Whether calls are let in, were the partition to serve. */
export function gateClosed({ drive, ajar }: PartitionState): boolean {
  return (drive === 2 || drive === 3) && ajar !== "open";
}

/** Whether a call that comes here is the first one ever, and may claim the shard. */
export function claimable(state: MoveModelState, name: string): boolean {
  return name === GENESIS && partitionOf(state, name).record === undefined;
}

/** Number of the last change of these rows: each call's write is one. */
export function changes(rows: string): number {
  return rows.endsWith("m") ? rows.length - 1 : rows.length;
}

export function written(rows: string, call: Call): string {
  return [...rows, call, ...(call === "1" ? "m" : "")].sort().join("");
}

/** The one that stands ready while its source is gone: it will serve, nobody else can. */
export function heir(state: MoveModelState): Name | undefined {
  for (let index = 0; index < state.partitions.length; index++) {
    const own = state.partitions[index]?.record?.state;
    if (own?.kind !== "ready") continue;
    const source = partitionOf(state, own.from).record?.state;
    if (source?.kind === "gone" && source.move === own.move && source.to === NAMES[index]) return NAMES[index];
  }
  return undefined;
}

/** Whose rows count: who serves, or would with the next call, or will. */
export function holder(state: MoveModelState): Name | undefined {
  for (let index = 0; index < state.partitions.length; index++) {
    if (serves(state.partitions[index]?.record?.state)) return NAMES[index];
  }
  return claimable(state, GENESIS) ? GENESIS : heir(state);
}

/** Lets those who wait at the gate of a partition go elsewhere. */
export function release(state: MoveModelState, name: string): MoveModelState {
  if (!state.attempts.some(({ at }) => at === name)) return state;
  return { ...state, attempts: state.attempts.map((each) => (each.at === name ? { ...each, at: "~" } : each)) };
}
