import type { CallOptions } from "../../object/call.ts";
import type { ClientMessages } from "../../object/client-messages.ts";
import type { OutboxOptions } from "../../object/outbox.ts";
import type { ObjectReminders } from "../../object/reminder.ts";
import type { ObjectName, TransactionWork } from "../../object/transaction.ts";
import type { TurnStore } from "./turn-store.ts";

/** What the turn's stubs and store reach beyond the turn itself. */
export interface Services<Turn> {
  stub(turn: Turn, type: string, id: string, options: CallOptions): object;
  transact(turn: Turn, objects: readonly ObjectName[], work: TransactionWork): Promise<unknown>;
  outbox(turn: Turn, type: string, id: string, options: OutboxOptions): object;
  clients(turn: Turn): ClientMessages;
  reminders(turn: Turn): ObjectReminders;
  /** The turn deletes its object. */
  clearReminders(turn: Turn): void;
  /** Emits an event, and gives its id. */
  emit(turn: Turn, topic: string, event: unknown): string;
  openStore(turn: Turn): TurnStore;
  uuid(): string;
  /** The Worker's bindings, for `this.env`; nothing here looks into them. */
  readonly env: unknown;
  /** The error for code that uses a turn after its end. */
  over(turn: Turn): Error;
}
