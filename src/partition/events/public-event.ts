import type { PublicEvent } from "../../object/event.ts";
import type { StoredEvent } from "../storage/event-rows.ts";

/** Digits of an epoch in `sequence`. */
const EPOCH = 10;

/** An event as sinks get it ([EVT3]). */
export function publicEvent({ place, eventId, topic, epoch, time, traceparent, data }: StoredEvent): PublicEvent {
  const [, type, id, n] = place;
  return {
    specversion: "1.0",
    id: eventId,
    source: `/objects/${type}`,
    type: topic,
    subject: id,
    time: new Date(time).toISOString(),
    // A place changes its owner only with a greater epoch, and under one epoch its owner's numbers grow.
    sequence: `${String(epoch).padStart(EPOCH, "0")}.${n.slice(0, n.indexOf("."))}`,
    datacontenttype: "application/json",
    ...(traceparent === null ? {} : { traceparent }),
    data: JSON.parse(data) as unknown,
  };
}
