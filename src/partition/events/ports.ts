import type { PublicEvent } from "../../object/event.ts";

/** Where events go to: a webhook, a table, a queue. */
export interface EventSink {
  /** What it takes at once. */
  readonly limits: {
    /** Events in one message. */
    readonly events: number;
    /** Bytes of them, roughly. */
    readonly bytes: number;
    /** Messages that may be under way, never two with events of one object. */
    readonly messages: number;
  };
  /** Ms after which an event that it does not get is set aside; undefined: it is tried for ever. */
  readonly patience: number | undefined;
  /**
   * Resolves when it has all of them. Those of one object are in order. Anything else means that it may have any of them: they come
   * again.
   * @throws EventRefused when it will not take what it was given, whenever it comes
   */
  send(events: readonly PublicEvent[]): Promise<void>;
}

/** A sink does not take an event for what it is. */
export class EventRefused extends Error {}

/** The sinks of a deployment, and what goes where. */
export interface EventRoutes {
  readonly sinks: ReadonlyMap<string, EventSink>;
  /** Names of the sinks of every topic: none for what is to go nowhere. */
  readonly topics: ReadonlyMap<string, readonly string[]>;
}
