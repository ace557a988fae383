import type { PublicEvent } from "../object/event.ts";
import { type SinkTopics, sinksOfTopics } from "../object/event-topics.ts";
import type { Registry } from "../object/registry.ts";
import type { EventRoutes, EventSink } from "../partition/events/ports.ts";

/** Sinks by their names; one without a `sink` goes nowhere. */
export type TestSinks = Readonly<Record<string, SinkTopics & { readonly sink?: EventSink }>>;

/** A sink that keeps what it gets. */
export function memorySink(events: PublicEvent[]): EventSink {
  return {
    limits: { events: 100, bytes: 1024 * 1024, messages: 1 },
    patience: undefined,
    send: async (some) => {
      events.push(...some);
    },
  };
}

export function testRoutes({ types }: Registry, given: TestSinks): EventRoutes {
  const sinks = new Map<string, EventSink>();
  for (const [name, { sink }] of Object.entries(given)) if (sink !== undefined) sinks.set(name, sink);
  return { sinks, topics: sinksOfTopics(types, given) };
}
