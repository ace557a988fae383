import { nearestName } from "../../config/nearest-name.ts";
import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import { copyRequest } from "../../object/outgoing-call.ts";
import { parseRequest } from "../../object/request.ts";
import type { Random } from "../../platform/ports.ts";
import { newCallId } from "../../reliable/call-id.ts";
import { eventBytes, type StoredEvent } from "../storage/event-rows.ts";
import type { MemoryBudget } from "../turns/memory-budget.ts";
import type { Turn } from "../turns/turn.ts";
import { TurnEffects } from "../turns/turn-effect.ts";
import { TurnRows } from "../turns/turn-rows.ts";
import type { EventTable } from "./event-table.ts";
import type { Events } from "./events.ts";

interface Parts {
  readonly random: Random;
  readonly table: EventTable;
  readonly memory: MemoryBudget;
  readonly events: Events;
}

/** Bytes of an event's data: with the rest of it, less than the 128 KB of a message of Cloudflare Queues. */
const MOST = 96 * 1024;

const encoder = new TextEncoder();

/** Makes what `this.emit` reaches: an event for each of its topic's sinks, which commits with the turn. It gives the event's id. */
export function turnEvents({ random, table, memory, events }: Parts) {
  return (turn: Turn, topic: string, event: unknown): string => {
    turn.checkMutable("emit from");
    const { activation, context, startedAt: time } = turn;
    const { definition, position, id, epoch } = activation;
    const schema = definition.events.get(topic);
    if (schema === undefined) throw notDeclared(definition.type, topic, definition.events.keys());
    const name = `the event "${topic}" of ${definition.type}`;
    const parsed = parseRequest({ name, request: schema }, copyRequest(event, MOST));
    const data = JSON.stringify(copyRequest(parsed, MOST) ?? null);
    const eventId = newCallId(time, random.uuid());
    const number = table.nextNumber();
    const bytes = encoder.encode(data).byteLength;
    for (const [sink, stream] of events.streamsOf(topic)) {
      const make = () =>
        new TurnRows<StoredEvent>(activation, {
          memory,
          box: stream,
          bytesOf: eventBytes,
          verb: "emit",
          noun: "events",
        });
      TurnEffects.of(turn)
        .of(`events ${sink}`, make)
        .add({
          place: [position, definition.type, id, `${number}.${sink}`],
          sink,
          eventId,
          topic,
          epoch,
          time,
          traceparent: context.traceparent ?? null,
          error: null,
          bytes,
          data,
        });
    }
    return eventId;
  };
}

function notDeclared(type: string, topic: string, topics: Iterable<string>): EdgeverseError {
  const nearest = nearestName(topic, topics);
  const guess = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return new EdgeverseError("INVALID_ARGUMENT", `${type} declares no event "${topic.slice(0, 80)}"${guess}`);
}
