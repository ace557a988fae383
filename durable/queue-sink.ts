import type { PublicEvent } from "../src/object/event.ts";
import type { EventSink } from "../src/partition/events/ports.ts";

/** What it needs of a binding of Cloudflare Queues. */
export interface EventQueue {
  sendBatch(messages: Iterable<{ readonly body: unknown; readonly contentType: "json" }>): Promise<unknown>;
}

/** Puts events into a Cloudflare Queue. What its consumer gets need not be in order: each event has its `sequence`. */
export class QueueSink implements EventSink {
  /** Queues take 100 messages and 256 KB at once; beside its data an event takes up to 2 KB. */
  readonly limits = { events: 100, bytes: 100_000, messages: 4 };
  readonly patience = undefined;
  readonly #queue: EventQueue;

  constructor(queue: EventQueue) {
    this.#queue = queue;
  }

  async send(events: readonly PublicEvent[]): Promise<void> {
    await this.#queue.sendBatch(events.map((body) => ({ body, contentType: "json" as const })));
  }
}
