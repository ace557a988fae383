import type { CallMessage, Reply } from "../../object/message.ts";
import type { LoadReport } from "../../placement/load-report.ts";
import type { ObjectRef } from "../../router/directory.ts";

/** How a partition reaches objects it does not own: routed, redirected and retried within the message's deadline. */
export interface Peers {
  call(message: CallMessage): Promise<Reply>;
  /** Replies in the order of the messages. */
  batch(messages: readonly CallMessage[]): Promise<Reply[]>;
  /** The partition that probably has the object. */
  owner(object: ObjectRef): string;
}

/** Hears of what operators should know. Must not throw. */
export interface Observer {
  /** A method threw what was not meant for its caller. */
  methodThrew(key: string, requestId: string, thrown: unknown): void;
  warn(event: string, details: Readonly<Record<string, unknown>>): void;
}

/** Where a partition that has traffic tells how much. */
export interface LoadSink {
  report(report: LoadReport): Promise<void>;
}
