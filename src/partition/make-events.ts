import { EventTable } from "./events/event-table.ts";
import { Events } from "./events/events.ts";
import { turnEvents } from "./events/turn-events.ts";
import type { PartitionOptions } from "./options.ts";
import type { ChangeTracker } from "./storage/change-tracker.ts";
import type { GroupCommit } from "./storage/group-commit.ts";
import type { Ownership } from "./storage/ownership.ts";
import type { Deadlines } from "./turns/deadlines.ts";
import type { MemoryBudget } from "./turns/memory-budget.ts";

interface Parts {
  readonly options: PartitionOptions;
  readonly ownership: Ownership;
  readonly changes: ChangeTracker;
  readonly commit: GroupCommit;
  readonly deadlines: Deadlines;
  readonly memory: MemoryBudget;
  readonly wakeBy: (time: number) => void;
}

/** The events of a partition, and what emits those of its turns. */
export function makeEvents({ options, ownership, changes, commit, deadlines, memory, wakeBy }: Parts) {
  const { storage, clock, config, random, observer } = options;
  const fence = (position: number) => ownership.fence(position);
  const table = new EventTable({ storage, now: () => clock.now(), changes, fence });
  const events = new Events({
    table,
    commit,
    clock,
    deadlines,
    observer,
    config,
    wakeBy,
    routes: options.events ?? { sinks: new Map(), topics: new Map() },
    shardAt: (position) => ownership.shardAt(position),
    served: (position) => ownership.epochAt(position) !== undefined,
  });
  return { events, emit: turnEvents({ random, table, memory, events }) };
}
