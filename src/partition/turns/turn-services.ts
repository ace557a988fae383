import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { Random, SqlStorage } from "../../platform/ports.ts";
import type { GroupCommit } from "../storage/group-commit.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import type { Outbound } from "./outbound.ts";
import type { Transactions } from "./transactions.ts";
import type { Turn, TurnServices } from "./turn.ts";
import { TurnStore } from "./turn-store.ts";

/** What turns need of their partition. */
export function turnServices(
  parts: {
    readonly storage: SqlStorage;
    readonly commit: GroupCommit;
    readonly config: { readonly maxValue: number };
    readonly memory: MemoryBudget;
    readonly env?: unknown;
    readonly random: Random;
    readonly outbound: Outbound;
    readonly transactions: Transactions;
  } & Pick<TurnServices, "outbox" | "clients" | "reminders" | "clearReminders" | "emit">,
): TurnServices {
  const { storage, commit, config, memory, env, random, outbound, transactions } = parts;
  const { outbox, clients, reminders, clearReminders, emit } = parts;
  return {
    env,
    stub: (turn, type, id, options) => outbound.stub(turn, type, id, options),
    transact: (turn, objects, work) => transactions.run(turn, objects, work),
    outbox,
    clients,
    reminders,
    clearReminders,
    emit,
    openStore: (turn) =>
      new TurnStore(turn.activation, storage, {
        maxValue: config.maxValue,
        memory,
        checkMutable: () => turn.checkMutable("change the store of"),
        flush: () => {
          commit.flush();
          if (turn.base.refusal !== undefined) throw turn.base.refusal;
        },
        under: turn.outer === undefined ? undefined : () => (turn.outer as Turn).openStore(),
      }),
    uuid: () => random.uuid(),
    over: (turn) =>
      new EdgeverseError(
        "DEADLINE_EXCEEDED",
        `The turn on ${turn.activation.key} has ended: what it does now has no effect`,
      ),
  };
}
