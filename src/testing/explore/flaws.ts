import { FIRST_EPOCH, type ShardEvent, type ShardRecord, shardTransition } from "../../placement/shard-state.ts";

export type ShardTransition = typeof shardTransition;

/** Ways to get the protocol wrong. Each must be found out: a checker that finds nothing proves nothing. */
export const FLAWS = {
  "unchecked-commit": "the source commits though callers were let in again",
  "eager-target": "the target serves as soon as it stands ready, without proof of the commit",
  "skipped-undo": "the coordinator drops the copy without asking the source",
  "forgotten-ids": "the numbers of moves that have ended are not remembered",
  "same-epoch": "the epoch is not raised",
  "early-reply": "a call is answered before its write is durable (shows with --slow-turns)",
  "served-after-commit": "calls that waited run at the old owner after the commit",
  "lost-changes": "a crash of the source forgets what changed since the copy",
  "claimed-again": "the first owner claims a shard that has left it",
  "marks-left": "the marks of reliable calls stay behind",
  "undone-commit": "a commit is undone",
  "reopened-copy": "an empty chunk that comes late takes a target that stands ready back to incoming",
  "stale-reopen": "a hand-off that was undone ends late, and opens the gate that the next one has shut",
  "opened-gate":
    "a late drop lets callers in at a partition that is handing the shard over by then (shows with --slow-turns --moves 3 --one-call)",
} as const;

export type Flaw = keyof typeof FLAWS;

/** The transition function, with the flaws that are in it. */
export function flawedTransition(flaw: Flaw | undefined): ShardTransition {
  switch (flaw) {
    case "forgotten-ids":
      return (record, event) => {
        const step = shardTransition(record === undefined ? undefined : { ...record, seen: 0 }, event);
        if (step.kind !== "next") return step;
        return { kind: "next", record: { ...step.record, seen: Math.max(record?.seen ?? 0, step.record.seen) } };
      };
    case "same-epoch":
      return sameEpoch;
    case "claimed-again":
      return (record, event) =>
        event.kind === "claim" && record?.state.kind === "gone"
          ? { kind: "next", record: { ...record, state: { kind: "owned", epoch: FIRST_EPOCH } } }
          : shardTransition(record, event);
    case "undone-commit":
      return (record, event) =>
        event.kind === "undo" && record?.state.kind === "gone" && record.state.move === event.move
          ? { kind: "next", record: { ...record, state: { kind: "owned", epoch: record.state.epoch - 1 } } }
          : shardTransition(record, event);
    default:
      return shardTransition;
  }
}

function sameEpoch(record: ShardRecord | undefined, event: ShardEvent): ReturnType<ShardTransition> {
  if (event.kind === "stage") return shardTransition(record, { ...event, epoch: event.epoch - 1 });
  const step = shardTransition(record, event);
  if (event.kind !== "commit" || step.kind !== "next") return step;
  const { state, seen } = step.record;
  return { kind: "next", record: { state: { ...state, epoch: state.epoch - 1 }, seen } };
}
