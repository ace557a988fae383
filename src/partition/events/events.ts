import type { EventDecision, EventVerdict, SinkStatus } from "../../router/event-views.ts";
import type { CommitMember } from "../storage/commit-unit.ts";
import { type EventPlace, eventBytes, type StoredEvent } from "../storage/event-rows.ts";
import type { HashRange } from "../storage/shard-rows.ts";
import type { EventStreamParts } from "./event-parts.ts";
import { EventStream } from "./event-stream.ts";
import type { EventOwner } from "./event-table.ts";
import type { EventRoutes } from "./ports.ts";

interface Parts extends Omit<EventStreamParts, "mine"> {
  readonly routes: EventRoutes;
  readonly shardAt: (position: number) => number;
  /** Whether the shard of a position is served here. */
  readonly served: (position: number) => boolean;
}

type Decision = Exclude<EventDecision, { readonly movedTo: string }>;

/** The events of a partition's objects, on their way to their sinks ([EVT1]). Sinks do not hold one another up. */
export class Events {
  readonly #parts: Parts;
  readonly #streams = new Map<string, EventStream>();
  /** Shards whose events are another partition's to send, or soon. */
  readonly #released = new Set<number>();

  constructor(parts: Parts) {
    this.#parts = parts;
    const { served, shardAt, routes } = parts;
    const mine = (position: number) => served(position) && !this.#released.has(shardAt(position));
    for (const [name, sink] of routes.sinks) {
      this.#streams.set(name, new EventStream(name, sink, 0, { ...parts, mine }));
    }
  }

  /** Events in memory. */
  get pending(): number {
    let pending = 0;
    for (const stream of this.#streams.values()) pending += stream.pending;
    return pending;
  }

  get status(): SinkStatus[] {
    const sizes = new Map(this.#parts.table.sizes().map((size) => [size.sink, size]));
    const names = new Set([...this.#streams.keys(), ...sizes.keys()]);
    return [...names].sort().map((sink) => {
      const { rows = 0, dead = 0, bytes = 0 } = sizes.get(sink) ?? {};
      const trouble = this.#streams.get(sink)?.trouble ?? null;
      return { sink, waiting: rows - dead, dead, bytes: bytes + rows * eventBytes({ bytes: 0 }), trouble };
    });
  }

  /** When to be woken if this process ends; undefined when there is nothing to do. */
  get wakeTime(): number | undefined {
    let time: number | undefined;
    for (const { wakeTime } of this.#streams.values()) {
      if (wakeTime !== undefined) time = Math.min(time ?? wakeTime, wakeTime);
    }
    return time;
  }

  /** Events that were set aside, or whose sink is not there, in order of their keys. */
  aside(after: EventPlace | undefined, limit: number): Omit<StoredEvent, "data">[] {
    return this.#parts.table.aside([...this.#streams.keys()], after, limit);
  }

  /** Sends an event that was set aside once more, or removes it. Durable when it resolves. */
  async decide(verdict: EventVerdict, owner: EventOwner, eventId: string, sink: string): Promise<Decision> {
    const { table, commit } = this.#parts;
    const event = table.find(owner, eventId, sink);
    const stream = this.#streams.get(sink);
    if (event === undefined) return { found: false };
    if (verdict === "retry" && stream === undefined) return { refused: "the host has no such sink" };
    if (event.status === "waiting" && stream !== undefined) return { refused: "the event waits to be sent" };
    const alone: CommitMember = { unit: undefined };
    if (verdict === "retry") commit.add(alone, table.change, { place: event.place, error: null });
    else commit.add(alone, table.remove, event);
    await commit.durable(alone);
    stream?.reload(owner, this.#bytes().get(sink) ?? 0);
    return { found: true };
  }

  /** The streams that a topic's events go to. */
  *streamsOf(topic: string): Generator<[sink: string, stream: EventStream]> {
    for (const sink of this.#parts.routes.topics.get(topic) ?? []) {
      const stream = this.#streams.get(sink);
      if (stream !== undefined) yield [sink, stream];
    }
  }

  resume(range?: HashRange): void {
    this.#parts.table.saw(range);
    const bytes = this.#bytes();
    for (const [name, stream] of this.#streams) stream.resume(bytes.get(name) ?? 0, range);
    const lost = [...bytes.keys()].filter((name) => !this.#streams.has(name));
    if (range !== undefined || lost.length === 0) return;
    this.#parts.observer.warn("events wait for sinks that this host does not have", { sinks: lost });
  }

  cleared(): void {
    const bytes = this.#bytes();
    for (const [name, stream] of this.#streams) stream.cleared(bytes.get(name) ?? 0);
  }

  look(): void {
    for (const stream of this.#streams.values()) stream.look();
  }

  /** Lets the events of a shard go from memory. Until `admit` nothing is sent of it, or written. */
  release(shard: number): void {
    this.#released.add(shard);
    for (const stream of this.#streams.values()) stream.release();
  }

  /** The shard stays, or comes back another time. */
  admit(shard: number): void {
    this.#released.delete(shard);
  }

  stop(): void {
    for (const stream of this.#streams.values()) stream.stop();
  }

  #bytes(): Map<string, number> {
    const sizes = this.#parts.table.sizes();
    return new Map(sizes.map(({ sink, rows, bytes }) => [sink, bytes + rows * eventBytes({ bytes: 0 })]));
  }
}
