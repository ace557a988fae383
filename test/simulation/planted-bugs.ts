import { Coordinator } from "../../src/coordinator/coordinator.ts";
import { Registry } from "../../src/object/registry.ts";
import { IncomingMoves } from "../../src/partition/moves/incoming-moves.ts";
import { OutgoingMoves } from "../../src/partition/moves/outgoing-moves.ts";
import { ShardCleaner } from "../../src/partition/moves/shard-cleaner.ts";
import { ShardDrain } from "../../src/partition/moves/shard-drain.ts";
import { ChangeTracker } from "../../src/partition/storage/change-tracker.ts";
import { CommitBatch } from "../../src/partition/storage/commit-batch.ts";
import type { CommitUnit } from "../../src/partition/storage/commit-unit.ts";
import { GroupCommit } from "../../src/partition/storage/group-commit.ts";
import { Ownership } from "../../src/partition/storage/ownership.ts";
import { Deadlines } from "../../src/partition/turns/deadlines.ts";
import { WakeUps } from "../../src/partition/wake-ups.ts";
import { FIRST_EPOCH } from "../../src/placement/shard-state.ts";
import { instead, type PlantedBug } from "./plant.ts";
import { CALL_BUGS } from "./planted-call-bugs.ts";
import { EVENT_BUGS } from "./planted-event-bugs.ts";
import { INDEX_BUGS } from "./planted-index-bugs.ts";
import { MOVE_BUGS } from "./planted-move-bugs.ts";
import { OUTBOX_BUGS } from "./planted-outbox-bugs.ts";
import { PUSH_BUGS } from "./planted-push-bugs.ts";
import { REMINDER_BUGS } from "./planted-reminder-bugs.ts";

/** Bugs one could make, each of which the simulation must find within so many seeds. */
export const PLANTED: Readonly<Record<string, PlantedBug>> = {
  "a turn is answered before its commit is durable": {
    plant: instead(
      GroupCommit.prototype,
      "settled",
      (real) =>
        function (this: GroupCommit, owner, callback) {
          real.call(this, owner, () => undefined);
          callback(undefined);
        },
    ),
    within: 100,
  },
  "a commit that fails takes everything in it down": {
    plant: instead(
      CommitBatch.prototype,
      "split",
      () =>
        function (this: CommitBatch) {
          return { units: new Map([[{} as CommitUnit, this]]), rest: new CommitBatch() };
        },
    ),
    within: 100,
  },
  ...CALL_BUGS,
  ...OUTBOX_BUGS,
  ...REMINDER_BUGS,
  ...INDEX_BUGS,
  ...EVENT_BUGS,
  ...PUSH_BUGS,
  ...MOVE_BUGS,
  "what is written to a leaving shard is not noted": {
    plant: instead(ChangeTracker.prototype, "object", () => (_cell, write) => write()),
    within: 600,
  },
  "calls that are accepted on a leaving shard are not noted": {
    plant: instead(ChangeTracker.prototype, "row", () => (_key, write) => write()),
    within: 600,
  },
  "a target says that it is ready before it is": {
    plant: instead(
      IncomingMoves.prototype,
      "transfer",
      (real) =>
        async function (this: IncomingMoves, chunk) {
          if (chunk.final === undefined) return real.call(this, chunk);
          return { kind: "stored", cursor: chunk.to, ready: true };
        },
    ),
    within: 100,
  },
  "the hand-off does not wait for turns that run": {
    plant: instead(ShardDrain.prototype, "drain", () => async () => true),
    within: 600,
    seed: 15,
  },
  "objects stay in memory when their shard has left": {
    plant: instead(ShardDrain.prototype, "forget", () => () => undefined),
    within: 1_500,
  },
  "a target serves as soon as it is ready": {
    plant: instead(
      IncomingMoves.prototype,
      "transfer",
      (real) =>
        async function (this: IncomingMoves, chunk) {
          const reply = await real.call(this, chunk);
          if (reply.kind === "stored" && reply.ready) await this.activate(chunk.order);
          return reply;
        },
    ),
    within: 100,
  },
  "a source that is asked says committed when it is not": {
    plant: instead(OutgoingMoves.prototype, "inquire", () => async () => ({ kind: "committed" })),
    within: 2_000,
    seed: 397,
  },
  "a shard that has left is claimed again": {
    plant: instead(
      Ownership.prototype,
      "record",
      (real) =>
        function (this: Ownership, shard) {
          const record = real.call(this, shard);
          return record?.state.kind === "gone" && this.map.baseOwner(shard) === this.name
            ? { ...record, state: { kind: "owned", epoch: FIRST_EPOCH } }
            : record;
        },
    ),
    within: 300,
  },
  "callers who wait for a move are never let go": {
    plant: instead(Ownership.prototype, "release", () => () => undefined),
    within: 600,
  },
  "rows of a shard that has left are not cleared away": {
    plant: instead(ShardCleaner.prototype, "start", () => () => undefined),
    within: 100,
  },
  "turns that wait never come to an end": {
    plant: instead(Deadlines.prototype, "add", () => () => () => undefined),
    within: 300,
  },
  "the alarm is not set while calls are open": {
    plant: instead(WakeUps.prototype, "by", () => () => undefined),
    within: 2_000,
    seed: 109,
  },
  "the coordinator does not go on after its end": {
    plant: instead(Coordinator.prototype, "wake", () => async () => undefined),
    within: 1_000,
    seed: 15,
  },
  "plain calls are repeated when their partition does not answer": {
    plant: instead(
      Registry.prototype,
      "method",
      (real) =>
        function (this: Registry, definition, name) {
          const found = real.call(this, definition, name);
          // The router asks this way whether it may repeat a call.
          return new Error().stack?.includes("router.ts") === true ? { ...found, readonly: true } : found;
        },
    ),
    within: 600,
    seed: 12,
  },
};
