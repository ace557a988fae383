import type { Events } from "./events/events.ts";
import { makeEvents } from "./make-events.ts";
import { makeOutbox } from "./make-outbox.ts";
import { makeReminders } from "./make-reminders.ts";
import { ShardWorks } from "./moves/shard-work.ts";
import type { Outbox } from "./outbox/outbox.ts";
import type { Reminders } from "./reminders/reminders.ts";

/** What goes on at a partition without a call. */
export class PartitionWork extends ShardWorks {
  readonly outbox: Outbox;
  readonly reminders: Reminders;
  readonly events: Events;

  constructor(outbox: Outbox, reminders: Reminders, events: Events) {
    super([outbox, reminders, events]);
    this.outbox = outbox;
    this.reminders = reminders;
    this.events = events;
  }
}

type Parts = Parameters<typeof makeOutbox>[0] & Parameters<typeof makeReminders>[0] & Parameters<typeof makeEvents>[0];

/** The work of a partition, and what its turns reach of it. */
export function makeWork(parts: Parts) {
  const { outbox, stubs, clients } = makeOutbox(parts);
  const { reminders, ofTurn } = makeReminders(parts);
  const { events, emit } = makeEvents(parts);
  return { work: new PartitionWork(outbox, reminders, events), ofTurn: { ...ofTurn, outbox: stubs, clients, emit } };
}
