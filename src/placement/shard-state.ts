/**
 * A shard as one partition has it, durably. The owner's own record is the only truth about ownership; the coordinator and
 * the routers learn from it.
 *
 * | state    | event              | becomes  | note                                                           |
 * |----------|--------------------|----------|----------------------------------------------------------------|
 * | (none)   | claim              | owned    | by the genesis' owner alone, epoch 1                           |
 * | owned    | offer m            | leaving  | serves on; changes are noted                                   |
 * | leaving  | commit m           | gone     | **the commit point** of a move ([MIG4]): epoch + 1 to the target |
 * | leaving  | undo m             | owned    | same epoch: the owner did not change                           |
 * | owned    | undo m             | owned    | remembers m, so that a late offer of it is refused             |
 * | none/gone| stage m            | incoming | rows gather; redirects to the source                           |
 * | incoming | verify m           | ready    | all there, compared; holds calls                               |
 * | ready    | stage m            | incoming | the source served on after all, and sends the rest             |
 * | ready    | activate m         | owned    | with the new epoch                                             |
 * | incoming, ready | drop m      | gone     | the source has undone m; points to it                          |
 * | (none)   | drop m             | gone     | likewise, and refuses what of m is still on its way             |
 *
 * A newer offer or stage takes the place of an older one that was never ended: an operator did not wait for its end, or the
 * coordinator lost its database. A newer undo or drop is remembered in every state. Anything else is refused, or was done before,
 * and changes nothing. A move is known by its number: one that is not above the highest a shard has
 * seen is stale, so a message may be lost, late or repeated. Epochs only grow ([OWN2]).
 */
export type ShardState =
  | { readonly kind: "owned"; readonly epoch: number }
  | { readonly kind: "leaving"; readonly epoch: number; readonly move: number; readonly to: string }
  | { readonly kind: "gone"; readonly epoch: number; readonly move: number; readonly to: string }
  | { readonly kind: "incoming"; readonly epoch: number; readonly move: number; readonly from: string }
  | { readonly kind: "ready"; readonly epoch: number; readonly move: number; readonly from: string };

/** A shard's state and the highest number of a move it has seen. */
export interface ShardRecord {
  readonly state: ShardState;
  readonly seen: number;
}

export type ShardEvent =
  | { readonly kind: "claim" }
  | { readonly kind: "offer"; readonly move: number; readonly to: string }
  | { readonly kind: "commit"; readonly move: number }
  | { readonly kind: "undo"; readonly move: number }
  /** `epoch` is the one the shard will have here. */
  | { readonly kind: "stage"; readonly move: number; readonly from: string; readonly epoch: number }
  | { readonly kind: "verify"; readonly move: number }
  | { readonly kind: "activate"; readonly move: number }
  /** `epoch` is the one the source serves with. */
  | { readonly kind: "drop"; readonly move: number; readonly from: string; readonly epoch: number };

/** What an event made of a shard. `done` tells a repetition of something that already happened from a refusal. */
export type ShardStep =
  | { readonly kind: "next"; readonly record: ShardRecord }
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly reason: string };

/** Epoch of the first owner of a shard. */
export const FIRST_EPOCH = 1;

const done: ShardStep = { kind: "done" };
const refused = (reason: string): ShardStep => ({ kind: "refused", reason });
const next = (state: ShardState, seen: number): ShardStep => ({ kind: "next", record: { state, seen } });

/** @param record undefined: the partition has never had to do with the shard */
export function shardTransition(record: ShardRecord | undefined, event: ShardEvent): ShardStep {
  const state = record?.state;
  const seen = record?.seen ?? 0;
  switch (event.kind) {
    case "claim":
      return record === undefined ? next({ kind: "owned", epoch: FIRST_EPOCH }, 0) : refused("it is known already");
    case "offer":
      return offer(state, seen, event);
    case "commit":
      if (state?.kind === "leaving" && state.move === event.move) {
        return next({ kind: "gone", epoch: state.epoch + 1, move: event.move, to: state.to }, seen);
      }
      return state?.kind === "gone" && state.move === event.move ? done : stale;
    case "undo":
      return undo(state, seen, event.move);
    case "stage":
      return stage(state, seen, event);
    case "verify":
      if (state?.kind === "incoming" && state.move === event.move) return next({ ...state, kind: "ready" }, seen);
      return state?.kind === "ready" && state.move === event.move ? done : stale;
    case "activate":
      if (state?.kind === "ready" && state.move === event.move) {
        return next({ kind: "owned", epoch: state.epoch }, seen);
      }
      // Once owned, a shard has seen the move; whatever came after it has, too.
      if (seen < event.move || (state?.kind === "incoming" && state.move === event.move)) {
        return refused("it is not ready");
      }
      return done;
    case "drop":
      return drop(state, seen, event);
    default:
      return assertNever(event);
  }
}

const stale = refused("the move is stale");

function offer(
  state: ShardState | undefined,
  seen: number,
  { move, to }: Extract<ShardEvent, { kind: "offer" }>,
): ShardStep {
  if (state?.kind === "leaving" && state.move === move) return done;
  if (move <= seen) return stale;
  if (state?.kind === "owned" || state?.kind === "leaving") {
    return next({ kind: "leaving", epoch: state.epoch, move, to }, move);
  }
  return refused("it is not owned here");
}

function undo(state: ShardState | undefined, seen: number, move: number): ShardStep {
  if (state?.kind === "leaving" && state.move === move) return next({ kind: "owned", epoch: state.epoch }, seen);
  if (state?.kind === "gone" && state.move === move) return refused("it is committed");
  // Never offered here: whoever offers it from now on comes too late.
  return state !== undefined && seen < move ? next(state, move) : done;
}

function stage(
  state: ShardState | undefined,
  seen: number,
  { move, from, epoch }: Extract<ShardEvent, { kind: "stage" }>,
): ShardStep {
  if (state?.kind === "incoming" && state.move === move) return done;
  if (state?.kind === "ready" && state.move === move) return next({ ...state, kind: "incoming" }, seen);
  if (move <= seen) return stale;
  if (state?.kind === "owned" || state?.kind === "leaving") return refused("it is owned here");
  if (state?.kind === "gone" && epoch <= state.epoch) return refused("its epoch is older than what is known here");
  return next({ kind: "incoming", epoch, move, from }, move);
}

function drop(
  state: ShardState | undefined,
  seen: number,
  { move, from, epoch }: Extract<ShardEvent, { kind: "drop" }>,
): ShardStep {
  if ((state?.kind === "incoming" || state?.kind === "ready") && state.move === move) {
    return next({ kind: "gone", epoch, move, to: from }, seen);
  }
  if (state === undefined) return next({ kind: "gone", epoch, move, to: from }, move);
  return seen < move ? next(state, move) : done;
}

/** Whether the partition serves the shard's calls. */
export function serves(state: ShardState | undefined): state is Extract<ShardState, { kind: "owned" | "leaving" }> {
  return state?.kind === "owned" || state?.kind === "leaving";
}

export function assertNever(value: never): never {
  throw new Error(`unexpected ${JSON.stringify(value)}`);
}
