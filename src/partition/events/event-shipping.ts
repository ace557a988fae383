import { within } from "../../platform/within.ts";
import { retryDelay } from "../../reliable/call-state.ts";
import { type EventHead, eventBytes, type StoredEvent } from "../storage/event-rows.ts";
import type { EventLane } from "./event-lane.ts";
import type { EventStreamParts } from "./event-parts.ts";
import { EventRefused, type EventSink } from "./ports.ts";
import { publicEvent } from "./public-event.ts";

interface Callbacks {
  /** Whether the lane is this process's to send, and the one in memory. */
  current(lane: EventLane): boolean;
  /** The first events of a lane have no row any more. */
  passed(lane: EventLane, heads: readonly EventHead[]): void;
}

/** First events of a lane, in a message. */
interface Parcel {
  readonly lane: EventLane;
  readonly heads: readonly EventHead[];
}

/** Ms that a sink may take for one message. */
const ANSWER_WITHIN = 15_000;
/** Ms that a sink may refuse an event before it is set aside: whoever receives it may be about to be mended. */
const REFUSED_FOR = 15 * 60_000;

/** Takes events from their lanes to a sink, a bounded number of messages at a time. Each step ends once its lane is not current. */
export class EventShipping {
  readonly #name: string;
  readonly #sink: EventSink;
  readonly #parts: EventStreamParts;
  readonly #callbacks: Callbacks;
  /** Lanes of which something can be sent, in turn. */
  readonly #line = new Set<EventLane>();
  #messages = 0;
  #stopped = false;
  /** Why the sink did not take what it was given last. */
  trouble: string | undefined;

  constructor(name: string, sink: EventSink, parts: EventStreamParts, callbacks: Callbacks) {
    this.#name = name;
    this.#sink = sink;
    this.#parts = parts;
    this.#callbacks = callbacks;
  }

  /** The lane has events; `ship` sends them. */
  add(lane: EventLane): void {
    if (lane.ready) this.#line.add(lane);
  }

  /** Goes on with lanes whose time has come. */
  look(lanes: Iterable<EventLane>): void {
    const now = this.#parts.clock.now();
    for (const lane of lanes) if (lane.again !== undefined && lane.again <= now) this.#goOn(lane);
    this.ship();
  }

  /** Sends what can be sent. */
  ship(): void {
    while (!this.#stopped && this.#messages < this.#sink.limits.messages) {
      const parcels = this.#take();
      if (parcels.length === 0) return;
      this.#messages++;
      void this.#send(parcels).finally(() => {
        this.#messages--;
        this.ship();
      });
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#line.clear();
  }

  /** The next message: first events of lanes in turn, as many as the sink takes. */
  #take(): Parcel[] {
    const { limits } = this.#sink;
    const parcels: Parcel[] = [];
    let events = 0;
    let bytes = 0;
    for (const lane of this.#line) {
      if (events >= limits.events || bytes >= limits.bytes) break;
      if (lane.alone && events > 0) continue;
      this.#line.delete(lane);
      if (!this.#callbacks.current(lane) || !lane.ready) continue;
      const heads: EventHead[] = [];
      for (const head of lane.heads) {
        const size = eventBytes(head);
        if (events > 0 && (events >= limits.events || bytes + size > limits.bytes)) break;
        heads.push(head);
        events++;
        bytes += size;
        if (lane.alone) break;
      }
      if (heads.length === 0) {
        this.#line.add(lane);
        break;
      }
      lane.busy = true;
      parcels.push({ lane, heads });
      if (lane.alone) break;
    }
    return parcels;
  }

  async #send(parcels: readonly Parcel[]): Promise<void> {
    const { clock, table } = this.#parts;
    try {
      const heads = parcels.flatMap((parcel) => parcel.heads);
      const events = table.read(heads).map(publicEvent);
      const late = () => new Error("the sink did not answer in time");
      if (events.length > 0) await within(clock, ANSWER_WITHIN, this.#sink.send(events), late);
      this.trouble = undefined;
      for (const parcel of parcels) this.#sent(parcel);
    } catch (error) {
      this.trouble = error instanceof Error ? error.message : String(error);
      this.#failed(parcels, error);
    }
  }

  /** The sink has them: their rows go. */
  #sent({ lane, heads }: Parcel): void {
    if (!this.#callbacks.current(lane)) return;
    const { commit, table } = this.#parts;
    for (const head of heads) commit.add(lane, table.remove, head);
    this.#pass({ lane, heads });
  }

  #pass({ lane, heads }: Parcel): void {
    this.#parts.commit.settled(lane, (error) => {
      if (!this.#callbacks.current(lane)) return;
      if (error !== undefined) this.#again(lane);
      else {
        this.#callbacks.passed(lane, heads);
        this.ship();
      }
    });
  }

  #failed(parcels: readonly Parcel[], error: unknown): void {
    const refused = error instanceof EventRefused;
    const [first, ...others] = parcels;
    // Nobody knows yet which of them it was.
    const together = refused && (others.length > 0 || (first?.heads.length ?? 0) > 1);
    for (const { lane, heads } of parcels) {
      if (!this.#callbacks.current(lane)) continue;
      if (together) {
        lane.alone = true;
        this.#goOn(lane);
      } else if (this.#isHopeless(lane, heads, refused)) this.#setAside(lane, heads[0] as EventHead, error);
      else this.#again(lane);
    }
  }

  #isHopeless(lane: EventLane, [head]: readonly EventHead[], refused: boolean): boolean {
    const now = this.#parts.clock.now();
    if (refused) lane.refusedAt ??= now;
    if (refused && now - (lane.refusedAt ?? now) >= REFUSED_FOR) return true;
    const { patience } = this.#sink;
    return patience !== undefined && now - (head?.time ?? now) >= patience;
  }

  /** It is an operator's to decide on now, and holds up no other. */
  #setAside(lane: EventLane, head: EventHead, error: unknown): void {
    const { commit, table, observer } = this.#parts;
    const reason = error instanceof Error ? error.message : String(error);
    const event: StoredEvent | undefined = table.read([head])[0];
    commit.add(lane, table.change, { place: head.place, error: reason });
    commit.settled(lane, (failure) => {
      if (!this.#callbacks.current(lane)) return;
      if (failure !== undefined) {
        this.#again(lane);
        return;
      }
      const [, type, id] = lane.owner;
      const { eventId, topic } = event ?? {};
      observer.warn("an event can't be delivered, and is set aside", {
        sink: this.#name,
        type,
        id,
        topic,
        eventId,
        error: reason,
      });
      this.#callbacks.passed(lane, [head]);
      this.ship();
    });
  }

  /** Tries a lane again, later each time. */
  #again(lane: EventLane): void {
    const { clock, deadlines, wakeBy } = this.#parts;
    lane.busy = false;
    lane.failures++;
    const time = clock.now() + retryDelay(lane.failures);
    lane.again = time;
    try {
      wakeBy(time);
    } catch {
      // An earlier wake-up stands.
    }
    deadlines.add(time, () => {
      if (lane.again !== time || !this.#callbacks.current(lane)) return;
      this.#goOn(lane);
      this.ship();
    });
  }

  #goOn(lane: EventLane): void {
    lane.busy = false;
    lane.again = undefined;
    this.add(lane);
  }
}
