import { EdgeverseError } from "../errors/edgeverse-error.ts";
import type {
  AsideEvents,
  AsidePlace,
  AsideQuery,
  EventDecision,
  EventKey,
  EventVerdict,
} from "../router/event-views.ts";
import type { PartitionCore } from "./core.ts";
import type { StoredEvent } from "./storage/event-rows.ts";

/** Events that their sinks did not take, for an operator to look at and to decide on ([EVT5]). */
export class AsideEventList {
  readonly #core: PartitionCore;

  constructor(core: PartitionCore) {
    this.#core = core;
  }

  list({ after, limit }: AsideQuery): AsideEvents {
    const { work, ownership } = this.#core;
    const found = work.events.aside(after, limit);
    // Rows of a shard that arrives or has left are listed by its owner.
    const owned = found.filter(({ place }) => ownership.epochAt(place[0]) !== undefined);
    const last = found.length < limit ? undefined : found.at(-1)?.place;
    return { events: owned.map(asideEvent), next: last === undefined ? null : ([...last] as AsidePlace) };
  }

  async decide(verdict: EventVerdict, { sink, type, id, eventId }: EventKey): Promise<EventDecision> {
    const { work, ownership } = this.#core;
    const located = ownership.locate(ownership.registry.placement(type, id));
    if (located.kind === "moved") return { movedTo: located.partition };
    if (located.kind === "gated")
      throw new EdgeverseError("UNAVAILABLE", "The object's shard is moving; nothing was changed");
    return work.events.decide(verdict, [located.position, type, id], eventId, sink);
  }
}

function asideEvent({ place, sink, eventId, topic, time, bytes, error }: Omit<StoredEvent, "data">) {
  return { sink, type: place[1], id: place[2], eventId, topic, time, bytes, error };
}
