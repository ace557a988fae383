import type { ShardEvent, ShardRecord, ShardStep } from "../../placement/shard-state.ts";
import type { Model } from "./explore.ts";
import { type Flaw, flawedTransition, type ShardTransition } from "./flaws.ts";
import { GOAL, INVARIANTS, STEPS } from "./move-invariants.ts";
import { coordinatorActions, lateActions, partitionActions } from "./move-model-actions.ts";
import { callActions, crash } from "./move-model-calls.ts";
import type { World } from "./move-model-handlers.ts";
import { moveModelKey } from "./move-model-key.ts";
import { GENESIS, type MoveModelState, NAMES, type PartitionState } from "./move-model-state.ts";

export interface MoveModelOptions {
  readonly partitions?: 2 | 3;
  /** Moves planned one after the other. */
  readonly moves?: number;
  /** Requests on their way at once that nobody waits for any more: late ones, and copies. Over time there is no bound. */
  readonly late?: number;
  /** Crashes of partitions; default: no bound. The coordinator may always have crashed: it has nothing to lose. */
  readonly crashes?: number;
  /** Turns take time; else a call arrives, runs and is durable at once. */
  readonly slowTurns?: boolean;
  /** Leaves the second call out, which is not reliable. */
  readonly oneCall?: boolean;
  readonly flaw?: Flaw;
  /** Hears of every event that is brought to a shard. */
  readonly watch?: (record: ShardRecord | undefined, event: ShardEvent, step: ShardStep) => void;
}

/**
 * The live move of one shard, with everything that can go wrong on its way: the real transitions of `src/placement`, driven as
 * the coordinator and the partitions drive them. Calls are written to the shard meanwhile.
 *
 * | what                  | how                                                                                       |
 * |-----------------------|-------------------------------------------------------------------------------------------|
 * | durable writes        | atomic; what a crash leaves is the record, the rows, the copy's cursor, the journal       |
 * | request and answer    | one action; or the effect without the answer                                              |
 * | lost request          | no action: whoever sent it is where it was                                                |
 * | late, or twice        | `late`: any request that could have been sent, delivered at any later time                |
 * | answer in between     | "stands ready" is a state of its own at the source: anything may happen before the commit |
 * | timeouts              | may happen whenever the source waits for the target                                       |
 * | router                | a call may turn up anywhere at any time                                                   |
 */
export function moveModel(options: MoveModelOptions = {}): Model<MoveModelState> {
  const { partitions = 2, moves = 2, late = 1, crashes = Number.POSITIVE_INFINITY } = options;
  const { slowTurns = false, oneCall = false, flaw, watch } = options;
  const transition = flawedTransition(flaw);
  const world: World = {
    names: NAMES.slice(0, partitions),
    shard: watch === undefined ? transition : watched(transition, watch),
    flaw,
    moves,
    late,
    crashes,
    slowTurns,
  };
  return {
    initial: [initialState(partitions, oneCall)],
    successors: (state, emit) => {
      coordinatorActions(world, state, emit);
      for (const at of world.names) {
        partitionActions(world, state, at, emit);
        crash(world, state, at, emit);
      }
      callActions(world, state, emit);
      lateActions(world, state, emit);
    },
    key: moveModelKey(partitions === 3),
    invariants: INVARIANTS,
    steps: STEPS,
    goal: GOAL,
  };
}

function watched(transition: ShardTransition, watch: NonNullable<MoveModelOptions["watch"]>): ShardTransition {
  return (record, event) => {
    const step = transition(record, event);
    watch(record, event, step);
    return step;
  };
}

function initialState(partitions: number, oneCall: boolean): MoveModelState {
  const empty: PartitionState = { record: undefined, rows: "", cursor: null, drive: 0, ajar: "", hidden: "" };
  return {
    partitions: Array.from({ length: partitions }, () => empty),
    coordinator: { owner: GENESIS, epoch: 1, ids: 0, move: null },
    attempts: [{ call: "1", at: "~" }, { call: "1", at: "~" }, ...(oneCall ? [] : [{ call: "2", at: "~" } as const])],
    acked: "",
    late: [],
    crashes: 0,
    last: { at: GENESIS, epoch: 1 },
  };
}
