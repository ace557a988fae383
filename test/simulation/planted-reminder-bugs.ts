import { DueCalls } from "../../src/partition/reminders/due-calls.ts";
import { ScheduledCalls } from "../../src/partition/reminders/scheduled-calls.ts";
import { GroupCommit } from "../../src/partition/storage/group-commit.ts";
import { instead, type PlantedBug } from "./plant.ts";

let copies = 0;

/** Bugs of reminders that one could make. */
export const REMINDER_BUGS: Readonly<Record<string, PlantedBug>> = {
  "a reminder's row stays when its call is stored": {
    plant: instead(
      GroupCommit.prototype,
      "add",
      (real) =>
        function (this: GroupCommit, owner, bulk, row) {
          if (!isAdvance(row)) real.call(this, owner, bulk as never, row as never);
        },
    ),
    within: 100,
  },
  "a reminder calls under another id each time it is tried": {
    plant: instead(
      DueCalls.prototype,
      "take",
      (real) =>
        function (this: DueCalls, batch, mine) {
          // The row is that of another setting then: it stays.
          return real.call(
            this,
            copies++ % 3 > 0 ? batch : batch.map((reminder) => ({ ...reminder, setting: `copy-${copies}` })),
            mine,
          );
        },
    ),
    within: 200,
  },
  "a call that waits for its time is answered before it is stored": {
    plant: instead(
      ScheduledCalls.prototype,
      "meet",
      (real) =>
        function (this: ScheduledCalls, message, activation, print) {
          const met = real.call(this, message, activation, print);
          if (!(met instanceof Promise)) return met;
          met.catch(() => undefined);
          return Promise.resolve({ kind: "accepted", callId: message.reliable?.callId ?? "" });
        },
    ),
    within: 400,
    seed: 169,
  },
  "a reminder's row goes also when the database refuses its call": {
    plant: instead(
      GroupCommit.prototype,
      "add",
      (real) =>
        function (this: GroupCommit, owner, bulk, row) {
          real.call(this, isAdvance(row) ? { unit: undefined } : owner, bulk as never, row as never);
        },
    ),
    within: 1_000,
    seed: 150,
  },
};

/** Whether the row is what a call that is stored makes of its reminder. */
function isAdvance(row: unknown): boolean {
  return (row as { readonly kind?: unknown } | null)?.kind === "advance";
}
