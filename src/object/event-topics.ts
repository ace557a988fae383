import { nearestName } from "../config/nearest-name.ts";
import type { TypeDefinition } from "./registry.ts";

/** What a sink takes: topics by their names, or all of them. */
export interface SinkTopics<Topic extends string = string> {
  readonly topics: readonly Topic[] | "*";
}

const SINK = /^[a-z][a-z0-9-]{0,31}$/;

/**
 * The sinks of every topic that a class declares.
 *
 * @throws Error when a sink's name can't be used, or it takes a topic that nobody emits, or nobody takes one that a class declares
 */
export function sinksOfTopics(
  types: readonly TypeDefinition[],
  sinks: Readonly<Record<string, SinkTopics>>,
): ReadonlyMap<string, readonly string[]> {
  const declared = new Map<string, string>();
  for (const { type, events } of types) for (const topic of events.keys()) declared.set(topic, type);
  const found = new Map<string, string[]>(Array.from(declared.keys(), (topic) => [topic, []]));
  for (const [name, { topics }] of Object.entries(sinks)) {
    if (!SINK.test(name)) {
      throw new Error(
        `Cannot use the sink "${name}": its name must be a small letter, then at most 31 small letters, digits and hyphens`,
      );
    }
    for (const topic of new Set(topics === "*" ? declared.keys() : topics)) {
      const taking = found.get(topic);
      if (taking === undefined) throw unknownTopic(name, topic, declared.keys());
      taking.push(name);
    }
  }
  for (const [topic, taking] of found) {
    if (taking.length > 0) continue;
    throw new Error(
      `Cannot serve type ${declared.get(topic)}: no sink takes its event "${topic}". Name it among the topics of a sink, in the option ` +
        `"events" of defineHost; if it is to go nowhere, of one of kind "none"`,
    );
  }
  return found;
}

function unknownTopic(sink: string, topic: string, topics: Iterable<string>): Error {
  const nearest = nearestName(topic, topics);
  const guess = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return new Error(`Cannot use the sink "${sink}": no class declares an event "${topic}"${guess}`);
}
