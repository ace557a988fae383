import type { ObjectRef } from "../../router/directory.ts";
import type { Part, Sending } from "./sending.ts";

/** Messages in memory. */
const MOST = 10_000;

/** What is in memory for one partition, in the order in which it came. */
interface Share {
  readonly partition: string;
  readonly sendings: Set<Sending>;
}

/**
 * The messages that are in memory: bounded, and shared among the partitions of their receivers. Who needs room while there
 * is none gets some of the largest share, so that a silent partition, whatever waits for it, holds up no other.
 *
 * What is not in memory is read from the table later. Until then nothing that is sent to the same part of all objects may
 * come in either: messages of a pair keep their order.
 */
export class Room {
  readonly #owner: (object: ObjectRef) => string;
  readonly #letGo: (sending: Sending) => void;
  readonly #known = new Map<string, Sending>();
  readonly #shares = new Map<string, Share>();
  /** The share of each part that has messages in memory: the same while it has. */
  readonly #parts = new Map<Part, { readonly share: Share; messages: number }>();
  /** Parts with messages in the table that are not in memory. */
  #behind = new Set<Part>();
  /** Partitions that had no room for all. */
  readonly #wanting = new Set<string>();
  /** The same as `behind`, of the part of the table that was read so far; undefined while nothing reads it. */
  #passed: Set<Part> | undefined;
  /** The table may have messages of any part. */
  #unread = true;

  /**
   * @param owner the partition that probably has an object
   * @param letGo is given what leaves memory for others, and is in the table
   */
  constructor(owner: (object: ObjectRef) => string, letGo: (sending: Sending) => void) {
    this.#owner = owner;
    this.#letGo = letGo;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Whether the table may have messages that are not in memory and may leave. */
  get more(): boolean {
    return this.#unread || this.#behind.size > 0;
  }

  /** Whether none that is sent to the same part is in the table and not in memory. */
  hasAll(part: () => Part): boolean {
    return !this.more || !(this.#unread || this.#behind.has(part()));
  }

  /** Whether reading the table would help somebody who has room again. */
  get wanted(): boolean {
    for (const partition of this.#wanting) if (this.#hasRoom(partition)) return true;
    return false;
  }

  has(sending: Sending): boolean {
    return this.#known.get(sending.key) === sending;
  }

  all(): Iterable<Sending> {
    return this.#known.values();
  }

  /**
   * Takes in a message, if it may come in and there is room. Says whether it did.
   * @param from `new`: it was just stored, or has come due; `read`: from the table, where all before it were read; `aside`: its
   * order does not matter, nor whether there is room
   */
  take(sending: Sending, from: "new" | "read" | "aside"): boolean {
    if (this.#known.has(sending.key)) return false;
    if (from === "aside") {
      if (this.#known.size >= MOST / 2) return false;
    } else if (this.#waits(sending, from) || !this.#makeRoom(sending)) {
      this.#leave(sending);
      return false;
    }
    this.#insert(sending);
    return true;
  }

  /** It has been dealt with. */
  delete(sending: Sending): void {
    if (!this.#known.delete(sending.key)) return;
    const part = sending.part;
    const place = this.#parts.get(part);
    if (place === undefined) return;
    const { share } = place;
    share.sendings.delete(sending);
    if (share.sendings.size === 0) this.#shares.delete(share.partition);
    if (--place.messages === 0) this.#parts.delete(part);
  }

  /** The table is read from its beginning. `all`: nothing is known of what is in it. */
  begin(all: boolean): void {
    this.#unread ||= all;
    this.#passed = new Set();
    this.#wanting.clear();
  }

  /** The table was read to its end. */
  end(): void {
    this.#behind = this.#passed ?? this.#behind;
    this.#passed = undefined;
    this.#unread = false;
  }

  clear(): void {
    this.#known.clear();
  }

  /** Whether one before it, or maybe, is not in memory. */
  #waits({ part }: Sending, from: "new" | "read"): boolean {
    return from === "new" ? this.#unread || this.#behind.has(part) : this.#passed?.has(part) !== false;
  }

  #insert(sending: Sending): void {
    this.#known.set(sending.key, sending);
    const part = sending.part;
    const place = this.#parts.get(part) ?? { share: this.#shareOf(sending), messages: 0 };
    place.messages++;
    this.#parts.set(part, place);
    place.share.sendings.add(sending);
    this.#shares.set(place.share.partition, place.share);
  }

  /** Whether there is room for it; if there was none, others have given some. */
  #makeRoom(sending: Sending): boolean {
    if (this.#known.size < MOST) return true;
    const own = this.#shareOf(sending);
    const fair = Math.floor(MOST / (this.#shares.size + (this.#shares.has(own.partition) ? 0 : 1)));
    if (own.sendings.size >= fair) return false;
    let largest = own;
    for (const share of this.#shares.values()) if (share.sendings.size > largest.sendings.size) largest = share;
    // The last of them, and the last first: nothing that stays, or leaves next, is behind what has left.
    for (const last of [...largest.sendings].slice(fair).reverse()) {
      if (last.leaving) continue;
      this.delete(last);
      this.#leave(last);
      this.#letGo(last);
    }
    return this.#known.size < MOST;
  }

  /** It stays in the table, or is there again. */
  #leave(sending: Sending): void {
    const part = sending.part;
    this.#behind.add(part);
    this.#passed?.add(part);
    this.#wanting.add(this.#shareOf(sending).partition);
  }

  /** Half of what it would have beside one more: else each that comes and goes would have the table read. */
  #hasRoom(partition: string): boolean {
    const fair = MOST / (this.#shares.size + 1);
    return (this.#shares.get(partition)?.sendings.size ?? 0) <= fair / 2;
  }

  #shareOf({ part, message: { to } }: Sending): Share {
    const share = this.#parts.get(part)?.share;
    if (share !== undefined) return share;
    const partition = this.#owner(to);
    return this.#shares.get(partition) ?? { partition, sendings: new Set() };
  }
}
