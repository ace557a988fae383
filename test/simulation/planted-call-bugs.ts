import { CallTable, type EndedCall } from "../../src/partition/calls/call-table.ts";
import { OrphanWatch } from "../../src/partition/calls/orphan-watch.ts";
import { ReliableCalls } from "../../src/partition/calls/reliable-calls.ts";
import { Backlog } from "../../src/partition/storage/backlog.ts";
import { DiskHandle } from "../../src/testing/simulation/sim-storage.ts";
import { both, instead, type PlantedBug } from "./plant.ts";

/** The outcomes that the bug below keeps for the next commit. */
const late = new WeakMap<CallTable, readonly EndedCall[]>();

/** Bugs of reliable calls that one could make. */
export const CALL_BUGS: Readonly<Record<string, PlantedBug>> = {
  "call marks are forgotten": {
    plant: both(
      instead(CallTable.prototype, "find", () => () => undefined),
      instead(
        CallTable.prototype,
        "finish",
        (real) =>
          function (this: CallTable, calls) {
            try {
              real.call(this, calls);
            } catch {
              // The mark of the first time is there.
            }
          },
      ),
    ),
    within: 100,
  },
  "pending calls are not taken up after a crash": {
    plant: instead(ReliableCalls.prototype, "resume", () => () => undefined),
    within: 100,
    seed: 18,
  },
  "a call's outcome is not stored": {
    plant: instead(
      CallTable.prototype,
      "finish",
      (real) =>
        function (this: CallTable, calls) {
          const kept = calls.filter(({ record }) => !record.callId.endsWith("3"));
          real.call(this, kept);
        },
    ),
    within: 100,
  },
  "a call's outcome is in another commit than its effects": {
    plant: instead(
      CallTable.prototype,
      "finish",
      (real) =>
        function (this: CallTable, calls) {
          real.call(this, late.get(this) ?? []);
          late.set(this, calls);
        },
    ),
    within: 100,
  },
  "a call that has ended stays pending": {
    plant: instead(
      CallTable.prototype,
      "finish",
      (real) =>
        function (this: CallTable, calls) {
          const unaccepted = calls.map((call) => ({ ...call, accepted: false }));
          real.call(this, unaccepted);
        },
    ),
    within: 100,
  },
  "a call that still runs is not accepted": {
    plant: instead(CallTable.prototype, "accept", () => () => undefined),
    within: 100,
  },
  "the log is never told of outcomes": {
    plant: instead(Backlog.prototype, "front", () => () => []),
    within: 100,
  },
  "an outcome is out of the backlog before the log has it": {
    plant: instead(
      Backlog.prototype,
      "front",
      (real) =>
        function (this: Backlog, most) {
          const rows = real.call(this, most);
          this.remove(rows);
          return rows;
        },
    ),
    within: 100,
  },
  "nobody looks for what was written ahead and not accepted": {
    plant: instead(OrphanWatch.prototype, "note", () => async () => undefined),
    within: 300,
    seed: 84,
  },
  "a crash forgets that calls were written ahead": {
    plant: instead(
      DiskHandle.prototype,
      "query",
      (real) =>
        function (this: DiskHandle, sql, ...params) {
          return params[0] === "orphans" ? [] : real.call(this, sql, ...params);
        } as typeof real,
    ),
    within: 600,
    seed: 109,
  },
  "a move takes only calls that have ended": {
    plant: instead(
      DiskHandle.prototype,
      "query",
      (real) =>
        function (this: DiskHandle, sql, ...params) {
          return real.call(this, sql.replace("FROM calls", "FROM (SELECT * FROM calls WHERE open = 0)"), ...params);
        } as typeof real,
    ),
    within: 600,
    seed: 46,
  },
};
