import type { CallMessage, Reply } from "../object/message.ts";
import type { ObjectRef } from "../router/directory.ts";
import type { PartitionOptions } from "./options.ts";
import { Carriage } from "./outbox/carriage.ts";
import { Outbox } from "./outbox/outbox.ts";
import { OutboxTable } from "./outbox/outbox-table.ts";
import { outboxStubs } from "./outbox/turn-messages.ts";
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
  readonly local: (message: CallMessage) => Promise<Reply>;
  readonly wakeBy: (time: number) => void;
}

/** The outbox of a partition, and what makes the stubs of its turns. */
export function makeOutbox(parts: Parts) {
  const { options, ownership, changes, commit, deadlines, memory, local, wakeBy } = parts;
  const { storage, clock, config, registry, random, peers, observer } = options;
  const now = () => clock.now();
  const table = new OutboxTable({ storage, now, changes, fence: (position) => ownership.fence(position) });
  const here = ({ type, id }: ObjectRef) => ownership.locate(registry.placement(type, id), now()).kind !== "moved";
  const outbox: Outbox = new Outbox({
    table,
    commit,
    deadlines,
    observer,
    now,
    config,
    wakeBy,
    carriage: new Carriage({ carrier: peers, here, local }),
    shardAt: (position) => ownership.shardAt(position),
    served: (position) => ownership.epochAt(position) !== undefined,
  });
  return { outbox, stubs: outboxStubs({ registry, random, table, memory, outbox, config }) };
}
