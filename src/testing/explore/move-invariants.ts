import { ended } from "../../placement/move-state.ts";
import { type ShardState, serves } from "../../placement/shard-state.ts";
import type { Invariant, Model, StepInvariant } from "./explore.ts";
import { claimable, GENESIS, holder, type MoveModelState, NAMES, partitionOf } from "./move-model-state.ts";

/** What must hold in every state. */
export const INVARIANTS: readonly Invariant<MoveModelState>[] = [
  {
    name: "[OWN1] at most one partition serves the shard",
    fault: (state) => {
      const servers = NAMES.filter((_, index) => serves(state.partitions[index]?.record?.state));
      if (servers.length > 1) return `${servers.join(" and ")} do`;
      return servers.length === 1 && claimable(state, GENESIS) ? `${servers[0]} does, and A may claim it` : undefined;
    },
  },
  {
    name: "[MIG4] when nobody serves, the source has committed and its target stands ready",
    fault: (state) => (holder(state) === undefined ? "nobody serves, and nobody will" : undefined),
  },
  {
    name: "[TURN3] an acknowledged write is with whoever serves, or will",
    fault: (state) => {
      const at = holder(state);
      if (at === undefined) return undefined;
      const { rows } = partitionOf(state, at);
      // The write of a turn that runs there is in its memory.
      const running = state.attempts.filter((each) => each.at === at.toLowerCase()).map(({ call }) => call);
      const lost = [...state.acked].filter((call) => !rows.includes(call) && !running.includes(call as "1" | "2"));
      return lost.length > 0 ? `${at} has "${rows}", call ${lost.join()} was answered` : undefined;
    },
  },
  {
    name: "[CALL1] the reliable call is applied at most once",
    fault: ({ partitions }) => {
      const twice = partitions.findIndex(({ rows }) => rows.startsWith("11"));
      return twice < 0 ? undefined : `${NAMES[twice]} has "${partitions[twice]?.rows}"`;
    },
  },
  {
    name: "[MIG5] a move that was undone leaves the source serving, under the same epoch",
    fault: (state) => {
      const { move, epoch } = state.coordinator;
      if (move?.state.phase !== "undone") return undefined;
      const source = partitionOf(state, move.order.from).record?.state;
      if (claimable(state, move.order.from) && epoch === 1) return undefined;
      if (serves(source) && source.epoch === epoch && move.state.epoch === epoch) return undefined;
      return `${move.order.from} is ${source?.kind} in epoch ${source?.epoch}, the map says ${epoch}`;
    },
  },
  {
    name: "[MIG4] a move that is done leaves the target serving, under the epoch of the map",
    fault: (state) => {
      const { move, epoch } = state.coordinator;
      if (move?.state.phase !== "done") return undefined;
      const target = partitionOf(state, move.order.to).record?.state;
      if (serves(target) && target.epoch === epoch) return undefined;
      return `${move.order.to} is ${target?.kind} in epoch ${target?.epoch}, the map says ${epoch}`;
    },
  },
  {
    name: "[MAP3] MOVED leads to whoever serves, or will, from everywhere",
    fault: (state) => {
      const end = holder(state);
      for (let index = 0; index < state.partitions.length; index++) {
        let at: string = NAMES[index] as string;
        for (let hops = 0; hops < state.partitions.length && at !== end; hops++) {
          at = pointer(partitionOf(state, at).record?.state);
        }
        if (at !== end) return `from ${NAMES[index]} it ends at ${at}, not ${end}`;
      }
      return undefined;
    },
  },
];

function pointer(state: ShardState | undefined): string {
  if (state === undefined) return GENESIS;
  if (state.kind === "gone") return state.to;
  return state.kind === "incoming" || state.kind === "ready" ? state.from : "";
}

/** The epoch a partition knows somebody to serve under, or to have served. */
function known(state: ShardState): number {
  return state.kind === "incoming" || state.kind === "ready" ? state.epoch - 1 : state.epoch;
}

/** What no step may do. */
export const STEPS: readonly StepInvariant<MoveModelState>[] = [
  {
    name: "[OWN2] no partition's epoch and number of the last move go back",
    fault: (before, after) => {
      for (let index = 0; index < before.partitions.length; index++) {
        const [old, now] = [before.partitions[index]?.record, after.partitions[index]?.record];
        if (old === now || old === undefined) continue;
        if (now === undefined) return `${NAMES[index]} forgets the shard`;
        if (known(now.state) < known(old.state)) {
          return `${NAMES[index]} goes from epoch ${known(old.state)} to ${known(now.state)}`;
        }
        if (now.seen < old.seen) return `${NAMES[index]} forgets move ${old.seen}`;
      }
      return undefined;
    },
  },
  {
    name: "[OWN2] another owner serves under a higher epoch",
    fault: ({ last: before }, { last: after }) => {
      if (after === before || after.epoch > before.epoch || (after.at === before.at && after.epoch === before.epoch)) {
        return undefined;
      }
      return `${before.at} served under ${before.epoch}, now ${after.at} under ${after.epoch}`;
    },
  },
  {
    name: "[MIG3] at the commit the target has what the source has",
    fault: (before, after) => {
      for (let index = 0; index < before.partitions.length; index++) {
        const [old, now] = [before.partitions[index], after.partitions[index]];
        if (old === now || old?.record?.state.kind !== "leaving" || now?.record?.state.kind !== "gone") continue;
        const target = partitionOf(before, now.record.state.to);
        if (target.rows !== old.rows || target.record?.state.kind !== "ready") {
          return `${NAMES[index]} has "${old.rows}", the target "${target.rows}" and is ${target.record?.state.kind}`;
        }
      }
      return undefined;
    },
  },
];

/** Once crashes, losses and late messages stop, everything can come to its end. */
export const GOAL: NonNullable<Model<MoveModelState>["goal"]> = {
  name: "[MIG4] never none for good: some way is left to where somebody serves, moves have ended, calls are answered",
  reached: ({ coordinator: { move }, attempts, acked, partitions }) => {
    if (move !== null && !ended(move.state)) return false;
    if (!attempts.every(({ call, at }) => acked.includes(call) && (at === "." || at === "~"))) return false;
    return partitions.some(({ record }) => serves(record?.state));
  },
};
