import type * as z from "zod";

/** Schemas of the events that objects of a class tell the outside, by their topics. */
export type EventSchemas = Readonly<Record<string, z.ZodType>>;

/** The topics of the events of a class. */
export type TopicOf<Class extends { readonly events: EventSchemas }> = Class extends unknown
  ? keyof Class["events"] & string
  : never;

/** What `this.emit` takes for a topic: what its schema takes. */
export type EventData<Schemas, Topic extends keyof Schemas> = Schemas[Topic] extends z.ZodType
  ? z.input<Schemas[Topic]>
  : never;

/** An event as sinks get it: a CloudEvent (CloudEvents 1.0, with the extensions `sequence` and `traceparent`). */
export interface PublicEvent {
  readonly specversion: "1.0";
  /** The same however often the event comes, and of no other one. */
  readonly id: string;
  /** `/objects/<type>`. */
  readonly source: string;
  /** The topic. */
  readonly type: string;
  /** The object's id. */
  readonly subject: string;
  /** When its turn started (RFC 3339). */
  readonly time: string;
  /** Grows, as text, from one event of an object to the next. */
  readonly sequence: string;
  readonly datacontenttype: "application/json";
  readonly traceparent?: string;
  readonly data: unknown;
}

const TOPIC = /^[A-Za-z][A-Za-z0-9._-]{0,127}$/;

/** Why a topic can't be used; undefined when it can. */
export function topicFault(topic: string): string | undefined {
  if (TOPIC.test(topic)) return undefined;
  return "must be a letter, then at most 127 letters, digits, dots, underscores and hyphens";
}
