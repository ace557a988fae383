import { type ShardEvent, type ShardRecord, type ShardStep, serves } from "../../placement/shard-state.ts";
import type { Flaw, ShardTransition } from "./flaws.ts";
import {
  type Chunk,
  changes,
  GENESIS,
  type Message,
  type MoveModelState,
  type Name,
  type Order,
  partitionOf,
  release,
  withPartition,
} from "./move-model-state.ts";

/** What the model is run with. */
export interface World {
  readonly names: readonly Name[];
  readonly shard: ShardTransition;
  readonly flaw: Flaw | undefined;
  readonly moves: number;
  readonly late: number;
  readonly crashes: number;
  /** Whether a turn takes time, so that other things happen while it runs. */
  readonly slowTurns: boolean;
}

/** What a request made of everything, and its answer. */
interface Handled<A> {
  readonly state: MoveModelState;
  readonly answer: A;
}

/** Brings an event to a partition's record, durably. */
export function happen(
  world: World,
  state: MoveModelState,
  at: Name,
  event: ShardEvent,
): { state: MoveModelState; step: ShardStep } {
  const { record, cursor } = partitionOf(state, at);
  const step = world.shard(record, event);
  if (step.kind !== "next") return { state, step };
  const patch = { record: step.record, cursor: sameCopy(record, step.record) ? cursor : null };
  const next = withPartition(state, at, patch);
  const now = step.record.state;
  return { state: serves(now) ? { ...next, last: { at, epoch: now.epoch } } : next, step };
}

/** What was received belongs to one move. */
function sameCopy(before: ShardRecord | undefined, after: ShardRecord): boolean {
  const [old, now] = [before?.state, after.state];
  const copies = (state: typeof old) => state?.kind === "incoming" || state?.kind === "ready";
  return copies(old) && copies(now) && "move" in now && old !== undefined && "move" in old && old.move === now.move;
}

/** The first owner makes the shard its own, unless somebody has. */
export function claim(world: World, state: MoveModelState, at: Name): MoveModelState {
  return at === GENESIS ? happen(world, state, at, { kind: "claim" }).state : state;
}

type Advanced = { readonly kind: "copying" | "refused" } | { readonly kind: "committed"; readonly epoch: number };

/** At the source. When it is committed, the caller is to tell the target (`activate`). */
export function advance(world: World, before: MoveModelState, { id, from, to }: Order): Handled<Advanced> {
  const state = claim(world, before, from);
  const { record } = partitionOf(state, from);
  if (record?.state.kind === "gone" && record.state.move === id) {
    return { state, answer: { kind: "committed", epoch: record.state.epoch } };
  }
  const { state: offered, step } = happen(world, state, from, { kind: "offer", move: id, to });
  if (step.kind === "refused") return { state, answer: { kind: "refused" } };
  const { drive } = partitionOf(offered, from);
  const answer = { kind: "copying" } as const;
  if (step.kind === "done") {
    return { state: drive === 0 ? withPartition(offered, from, { drive: 1 }) : offered, answer };
  }
  return { state: release(withPartition(offered, from, { drive: 1, hidden: "" }), from), answer };
}

/** At the source, which alone knows whether it is too late. */
export function undo(
  world: World,
  before: MoveModelState,
  { id, from }: Order,
): Handled<{ readonly kind: "undone" | "committed"; readonly epoch: number }> {
  const claimed = claim(world, before, from);
  const old = partitionOf(claimed, from).record?.state;
  const { state, step } = happen(world, claimed, from, { kind: "undo", move: id });
  const epoch = partitionOf(state, from).record?.state.epoch ?? 0;
  if (step.kind === "refused") return { state, answer: { kind: "committed", epoch } };
  const answer = { kind: "undone", epoch } as const;
  if (old?.kind !== "leaving" || old.move !== id) return { state, answer };
  const { drive } = partitionOf(state, from);
  const ajar = world.flaw === "stale-reopen" && (drive === 2 || drive === 3) ? "soon" : "";
  return { state: release(withPartition(state, from, { drive: 0, ajar, hidden: "" }), from), answer };
}

type Stored = { readonly kind: "stored"; readonly ready: boolean } | { readonly kind: "not stored" };

/** At the target: one transaction. */
export function store(world: World, before: MoveModelState, order: Order, chunk: Chunk): Handled<Stored> {
  const { id, from, to } = order;
  const not: Handled<Stored> = { state: before, answer: { kind: "not stored" } };
  let state = before;
  const left = partitionOf(state, to).record?.state;
  if ((left?.kind === "incoming" || left?.kind === "ready") && left.move < id) {
    const drop = { kind: "drop", move: left.move, from: left.from, epoch: left.epoch - 1 } as const;
    state = release(happen(world, state, to, drop).state, to);
  }
  const target = partitionOf(state, to);
  const own = target.record?.state;
  // Rows from when it was here are cleared away first.
  if (own?.kind === "gone" && target.rows !== "") return { ...not, state };
  const here = own?.kind === "incoming" || own?.kind === "ready" ? own.move === id : false;
  if ((here ? target.cursor : null) !== chunk.from) return { ...not, state };
  const empty = chunk.from === chunk.to && chunk.final === null;
  if (own?.kind === "ready" && here && empty && world.flaw !== "reopened-copy") {
    return { state, answer: { kind: "stored", ready: false } };
  }
  const staged = happen(world, state, to, { kind: "stage", move: id, from, epoch: chunk.epoch });
  if (staged.step.kind === "refused") return { ...not, state };
  const rows = chunk.rows ?? target.rows;
  const stored = withPartition(staged.state, to, { rows, cursor: chunk.to });
  // If it stood ready, its source serves on: those who wait go there.
  if (chunk.final === null) return { state: release(stored, to), answer: { kind: "stored", ready: false } };
  // The transaction is rolled back.
  if (chunk.final !== rows) return { ...not, state };
  return {
    state: happen(world, stored, to, { kind: "verify", move: id }).state,
    answer: { kind: "stored", ready: true },
  };
}

/** At the target, by word of the source or of the coordinator, or because the source has answered it so. */
export function activate(world: World, before: MoveModelState, { id, to }: Order): Handled<boolean> {
  const { state, step } = happen(world, before, to, { kind: "activate", move: id });
  return { state: step.kind === "next" ? release(state, to) : state, answer: step.kind !== "refused" };
}

/** At the target. */
export function drop(world: World, before: MoveModelState, { id, from, to }: Order, epoch: number): MoveModelState {
  const { state, step } = happen(world, before, to, { kind: "drop", move: id, from, epoch });
  const { record, drive } = partitionOf(state, to);
  if (world.flaw === "opened-gate" && (drive === 2 || drive === 3)) {
    return release(withPartition(state, to, { ajar: "open" }), to);
  }
  return step.kind === "next" && !serves(record?.state) ? release(state, to) : state;
}

/** What the source reads for the target now; undefined while it has nothing to give. */
export function chunkFor(world: World, state: MoveModelState, order: Order, final: boolean): Chunk | undefined {
  const source = partitionOf(state, order.from);
  const target = partitionOf(state, order.to);
  const own = target.record?.state;
  const here = (own?.kind === "incoming" || own?.kind === "ready") && own.move === order.id;
  const from = here ? target.cursor : null;
  if (final && from === null) return undefined;
  const rows = shown(world, source.rows, source.hidden);
  const to = changes(rows);
  const epoch = (source.record?.state.epoch ?? 0) + 1;
  return { epoch, from, to, rows: from === to ? null : rows, final: final ? rows : null };
}

function shown(world: World, rows: string, hidden: string): string {
  let left = rows;
  for (const call of hidden) left = left.replace(call, "");
  return world.flaw === "marks-left" ? left.replace("m", "") : left;
}

/** A request that comes late: its answer goes nowhere. Two outcomes where the source passes word on to the target. */
export function deliver(world: World, state: MoveModelState, message: Message): MoveModelState[] {
  const { order } = message;
  switch (message.kind) {
    case "advance": {
      const { state: after, answer } = advance(world, state, order);
      return answer.kind === "committed" ? [after, activate(world, after, order).state] : [after];
    }
    case "undo":
      return [undo(world, state, order).state];
    case "activate":
      return [activate(world, state, order).state];
    case "drop":
      return [drop(world, state, order, message.epoch)];
    case "chunk":
      return [store(world, state, order, message.chunk).state];
  }
}
