import type { CallContext, CallOptions } from "./call.ts";
import type { ClientMessages } from "./client-messages.ts";
import type { OutboxOptions } from "./outbox.ts";
import type { ObjectReminders } from "./reminder.ts";
import type { ObjectStore } from "./store.ts";
import type { ObjectName, TransactionWork } from "./transaction.ts";

/** What the engine gives an instance: who it is, and the turn that is running on it. */
export interface ObjectScope {
  readonly id: string;
  /** The bindings of the Worker; undefined where a test gave none. */
  readonly env: unknown;
  /** @throws when no turn is running: effects outside a turn could not be committed */
  turn(): TurnScope;
}

/** What a running turn offers its method. */
export interface TurnScope {
  state: unknown;
  readonly store: ObjectStore;
  readonly context: CallContext;
  /** When the turn started, ms since the epoch. */
  readonly now: number;
  stub(type: string, id: string, options: CallOptions): object;
  outbox(type: string, id: string, options: OutboxOptions): object;
  readonly clients: ClientMessages;
  readonly reminders: ObjectReminders;
  /** Gives the id of the event. */
  emit(topic: string, event: unknown): string;
  transact(objects: readonly ObjectName[], work: TransactionWork): Promise<unknown>;
  deleteSelf(): void;
  callIdFor(label: string): string;
}
