import { parseJson } from "../object/json.ts";
import type { CallMessage, Reply } from "../object/message.ts";
import type { TypeDefinition } from "../object/registry.ts";
import { parseRequest } from "../object/request.ts";
import type { CallTable } from "./calls/call-table.ts";
import type { ReliableCalls } from "./calls/reliable-calls.ts";
import type { PartitionOptions } from "./options.ts";
import { ReminderTable } from "./reminders/reminder-table.ts";
import { Reminders } from "./reminders/reminders.ts";
import { turnReminders } from "./reminders/turn-reminders.ts";
import type { ChangeTracker } from "./storage/change-tracker.ts";
import type { OwnedRow } from "./storage/commit-batch.ts";
import type { GroupCommit } from "./storage/group-commit.ts";
import type { Owned, Ownership } from "./storage/ownership.ts";
import type { Deadlines } from "./turns/deadlines.ts";
import type { MemoryBudget } from "./turns/memory-budget.ts";
import type { Turn, TurnActivation } from "./turns/turn.ts";

interface Parts {
  readonly options: PartitionOptions;
  readonly ownership: Ownership;
  readonly changes: ChangeTracker;
  readonly commit: GroupCommit;
  readonly deadlines: Deadlines;
  readonly memory: MemoryBudget;
  readonly calls: CallTable;
  readonly reliable: () => ReliableCalls;
  readonly open: (definition: TypeDefinition, id: string, owned: Owned) => TurnActivation;
  readonly wakeBy: (time: number) => void;
}

/** The reminders of a partition, and what its turns reach of them. */
export function makeReminders(parts: Parts) {
  const { options, ownership, changes, commit, deadlines, memory, calls, reliable, open, wakeBy } = parts;
  const { storage, clock, config, registry, random, observer } = options;
  const now = () => clock.now();

  /** Takes a call of an object that is here; its shard may have left meanwhile. */
  const take = async (message: CallMessage, alongside: OwnedRow): Promise<Reply> => {
    const { type, id, request } = message;
    const definition = registry.type(type);
    const method = registry.methodFor(message.caller, definition, id, message.method);
    const located = ownership.locate(registry.placement(type, id), now());
    const left: Reply = { kind: "moved", shard: -1, shards: 0, partition: "", epoch: 0, mapVersion: 0 };
    if (located.kind !== "owned") return left;
    const raw = request === undefined ? undefined : parseJson(request);
    const parsed = parseRequest(method, raw);
    const activation = open(definition, id, located);
    const again = () => Promise.resolve(left);
    return await reliable().call(message, activation, method, { raw, request: parsed }, again, alongside);
  };

  const table = new ReminderTable({ storage, changes, fence: (position) => ownership.fence(position) });
  const reminders: Reminders = new Reminders({
    table,
    commit,
    deadlines,
    observer,
    random,
    now,
    config,
    shardAt: (position) => ownership.shardAt(position),
    served: (position) => ownership.epochAt(position) !== undefined,
    take,
    statusOf: ([position, type, id], callId) => calls.find(position, type, id, callId)?.record.status,
    wakeBy,
  });
  const ofTurn = {
    reminders: turnReminders({ registry, random, memory, reminders, config }),
    clearReminders: ({ activation }: Turn) =>
      reminders.clear(activation, [activation.position, activation.definition.type, activation.id]),
  };
  return { reminders, ofTurn };
}
