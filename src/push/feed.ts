import type { GateCounters } from "../observe/gate-counters.ts";
import type { Clock } from "../platform/ports.ts";
import type { Audience } from "./audience.ts";
import type { Connection } from "./connection.ts";
import { Flights } from "./flights.ts";
import { gapFrame, messageFrame } from "./frames.ts";
import type { Logged, MessageLog } from "./message-log.ts";
import type { Outgoing } from "./outgoing.ts";

interface Parts {
  readonly log: MessageLog;
  readonly audience: Audience;
  readonly outgoing: Outgoing;
  readonly clock: Clock;
  /** The client holds room that others need, and takes nothing. */
  readonly tooSlow: (connection: Connection) => void;
  readonly counters: GateCounters;
}

/** Messages that are read of the log at once. */
const READ = 20;
/** Ms for which a client may take nothing while others wait for room. */
const SLOW = 30_000;

/**
 * Sends connected clients what is for them ([PUSH1]). A new message goes to all of its clients at once. A client that has too
 * much on its way, or that comes back, is *behind*: it gets nothing new, and reads on in the log as it acknowledges. So a slow
 * client takes no memory, and the order is that of the log. What the log has no more is a gap, and the client is told.
 * When all clients together have too much on their way, they take turns, and those that take nothing are let go of.
 */
export class Feed {
  readonly #parts: Parts;
  readonly #flights: Flights;
  #watching = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#flights = new Flights(() => parts.audience.size);
  }

  /** Messages have come into the log. */
  publish(messages: readonly Logged[]): void {
    const { audience, outgoing, log, counters } = this.#parts;
    counters.add("messages", messages.length);
    for (const message of messages) {
      let text: string | undefined;
      let [heard, sent] = [false, 0];
      for (const connection of audience.of(message.target)) {
        heard = true;
        if (connection.behind !== undefined) continue;
        if (!connection.isLeaving && this.#hasRoom(connection, message.bytes)) {
          text ??= messageFrame(message);
          this.#flights.sent(connection, message.n, message.bytes);
          outgoing.send(connection.wire, text);
          sent++;
        } else {
          connection.behind = message.n - 1;
          connection.note(log.head);
        }
      }
      if (!heard) counters.add("unheard");
      counters.add(message.data === null ? "gaps" : "deliveries", sent);
    }
  }

  /** The client has everything for it up to message `n`. */
  acknowledge(connection: Connection, n: number): void {
    this.#flights.acknowledged(connection, n);
    connection.note(this.#parts.log.head);
    if (connection.behind !== undefined && connection.isHalfFree && !connection.isLeaving) this.goOn(connection);
    this.#goOnWithOthers();
  }

  /** The connection has ended. */
  forget(connection: Connection): void {
    this.#flights.forget(connection);
    this.#goOnWithOthers();
  }

  /** Sends a client that is behind what comes next. */
  goOn(connection: Connection): void {
    if (connection.reading) return;
    connection.reading = true;
    this.#read(connection);
  }

  /** After the process had no memory: whoever has not acknowledged what is for it is sent it again, and knows it by its number. */
  restore(acknowledged: ReadonlyMap<Connection, number>): void {
    const { log, audience } = this.#parts;
    const from = Math.min(log.head, ...acknowledged.values());
    for (const { n, target } of log.headersAfter(from)) {
      for (const connection of audience.of(target)) {
        const acked = acknowledged.get(connection) ?? log.head;
        if (n > acked && connection.session.wants(target, n)) connection.behind ??= acked;
      }
    }
    for (const [connection, acked] of acknowledged) {
      if (acked < log.gone) connection.behind ??= acked;
      connection.note(log.head);
      if (connection.behind !== undefined) this.goOn(connection);
    }
  }

  #read(connection: Connection): void {
    const { log, audience, outgoing, clock, counters } = this.#parts;
    const { session, wire } = connection;
    const isCurrent = audience.get(session.client) === connection;
    if (!isCurrent || connection.behind === undefined) {
      connection.reading = false;
      return;
    }
    if (connection.behind < log.gone) {
      connection.behind = log.gone;
      this.#flights.sent(connection, log.gone, 0);
      outgoing.send(wire, gapFrame(log.gone));
      counters.add("gaps");
    }
    const messages = log.after(connection.behind, READ, session.targets);
    for (const message of messages) {
      if (!this.#hasRoom(connection, message.bytes)) {
        connection.reading = false;
        connection.note(log.head);
        return;
      }
      connection.behind = message.n;
      if (!session.wants(message.target, message.n)) continue;
      this.#flights.sent(connection, message.n, message.bytes);
      outgoing.send(wire, messageFrame(message));
      counters.add(message.data === null ? "gaps" : "deliveries");
    }
    if (messages.length === READ) {
      clock.soon(() => this.#read(connection));
      return;
    }
    connection.behind = undefined;
    connection.reading = false;
    connection.note(log.head);
  }

  /** Whether it may be sent a message now. If only others are in the way, it goes on when there is room again. */
  #hasRoom(connection: Connection, bytes: number): boolean {
    if (!connection.hasRoom) return false;
    if (this.#flights.hasRoom(connection, bytes)) return true;
    this.#flights.wait(connection);
    if (!this.#watching) this.#watch();
    return false;
  }

  #goOnWithOthers(): void {
    for (let one = this.#flights.next(); one !== undefined; one = this.#flights.next()) {
      this.goOn(one);
      // There is room, but not for what it gets next.
      if (this.#flights.isWaiting(one)) return;
    }
  }

  /** While some wait for room, nobody may hold it for long. */
  #watch(): void {
    const { audience, clock, tooSlow } = this.#parts;
    this.#watching = true;
    this.#flights.idle(audience);
    clock.after(SLOW, () => {
      this.#watching = false;
      if (!this.#flights.isWaitedFor) return;
      for (const connection of this.#flights.idle(audience)) tooSlow(connection);
      if (this.#flights.isWaitedFor && !this.#watching) this.#watch();
    });
  }
}
