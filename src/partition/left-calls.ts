import { DROPPED, type LeftCalls } from "../object/left-call.ts";
import type { CallMessage, Reply } from "../object/message.ts";
import type { PartitionCore } from "./core.ts";
import type { Turn } from "./turns/turn.ts";

/** Drops the calls that have not begun: those that wait for their object, or for its shard to have an owner ([TURN12]). */
export function dropLeft({ activations, engine, gate }: PartitionCore, left: LeftCalls): void {
  gate.drop((message) => left.hasMessage(message), DROPPED_REPLY);
  for (const key of left.keys) {
    const activation = activations.map.get(key);
    const reason = ({ plan: { info, ticket } }: Turn) => (left.has(key, { ...info, ticket }) ? DROPPED : undefined);
    if (activation !== undefined && activation.mailbox.waiting > 0) engine.takeOut(activation, reason);
  }
}

/** Calls of batches that run here: some wait for others of their object before they are sent to it. */
export class BatchCalls {
  readonly #running = new Map<readonly CallMessage[], Set<CallMessage>>();

  /**
   * @param send sends a call to its object
   * @param work sends them all, by what it is given: that drops a call that was left meanwhile
   */
  async run<Result>(
    messages: readonly CallMessage[],
    send: (message: CallMessage) => Promise<Reply>,
    work: (send: (message: CallMessage) => Promise<Reply>) => Promise<Result>,
  ): Promise<Result> {
    const left = new Set<CallMessage>();
    this.#running.set(messages, left);
    try {
      return await work((message) => (left.has(message) ? Promise.resolve(DROPPED_REPLY) : send(message)));
    } finally {
      this.#running.delete(messages);
    }
  }

  drop(calls: LeftCalls): void {
    for (const [messages, left] of this.#running)
      for (const message of messages) if (calls.hasMessage(message)) left.add(message);
  }
}

export const DROPPED_REPLY: Reply = { kind: "error", error: DROPPED.toWire() };
