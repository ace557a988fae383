import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CallKey } from "../../reliable/call-record.ts";
import type { CausedCall } from "../../reliable/caused-calls.ts";
import type { ObjectRef } from "../../router/directory.ts";
import type { CommitMember } from "../storage/commit-unit.ts";
import { type Message, messageBytes } from "../storage/message-rows.ts";
import { readable } from "../storage/refusal.ts";
import { TableReads } from "../turns/table-reads.ts";
import { AtOnce, type Take } from "./at-once.ts";
import { Deliveries, type DeliveryParts } from "./deliveries.ts";
import { Reading } from "./reading.ts";
import { Room } from "./room.ts";
import { type Part, Sending } from "./sending.ts";

export interface OutboxParts extends DeliveryParts {
  readonly shardAt: (position: number) => number;
  /** Whether the shard of a position is served here. */
  readonly served: (position: number) => boolean;
  readonly take: Take;
  readonly partOf: (object: ObjectRef) => Part;
  /** The partition that probably has an object. */
  readonly owner: (object: ObjectRef) => string;
  readonly config: { readonly callTimeout: number; readonly outbox: number };
}

/** Messages that come due and are read at once. */
const SOME = 5_000;
/** Characters of requests that are kept in memory until they leave; others are read again. */
const REQUESTS = 4 * 1024 * 1024;

/**
 * Delivers what objects have committed to send ([CALL7]). What becomes of a message:
 *
 * | step             | durable                               | a crash here                                     |
 * |------------------|---------------------------------------|--------------------------------------------------|
 * | sent by a turn   | – (part of the turn)                  | the turn never was                               |
 * | commit           | its row, with what the turn did       | the next process reads it                        |
 * | accepted         | the receiver's `pending` row or mark  | it is sent again: the receiver knows the call id |
 * | outcome, if asked | the same                              | it is asked for again                            |
 * | outcome told     | `pending` row or mark of the sender   | the same, under `<call id>.outcome`                 |
 * | removed          | no row                                | –                                                |
 *
 * A message for an object of this partition is taken by it in the commit of its sender, if it can be, and no row is stored:
 * see `AtOnce`.
 *
 * Messages from one object to another leave in order: each when the one before is accepted. A shard that moves takes its rows
 * along: once no turn of it runs, nothing more is written of them here, whatever is under way. The next owner sends them again.
 * What is in memory is bounded (`Room`). The rest is read from the table in the order of its keys: by sender, in order.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #deliveries: Deliveries;
  readonly #room: Room;
  readonly #reading: Reading;
  readonly #reads: TableReads;
  readonly #atOnce: AtOnce;
  /** Shards whose messages are another partition's to send, or soon. */
  readonly #released = new Set<number>();
  /** Bytes of messages that are about to be stored. */
  #coming = 0;
  /** Characters of requests in memory. */
  #requests = 0;
  /** Delayed messages up to this time have been looked at. */
  #looked = 0;
  #sent = 0;
  /** Messages that their receivers took in the commits of their senders. */
  #taken = 0;
  /** How often the table was read and that is not durable yet; and which messages were dealt with meanwhile. */
  #unsettled = 0;
  readonly #gone = new Set<string>();

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#reads = new TableReads(parts, () => this.look());
    this.#deliveries = new Deliveries(parts, {
      current: (sending) => this.#has(sending),
      done: (sending) => this.#forget(sending),
    });
    this.#atOnce = new AtOnce({
      ...parts,
      first: (message) => this.#deliveries.isFirst(message) && this.#room.hasAll(() => parts.partOf(message.to)),
      onRow: () => this.#reads.wakeFor(this.#reads.soon),
    });
    this.#room = new Room(parts.owner, (sending) => this.#letGo(sending));
    this.#reading = new Reading({
      table: parts.table,
      room: this.#room,
      take: (messages, from) => this.#takeAll(messages, from),
      surely: (action) => this.#reads.surely(action),
      whenDurable: (action) => this.#whenDurable(action),
    });
  }

  /** Messages that are stored, and roughly how many bytes they take. */
  get size(): { readonly rows: number; readonly bytes: number } {
    return this.#parts.table.size;
  }

  /** What an object has sent during a call and what is not delivered, in order. */
  sentDuring(position: number, cause: CallKey, limit: number): CausedCall[] {
    return this.#parts.table.sentDuring(position, cause, limit);
  }

  /** Messages in memory. */
  get pending(): number {
    return this.#room.size;
  }

  /** What it has done since it started. */
  get stats() {
    const { delivered, ...stats } = this.#deliveries.stats;
    return { sent: this.#sent, delivered: delivered + this.#taken, ...stats };
  }

  /** When to be woken if this process ends; undefined when there is nothing to do. */
  get wakeTime(): number | undefined {
    const { table } = this.#parts;
    let time = table.nextDue(this.#looked) ?? Number.POSITIVE_INFINITY;
    const soon = this.#atOnce.busy || this.#reading.underWay || (this.#room.more && this.#room.size === 0);
    if (soon) time = Math.min(time, this.#reads.soon);
    for (const sending of this.#room.all()) time = Math.min(time, this.#deliveries.wakeTime(sending) ?? time);
    return time === Number.POSITIVE_INFINITY ? undefined : time;
  }

  /** @throws EdgeverseError `OVERLOADED` when messages of `bytes` more may not be taken */
  checkRoom(bytes: number): void {
    const { table, config } = this.#parts;
    const size = readable(() => table.size);
    if (size.bytes + this.#coming + bytes <= config.outbox) return;
    throw new EdgeverseError(
      "OVERLOADED",
      `The objects of this partition have ${size.rows} messages to send: ${size.bytes} bytes of ${config.outbox}`,
      { retryAfter: 5 },
    );
  }

  /** Delivers messages in the commit of what `owner` does, or stores them with it, and sends them when that is durable. */
  publish(owner: CommitMember, messages: readonly Message[]): void {
    const { commit, now } = this.#parts;
    const bytes = messages.reduce((sum, message) => sum + messageBytes(message), 0);
    const rows = new Set<Message>();
    this.#coming += bytes;
    for (const message of messages) this.#atOnce.add(owner, message, rows);
    commit.settled(owner, (error) => {
      this.#coming -= bytes;
      this.#atOnce.done(rows);
      if (error !== undefined || this.#reads.stopped) return;
      this.#sent += messages.length;
      this.#taken += messages.length - rows.size;
      for (const message of rows.size === 0 ? [] : messages)
        if (rows.has(message) && message.due <= now()) this.#take(this.#sending(message), "new");
      if (messages.some(({ due }) => due > 0)) this.#reads.surely(() => this.#await());
    });
  }

  /** Goes on with what is in the table, when the process starts and when a shard has come. */
  resume(): void {
    this.#reads.surely(() => {
      const { table, wakeBy } = this.#parts;
      table.recount();
      this.#readAll();
      this.#await();
      const { wakeTime } = this;
      if (wakeTime !== undefined) wakeBy(wakeTime);
    });
  }

  /** The rows of shards that have left are gone. */
  cleared(): void {
    this.#parts.table.recount();
  }

  /** Looks for delayed messages whose time has come, and tries again what waits for a parked call. */
  look(): void {
    const { table, now } = this.#parts;
    const due = table.due(this.#looked, SOME);
    if (due.length === SOME) this.#readAll();
    else this.#whenDurable(() => this.#takeAll(due, "new"));
    this.#looked = now();
    for (const sending of this.#room.all()) {
      if (sending.again === undefined || sending.again > now()) continue;
      sending.again = undefined;
      this.#deliveries.goOn(sending);
    }
    // What was for a silent partition may be for another one by now.
    if (this.#room.more) this.#reading.begin(false);
    this.#await();
  }

  /** Lets the messages of a shard go from memory; they are in the table. Until `admit` nothing is sent of it, or written. */
  release(shard: number): void {
    this.#released.add(shard);
    for (const sending of this.#room.all()) {
      if (this.#parts.shardAt(sending.position) === shard) this.#drop(sending);
    }
    this.#parts.table.recount();
    this.#reading.beginIfWanted();
  }

  /** The shard stays, or comes back another time. */
  admit(shard: number): void {
    this.#released.delete(shard);
  }

  stop(): void {
    this.#reads.stop();
    this.#atOnce.stop();
    this.#room.clear();
  }

  /** Whether this process still sends it, and may write of it. */
  #has(sending: Sending): boolean {
    return (
      !this.#reads.stopped && this.#room.has(sending) && !this.#released.has(this.#parts.shardAt(sending.position))
    );
  }

  /** Whether it is this process's to send. What is taken in before that would be in the way when its shard comes back. */
  #mayLeave({ position }: Sending): boolean {
    const { served, shardAt } = this.#parts;
    return served(position) && !this.#released.has(shardAt(position));
  }

  #sending(message: Message): Sending {
    const { fresh, request, ...rest } = message;
    const keep = this.#requests + message.bytes <= REQUESTS;
    return new Sending({ ...rest, request: keep ? request : undefined }, this.#parts.partOf(message.to));
  }

  #take(sending: Sending, from: "new" | "read" | "aside"): void {
    if (!this.#mayLeave(sending) || !this.#room.take(sending, from)) return;
    if (sending.message.request !== undefined) this.#requests += sending.message.bytes;
    this.#deliveries.add(sending);
  }

  /** Takes in what was in the table, unless it is no more. */
  #takeAll(messages: readonly Message[], from: "new" | "read" | "aside"): void {
    for (const message of messages) {
      const sending = this.#sending(message);
      if (!this.#gone.has(sending.key)) this.#take(sending, from);
    }
  }

  #readAll(): void {
    this.#looked = this.#parts.now();
    this.#reading.begin(true);
  }

  /** Calls back when what was read is durable: before that nobody may hear of it. */
  #whenDurable(action: () => void): void {
    this.#unsettled++;
    this.#settled(() => {
      action();
      if (--this.#unsettled === 0) this.#gone.clear();
    });
  }

  #settled(action: () => void): void {
    this.#parts.commit.settled(null, (error) => {
      if (this.#reads.stopped) return;
      if (error === undefined) action();
      else this.#reads.later(() => this.#settled(action));
    });
  }

  #forget(sending: Sending): void {
    if (this.#unsettled > 0) this.#gone.add(sending.key);
    this.#drop(sending);
    this.#reading.beginIfWanted();
  }

  #drop(sending: Sending): void {
    this.#room.delete(sending);
    this.#letGo(sending);
  }

  #letGo(sending: Sending): void {
    if (sending.message.request !== undefined) this.#requests -= sending.message.bytes;
    this.#deliveries.remove(sending);
  }

  /** Sees to it that the next delayed message leaves in time. */
  #await(): void {
    this.#reads.lookAt(this.#parts.table.nextDue(this.#looked));
  }
}
