import { EdgeverseError } from "../../errors/edgeverse-error.ts";
import type { CommitMember } from "../storage/commit-unit.ts";
import { type Message, messageBytes } from "../storage/message-rows.ts";
import { readable } from "../storage/refusal.ts";
import type { HashRange } from "../storage/shard-rows.ts";
import { Deliveries, type DeliveryParts } from "./deliveries.ts";
import { Sending } from "./sending.ts";

export interface OutboxParts extends DeliveryParts {
  readonly shardAt: (position: number) => number;
  /** Whether the shard of a position is served here. */
  readonly served: (position: number) => boolean;
  readonly config: { readonly callTimeout: number; readonly outbox: number };
}

/** Messages in memory: the others are in the table, and follow in order. */
const IN_MEMORY = 10_000;
/** Characters of requests that are kept in memory until they leave; others are read again. */
const REQUESTS = 4 * 1024 * 1024;
/** Ms that a message may be delayed by a timer. For longer delays the process need not stay. */
const TIMER = 10_000;
/** Ms until what could not be read is read again. */
const READ_AGAIN = 1_000;
/** Ms until a process that ended is woken to go on. */
const WAKE_AFTER = 5_000;

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
 * Messages from one object to another leave in order: each when the one before is accepted. A shard that moves takes its rows
 * along: once no turn of it runs, nothing more is written of them here, whatever is under way. The next owner sends them again.
 */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #deliveries: Deliveries;
  readonly #known = new Map<string, Sending>();
  /** Shards whose messages are another partition's to send, or soon. */
  readonly #released = new Set<number>();
  /** The table has messages that are not in memory and may leave. */
  #more = false;
  #stopped = false;
  /** Bytes of messages that are about to be stored. */
  #coming = 0;
  /** Characters of requests in memory. */
  #requests = 0;
  #timer: number | undefined;
  #sent = 0;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#deliveries = new Deliveries(parts, {
      current: (sending) => this.#has(sending),
      done: (sending) => this.#forget(sending),
    });
  }

  /** Messages that are stored, and roughly how many bytes they take. */
  get size(): { readonly rows: number; readonly bytes: number } {
    return this.#parts.table.size;
  }

  /** Messages in memory. */
  get pending(): number {
    return this.#known.size;
  }

  /** What it has done since it started. */
  get stats() {
    return { sent: this.#sent, ...this.#deliveries.stats };
  }

  /** When to be woken if this process ends; undefined when there is nothing to do. */
  get wakeTime(): number | undefined {
    const { table, now } = this.#parts;
    const soon = now() + WAKE_AFTER;
    let time = this.#more || this.#coming > 0 ? soon : table.nextDue();
    for (const { again = soon } of this.#known.values()) time = Math.min(time ?? again, again);
    return time;
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

  /** Stores messages with what `owner` does, and sends them when that is durable. */
  publish(owner: CommitMember, messages: readonly Message[]): void {
    const { commit, table, now, wakeBy } = this.#parts;
    const bytes = messages.reduce((sum, message) => sum + messageBytes(message), 0);
    this.#coming += bytes;
    for (const message of messages) commit.add(owner, table.insert, message);
    try {
      wakeBy(now() + WAKE_AFTER);
    } catch {
      // A storage that can't take the alarm can't take the rows either: then those who wait are told why.
    }
    commit.settled(owner, (error) => {
      this.#coming -= bytes;
      if (error !== undefined || this.#stopped) return;
      for (const message of messages) {
        table.count(message, 1);
        this.#sent++;
        if (message.due <= now()) this.#add(message);
      }
      if (messages.some(({ due }) => due > 0)) this.#surely(() => this.#await());
    });
  }

  /** Goes on with what is in the table: all of it, or what came with a shard. */
  resume(range?: HashRange): void {
    this.#surely(() => {
      const { table, wakeBy } = this.#parts;
      table.recount();
      if (table.size.rows === 0) return;
      this.#load(range);
      // They take little of the room: they may be many, and each is tried for long.
      for (const message of table.setAside(IN_MEMORY / 2 - this.#known.size, range)) this.#add(message);
      this.#await();
      const { wakeTime } = this;
      if (wakeTime !== undefined) wakeBy(wakeTime);
    });
  }

  /** The rows of shards that have left are gone. */
  cleared(): void {
    this.#parts.table.recount();
    this.#refill();
  }

  /** Looks for delayed messages whose time has come, and tries again what waits for a parked call. */
  look(): void {
    const { table, now } = this.#parts;
    for (const message of table.due(IN_MEMORY)) this.#add(message);
    for (const sending of this.#known.values()) {
      if (sending.again === undefined || sending.again > now()) continue;
      sending.again = undefined;
      this.#deliveries.goOn(sending);
    }
    this.#refill();
    this.#await();
  }

  /** Lets the messages of a shard go from memory; they are in the table. Until `admit` nothing is sent of it, or written. */
  release(shard: number): void {
    this.#released.add(shard);
    for (const sending of this.#known.values()) {
      if (this.#parts.shardAt(sending.position) === shard) this.#drop(sending);
    }
    this.#parts.table.recount();
    this.#refill();
  }

  /** The shard stays, or comes back another time. */
  admit(shard: number): void {
    this.#released.delete(shard);
  }

  stop(): void {
    this.#stopped = true;
    this.#known.clear();
  }

  /** Whether this process still sends it, and may write of it. */
  #has(sending: Sending): boolean {
    return (
      !this.#stopped &&
      this.#known.get(sending.key) === sending &&
      !this.#released.has(this.#parts.shardAt(sending.position))
    );
  }

  /** Whether it is this process's to send. What is taken in before that would be in the way when its shard comes back. */
  #mayLeave({ position }: Sending): boolean {
    const { served, shardAt } = this.#parts;
    return served(position) && !this.#released.has(shardAt(position));
  }

  #add(message: Message): void {
    const keep = this.#requests + message.bytes <= REQUESTS;
    const sending = new Sending(keep ? message : { ...message, request: undefined });
    if (this.#known.has(sending.key) || !this.#mayLeave(sending)) return;
    // Nothing may leave before what is not in memory.
    if (this.#more || this.#known.size >= IN_MEMORY) {
      this.#more = true;
      return;
    }
    this.#known.set(sending.key, sending);
    if (sending.message.request !== undefined) this.#requests += message.bytes;
    this.#deliveries.add(sending);
  }

  #load(range?: HashRange): void {
    const limit = IN_MEMORY + 1;
    // What an earlier load left in the table may not be forgotten over a shard that comes.
    const waiting = this.#parts.table.waiting(limit, this.#more ? undefined : range);
    this.#more = false;
    for (const message of waiting) this.#add(message);
    if (waiting.length === limit) this.#more = true;
  }

  #forget(sending: Sending): void {
    this.#drop(sending);
    this.#refill();
  }

  /** Takes in what did not fit into memory, as soon as half of it is free. */
  #refill(): void {
    if (this.#more && this.#known.size <= IN_MEMORY / 2) this.#surely(() => this.#load());
  }

  #drop(sending: Sending): void {
    this.#known.delete(sending.key);
    if (sending.message.request !== undefined) this.#requests -= sending.message.bytes;
    this.#deliveries.remove(sending);
  }

  /** Sees to it that the next delayed message leaves in time. */
  #await(): void {
    const { table, now, deadlines, wakeBy } = this.#parts;
    const due = table.nextDue();
    if (due === undefined) return;
    wakeBy(due);
    if (due - now() > TIMER || due >= (this.#timer ?? Number.POSITIVE_INFINITY)) return;
    this.#timer = due;
    deadlines.add(due, () => {
      this.#timer = undefined;
      this.#surely(() => this.look());
    });
  }

  /** Does what reads the table, again later if the storage can't be read now. */
  #surely(action: () => void): void {
    if (this.#stopped) return;
    try {
      action();
    } catch {
      const { deadlines, now } = this.#parts;
      deadlines.add(now() + READ_AGAIN, () => this.#surely(action));
    }
  }
}
