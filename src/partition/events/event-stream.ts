import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CommitMember } from "../storage/commit-unit.ts";
import { type EventHead, eventBytes, type StoredEvent } from "../storage/event-rows.ts";
import type { HashRange } from "../storage/shard-rows.ts";
import { TableReads } from "../turns/table-reads.ts";
import { EventLane } from "./event-lane.ts";
import type { EventStreamParts } from "./event-parts.ts";
import { EventShipping } from "./event-shipping.ts";
import type { EventOwner } from "./event-table.ts";
import type { EventSink } from "./ports.ts";

/** Events in memory: the others are in the table, and follow in order. */
const IN_MEMORY = 5_000;

/**
 * The events of a partition on their way to one sink ([EVT1]). What becomes of an event:
 *
 * | step              | durable                       | a crash here                          |
 * |-------------------|-------------------------------|---------------------------------------|
 * | emitted by a turn | – (part of the turn)          | the turn never was                    |
 * | commit            | its row, with the turn's work | the next process reads it             |
 * | sent              | at the sink, perhaps          | it is sent again, under the same id   |
 * | acknowledged      | at the sink                   | the same                              |
 * | removed           | no row                        | –                                     |
 *
 * The events of one object leave in order: those that were not acknowledged yet come before, or in the same message. A shard
 * that moves takes its rows along, whatever is under way: what may have arrived comes again from the next owner, first.
 */
export class EventStream {
  readonly #name: string;
  readonly #parts: EventStreamParts;
  readonly #shipping: EventShipping;
  readonly #reads: TableReads;
  readonly #lanes = new Map<string, EventLane>();
  #known = 0;
  /** The table has events that are not in memory, and not behind others of their object. */
  #more = false;
  /** Bytes of events that are about to be stored. */
  #coming = 0;
  #bytes: number;

  /** @param bytes what is in the table */
  constructor(name: string, sink: EventSink, bytes: number, parts: EventStreamParts) {
    this.#name = name;
    this.#parts = parts;
    this.#reads = new TableReads({ ...parts, now: () => parts.clock.now() }, () => this.look());
    this.#bytes = bytes;
    this.#shipping = new EventShipping(name, sink, parts, {
      current: (lane) => this.#has(lane),
      passed: (lane, heads) => this.#passed(lane, heads),
    });
  }

  /** Events in memory. */
  get pending(): number {
    return this.#known;
  }

  /** Why the sink did not take what it was given last; undefined while it takes all. */
  get trouble(): string | undefined {
    return this.#shipping.trouble;
  }

  /** When to be woken if this process ends; undefined when there is nothing to do. */
  get wakeTime(): number | undefined {
    const { soon } = this.#reads;
    let time = this.#more || this.#coming > 0 ? soon : undefined;
    for (const { again = soon } of this.#lanes.values()) time = Math.min(time ?? again, again);
    return time;
  }

  /** @throws EdgeverseError `OVERLOADED` when events of `bytes` more may not be taken */
  checkRoom(bytes: number): void {
    const { events } = this.#parts.config;
    if (this.#bytes + this.#coming + bytes <= events) return;
    throw new EdgeverseError(
      "OVERLOADED",
      `The sink "${this.#name}" has yet to get ${this.#bytes} bytes of events from this partition, of ${events} at most`,
      { retryAfter: 5 },
    );
  }

  /** Stores events with what `owner` does, and sends them when that is durable. */
  publish(owner: CommitMember, events: readonly StoredEvent[]): void {
    const { commit, table } = this.#parts;
    const bytes = events.reduce((sum, event) => sum + eventBytes(event), 0);
    this.#coming += bytes;
    for (const event of events) commit.add(owner, table.insert, event);
    this.#reads.wakeFor(this.#reads.soon);
    commit.settled(owner, (error) => {
      this.#coming -= bytes;
      if (error !== undefined || this.#reads.stopped) return;
      this.#bytes += bytes;
      for (const { place, time, bytes: size } of events) this.#add({ place, time, bytes: size });
      this.#shipping.ship();
    });
  }

  /** Goes on with what is in the table: all of it, or what came with a shard. @param bytes what is in the table */
  resume(bytes: number, range?: HashRange): void {
    this.#bytes = bytes;
    if (bytes === 0) return;
    this.#load(range);
    this.#parts.wakeBy(this.#reads.soon);
  }

  /** Rows of shards that have left are gone. */
  cleared(bytes: number): void {
    this.#bytes = bytes;
    this.#refill();
  }

  /** Goes on with what waits to be tried again. */
  look(): void {
    this.#shipping.look(this.#lanes.values());
    this.#refill();
  }

  /** Lets what is not this process's to send go from memory; it is in the table. */
  release(): void {
    for (const lane of this.#lanes.values()) if (!this.#parts.mine(lane.position)) this.#drop(lane);
    this.#refill();
  }

  /** Reads the events of an object anew: some were taken up again, or removed. @param bytes what is in the table */
  reload(owner: EventOwner, bytes: number): void {
    this.#bytes = bytes;
    const lane = this.#lanes.get(EventLane.keyOf(owner));
    if (lane !== undefined) this.#drop(lane);
    this.#loadLane(owner);
  }

  stop(): void {
    this.#reads.stop();
    this.#lanes.clear();
    this.#shipping.stop();
  }

  #has(lane: EventLane): boolean {
    return (
      !this.#reads.stopped && this.#lanes.get(EventLane.keyOf(lane.owner)) === lane && this.#parts.mine(lane.position)
    );
  }

  #add(head: EventHead): void {
    const [position, type, id] = head.place;
    if (!this.#parts.mine(position)) return;
    if (this.#more || this.#known >= IN_MEMORY) {
      this.#more = true;
      return;
    }
    const key = EventLane.keyOf(head.place);
    const lane = this.#lanes.get(key) ?? new EventLane([position, type, id]);
    if (!lane.add(head)) return;
    this.#lanes.set(key, lane);
    this.#known++;
    this.#shipping.add(lane);
  }

  #load(range?: HashRange): void {
    this.#reads.surely(() => {
      const limit = IN_MEMORY + 1;
      // What an earlier load left in the table may not be forgotten over a shard that comes.
      const heads = this.#parts.table.waiting(this.#name, limit, EventLane.most + 1, this.#more ? undefined : range);
      this.#more = false;
      for (const head of heads) this.#add(head);
      if (heads.length === limit) this.#more = true;
      this.#shipping.ship();
    });
  }

  #loadLane(owner: EventOwner): void {
    this.#reads.surely(() => {
      for (const head of this.#parts.table.waitingOf(this.#name, owner, EventLane.most + 1)) this.#add(head);
      this.#shipping.ship();
    });
  }

  /** The first events of a lane have no row any more, or were set aside. */
  #passed(lane: EventLane, heads: readonly EventHead[]): void {
    for (const head of heads) this.#bytes -= eventBytes(head);
    this.#known -= lane.heads.length;
    const { more } = lane;
    lane.passed(heads.length);
    this.#known += lane.heads.length;
    if (lane.heads.length > 0) this.#shipping.add(lane);
    else {
      this.#lanes.delete(EventLane.keyOf(lane.owner));
      if (more) this.#loadLane(lane.owner);
    }
    this.#refill();
  }

  /** Takes in what did not fit into memory, as soon as half of it is free. */
  #refill(): void {
    if (this.#more && this.#known <= IN_MEMORY / 2) this.#load();
  }

  #drop(lane: EventLane): void {
    this.#lanes.delete(EventLane.keyOf(lane.owner));
    this.#known -= lane.heads.length;
  }
}
