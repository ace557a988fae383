import { positionOf } from "../identity/hash-order.ts";
import type { CallMessage, Reply } from "../object/message.ts";
import type { Registry, TypeDefinition } from "../object/registry.ts";
import type { ObjectRef } from "../router/directory.ts";
import type { ReliableCalls } from "./calls/reliable-calls.ts";
import type { PartitionOptions } from "./options.ts";
import type { Take } from "./outbox/at-once.ts";
import { Carriage } from "./outbox/carriage.ts";
import { Outbox } from "./outbox/outbox.ts";
import { OutboxTable } from "./outbox/outbox-table.ts";
import type { Part } from "./outbox/sending.ts";
import { outboxStubs } from "./outbox/turn-messages.ts";
import { turnPushes } from "./outbox/turn-pushes.ts";
import type { ChangeTracker } from "./storage/change-tracker.ts";
import type { GroupCommit } from "./storage/group-commit.ts";
import type { Owned, Ownership } from "./storage/ownership.ts";
import type { Deadlines } from "./turns/deadlines.ts";
import type { MemoryBudget } from "./turns/memory-budget.ts";
import type { Peers } from "./turns/ports.ts";
import type { TurnActivation } from "./turns/turn.ts";

interface Parts {
  readonly options: PartitionOptions;
  readonly ownership: Ownership;
  readonly changes: ChangeTracker;
  readonly commit: GroupCommit;
  readonly deadlines: Deadlines;
  readonly memory: MemoryBudget;
  readonly local: (message: CallMessage) => Promise<Reply>;
  readonly reliable: () => ReliableCalls;
  readonly open: (definition: TypeDefinition, id: string, owned: Owned) => TurnActivation;
  readonly wakeBy: (time: number) => void;
}

/** The outbox of a partition, and what makes the stubs of its turns. */
export function makeOutbox(parts: Parts) {
  const { options, ownership, changes, commit, deadlines, memory, local, reliable, open, wakeBy } = parts;
  const { storage, clock, config, registry, random, peers, observer, gates } = options;
  const now = () => clock.now();
  const table = new OutboxTable({ storage, now, changes, fence: (position) => ownership.fence(position) });
  const here = ({ type, id }: ObjectRef) => ownership.locate(registry.placement(type, id), now()).kind !== "moved";
  /** In the commit of its sender: a receiver that is not served now gets it later. */
  const take: Take = (message, handOver) => {
    const { type, id } = message.to;
    const located = ownership.locate(registry.placement(type, id), now());
    if (located.kind !== "owned") return false;
    return reliable().handed.take(message, open(registry.type(type), id, located), handOver);
  };
  const outbox: Outbox = new Outbox({
    table,
    commit,
    deadlines,
    observer,
    now,
    config,
    wakeBy,
    take,
    gates,
    carriage: new Carriage({ carrier: peers, here, local }),
    shardAt: (position) => ownership.shardAt(position),
    served: (position) => ownership.epochAt(position) !== undefined,
    partOf: ({ type, id }) => partOf(registry, type, id),
    owner: (object) => ownerOf(peers, object),
  });
  const ofTurn = { random, table, memory, outbox };
  return {
    outbox,
    stubs: outboxStubs({ ...ofTurn, registry, config }),
    clients: turnPushes({ ...ofTurn, gates: gates?.names }),
  };
}

/** Bits of a part's number: of as many shards each is a part of its own. */
const PART_BITS = 13;

function partOf(registry: Registry, type: string, id: string): Part {
  try {
    const placement = registry.placement(type, id);
    return placement.kind === "partition" ? placement.partition : positionOf(placement.hash) >>> (32 - PART_BITS);
  } catch {
    return UNPLACED;
  }
}

/** Where objects are that these classes can't place: they are refused when they are called. */
const UNPLACED = "";

function ownerOf(peers: Peers, object: ObjectRef): string {
  try {
    return peers.owner(object);
  } catch {
    return UNPLACED;
  }
}
