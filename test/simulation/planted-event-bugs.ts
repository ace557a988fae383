import { EventShipping } from "../../src/partition/events/event-shipping.ts";
import { EventStream } from "../../src/partition/events/event-stream.ts";
import { EventTable } from "../../src/partition/events/event-table.ts";
import { instead, type PlantedBug } from "./plant.ts";

let copies = 0;
const numbers = new WeakMap<EventTable, number>();

/** Bugs of events that one could make. */
export const EVENT_BUGS: Readonly<Record<string, PlantedBug>> = {
  "events are not read again after a crash": {
    plant: instead(EventTable.prototype, "waiting", () => () => []),
    within: 200,
    seed: 11,
  },
  "events that come with a shard are left lying": {
    plant: instead(
      EventStream.prototype,
      "resume",
      (real) =>
        function (this: EventStream, bytes, range) {
          if (range === undefined) real.call(this, bytes);
        },
    ),
    within: 400,
  },
  "an event is sent again under another id": {
    plant: instead(
      EventTable.prototype,
      "read",
      (real) =>
        function (this: EventTable, heads) {
          return real.call(this, heads).map((event) => ({ ...event, eventId: `copy-${copies++}` }));
        },
    ),
    within: 100,
  },
  "events of one object are in two messages at once": {
    plant: instead(
      EventShipping.prototype,
      "add",
      (real) =>
        function (this: EventShipping, lane) {
          lane.busy = false;
          real.call(this, lane);
        },
    ),
    within: 200,
  },
  "a process numbers its events from the beginning": {
    plant: instead(
      EventTable.prototype,
      "nextNumber",
      () =>
        function (this: EventTable) {
          const number = (numbers.get(this) ?? 0) + 1;
          numbers.set(this, number);
          return String(number).padStart(16, "0");
        },
    ),
    within: 200,
  },
};
