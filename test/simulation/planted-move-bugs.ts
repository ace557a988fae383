import { OutgoingMoves } from "../../src/partition/moves/outgoing-moves.ts";
import { ShardCleaner } from "../../src/partition/moves/shard-cleaner.ts";
import { Ownership } from "../../src/partition/storage/ownership.ts";
import type { ShardEvent, ShardRecord } from "../../src/placement/shard-state.ts";
import { DiskHandle } from "../../src/testing/simulation/sim-storage.ts";
import { both, instead, type Plant, type PlantedBug } from "./plant.ts";

/** Lets an event meet another record than the shard's own. */
function mistaken(kind: ShardEvent["kind"], as: (record: ShardRecord, move: number) => ShardRecord): Plant {
  return instead(
    Ownership.prototype,
    "apply",
    (real) =>
      function (this: Ownership, shard, event, now, order) {
        const record = this.record(shard);
        if (event.kind === kind && record !== undefined && "move" in event) {
          const other = as(record, event.move);
          if (other !== record) {
            records(this).set(shard, other);
            const step = real.call(this, shard, event, now, order);
            if (step.kind !== "next") records(this).set(shard, record);
            return step;
          }
        }
        return real.call(this, shard, event, now, order);
      },
  );
}

/** Its records, to be tampered with. */
function records(ownership: Ownership): Map<number, ShardRecord> {
  return ownership.records as Map<number, ShardRecord>;
}

/** The move whose undo runs at this moment. */
let undoing: number | undefined;

const calledBy = (name: string) => new Error().stack?.includes(name) === true;

/** Bugs of moves that one could make. What docs/testing.md calls a second line of defence is not among them. */
export const MOVE_BUGS: Readonly<Record<string, PlantedBug>> = {
  "a commit is undone": {
    plant: both(
      instead(
        OutgoingMoves.prototype,
        "undo",
        (real) =>
          function (this: OutgoingMoves, order) {
            undoing = order.id;
            try {
              return real.call(this, order);
            } finally {
              undoing = undefined;
            }
          },
      ),
      instead(
        Ownership.prototype,
        "record",
        (real) =>
          function (this: Ownership, shard) {
            const record = real.call(this, shard);
            const state = record?.state;
            if (state?.kind !== "gone" || state.move !== undoing || record === undefined) return record;
            const back: ShardRecord = { ...record, state: { ...state, kind: "leaving", epoch: state.epoch - 1 } };
            records(this).set(shard, back);
            return back;
          },
      ),
    ),
    within: 1_000,
  },
  "a late offer of an older move is followed": {
    plant: mistaken("offer", (record, move) =>
      record.state.kind === "owned" ? { ...record, seen: move - 1 } : record,
    ),
    within: 1_000,
    seed: 71,
  },
  "late rows of an older move are taken": {
    plant: mistaken("stage", (record, move) => (record.state.kind === "gone" ? { ...record, seen: move - 1 } : record)),
    within: 1_000,
    seed: 121,
  },
  "rows are taken where rows of an earlier stay are left": {
    plant: instead(ShardCleaner.prototype, "dirty", () => () => false),
    within: 1_000,
    seed: 26,
  },
  "the epoch is not raised at the source": {
    plant: mistaken("commit", (record, move) =>
      record.state.kind === "leaving" && record.state.move === move
        ? { ...record, state: { ...record.state, epoch: record.state.epoch - 1 } }
        : record,
    ),
    within: 1_000,
  },
  "an undo is reported before it is durable": {
    plant: instead(
      DiskHandle.prototype,
      "barrier",
      (real) =>
        function (this: DiskHandle) {
          return calledBy("OutgoingMoves.undo") ? Promise.resolve() : real.call(this);
        },
    ),
    within: 1_000,
    seed: 94,
  },
};
