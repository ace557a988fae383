/** A room of the protocol, and the tests that must notice what changes in it. */
export interface Room {
  readonly folder: string;
  /** Those that are closest to the code first: they are fast, and what they kill no other needs to try. Not the simulation. */
  readonly tests: readonly string[];
}

const partition = (...names: string[]) => names.map((name) => `test/partition/${name}.test.ts`);

export const ROOMS: Readonly<Record<string, Room>> = {
  placement: {
    folder: "src/placement",
    tests: [
      "test/placement/{move-state,shard-*,rendezvous,maintenance-window,sorted-stock,constraints}.test.ts",
      "test/placement/plan-{balance,purposes}.test.ts",
      "test/placement/!(explore).test.ts",
    ],
  },
  reliable: {
    folder: "src/reliable",
    tests: [
      "test/reliable/{call-*,fingerprint,log-gate,shipper,upkeep-budget,reconciliation}.test.ts",
      "test/reliable/*.test.ts",
    ],
  },
  router: {
    folder: "src/router",
    tests: ["test/router/{map-cache,directory,router,redirections}.test.ts", "test/router/*.test.ts"],
  },
  storage: {
    folder: "src/partition/storage",
    tests: partition(
      "{backlog,bulk-insert,row-digest,utf8-order,refusal,shard-records,shard-rows,call-rows,call-table}",
      "{group-commit,failed-commits,object-writer,ownership,ownership-moves,noted-changes,change-tracker}",
      "{old-schema,copied-changes}",
    ),
  },
  calls: {
    folder: "src/partition/calls",
    tests: partition(
      "{call-admission,call-callers,call-entries,call-queues,call-shipping,call-table,call-writes,mark-sweep}",
      "{suspects,orphan-watch,orphans,reliable-calls,reliable-call-outcomes,refused-calls,parked-calls,poison,line-deadlock}",
      "{unreadable-requests,call-budget,hand-off}",
    ),
  },
  moves: {
    folder: "src/partition/moves",
    tests: partition(
      "{copy-*,hand-off-gate,shard-cleaner,incoming-moves,ready-target,reshard-records}",
      "{move-vote,outgoing-moves,undo-moves,shard-drain,shard-moves}",
      "{moves,late-messages,hand-off,gate-restart,reshard*,move-copies}",
    ),
  },
  turns: {
    folder: "src/partition/turns",
    tests: partition(
      "{mailbox,deadlines,store-range,load-meter,outgoing-error,cycle-search,turn-*,method-plan,activat*,outbound}",
      "{deadlock,reentrant-turns,memory-budget,turns,abandoned-turns,create,readonly-writes,line-deadlock}",
      "{store-and-lifecycle,state-loss,reading,refused-units,time-and-bindings,auto-load,call-budget,hand-off}",
      "reliable-call-outcomes",
      "deadlock-search",
    ),
  },
};
