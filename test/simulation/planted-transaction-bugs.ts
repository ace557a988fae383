import { EdgeverseError } from "../../src/errors/edgeverse-error.ts";
import { GroupCommit } from "../../src/partition/storage/group-commit.ts";
import { Transaction } from "../../src/partition/turns/transaction.ts";
import type { Turn } from "../../src/partition/turns/turn.ts";
import { TurnEngine } from "../../src/partition/turns/turn-engine.ts";
import { instead, type PlantedBug } from "./plant.ts";

/** Bugs in transactions, each of which their workload must find within so many seeds. */
export const TRANSACTION_BUGS: Readonly<Record<string, PlantedBug>> = {
  "only a part of a transaction is published": {
    plant: instead(
      Transaction.prototype,
      "settle",
      (real) =>
        async function (this: Transaction<Turn>) {
          await real.call(this);
          this.held.splice(1, 1);
        },
    ),
    within: 20,
  },
  "what commits together is not linked": {
    plant: instead(GroupCommit.prototype, "link", () => () => undefined),
    within: 60,
  },
  "an error that is caught leaves the transaction as if nothing had failed": {
    plant: instead(Transaction.prototype, "lost", () => () => undefined),
    within: 60,
  },
  "no turn begins again": {
    plant: instead(
      TurnEngine.prototype,
      "restart",
      () =>
        function (this: TurnEngine, turn) {
          this.fail(turn, new EdgeverseError("DEADLOCK", "it does not begin again"));
        },
    ),
    within: 60,
    seed: 10,
  },
};
