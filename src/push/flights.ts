import type { Connection } from "./connection.ts";

/**
 * Bytes that all clients of a gate may have on their way together. Beyond them a client has its equal part of as many once more:
 * so nobody who takes what it is sent waits for those who don't.
 */
export const FLIGHTS = { bytes: 64 * 1024 * 1024 } as const;

/** What is on its way to all clients of a gate, and who waits until there is room for more ([PUSH7]). */
export class Flights {
  readonly #clients: () => number;
  readonly #waiting = new Set<Connection>();
  /** Those that have acknowledged nothing since somebody looked. */
  #still = new Set<Connection>();
  #bytes = 0;

  /** @param clients how many are connected */
  constructor(clients: () => number) {
    this.#clients = clients;
  }

  get isWaitedFor(): boolean {
    return this.#waiting.size > 0;
  }

  /** Whether a client may be sent a message now. */
  hasRoom(connection: Connection, bytes: number): boolean {
    if (this.#bytes + bytes <= FLIGHTS.bytes) return true;
    return connection.flying + bytes <= FLIGHTS.bytes / this.#clients();
  }

  sent(connection: Connection, n: number, bytes: number): void {
    connection.sent(n, bytes);
    this.#bytes += bytes;
  }

  acknowledged(connection: Connection, n: number): void {
    const before = connection.flying;
    connection.acknowledge(n);
    this.#bytes += connection.flying - before;
    this.#still.delete(connection);
  }

  /** Nothing is on its way to it any more. */
  forget(connection: Connection): void {
    this.#bytes -= connection.flying;
    this.#waiting.delete(connection);
    this.#still.delete(connection);
  }

  wait(connection: Connection): void {
    this.#waiting.add(connection);
  }

  isWaiting(connection: Connection): boolean {
    return this.#waiting.has(connection);
  }

  /** Takes the one that has waited longest, if there may be room for it. */
  next(): Connection | undefined {
    if (this.#bytes >= FLIGHTS.bytes) return undefined;
    const [first] = this.#waiting;
    if (first !== undefined) this.#waiting.delete(first);
    return first;
  }

  /**
   * Those that hold room for which others wait, and have acknowledged nothing since this was asked before.
   * @param connections all
   */
  idle(connections: Iterable<Connection>): Connection[] {
    const idle = [...this.#still];
    this.#still = new Set();
    for (const connection of connections) if (connection.flying > 0) this.#still.add(connection);
    return idle;
  }
}
