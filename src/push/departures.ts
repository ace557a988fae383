import type { GateCounters } from "../observe/gate-counters.ts";
import type { Clock } from "../platform/ports.ts";
import type { GateState } from "../settings/gate-states.ts";
import type { Audience } from "./audience.ts";
import type { Connection } from "./connection.ts";

/** Ms in which the clients of a gate that is drained go, between two groups of them, and clients of a group at least. */
export const DEPARTURE = { within: 60_000, every: 1_000, group: 10 } as const;

interface Parts {
  readonly audience: Audience;
  readonly clock: Clock;
  readonly state: () => GateState;
  readonly counters: GateCounters;
  readonly wakeBy: (time: number) => void;
  /** Ends the connection and its session. */
  readonly leave: (connection: Connection) => void;
  /** Sends it what has come meanwhile. */
  readonly stay: (connection: Connection) => void;
}

/**
 * Sends the clients of a gate that is drained to others ([PUSH14]): group by group, so that they do not all come at once. Whose
 * turn it is gets nothing new, and goes as soon as it has acknowledged what it got and waits for no call. After a minute all go.
 */
export class Departures {
  readonly #parts: Parts;
  /** Since when it is drained, and how many go at a time. */
  #begun: { readonly at: number; readonly group: number } | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Whether some have yet to go. */
  get pending(): boolean {
    return this.#parts.state() === "draining" && this.#parts.audience.size > 0;
  }

  /** It is the turn of the next group. */
  next(): void {
    const { audience, clock } = this.#parts;
    if (!this.pending) {
      this.#begun = undefined;
      return;
    }
    const { within, every, group: least } = DEPARTURE;
    const now = clock.now();
    this.#begun ??= { at: now, group: Math.max(least, Math.ceil((audience.size * every) / within)) };
    const { at, group } = this.#begun;
    const isOver = now - at >= within;
    const turn: Connection[] = [];
    for (const connection of audience) {
      if (turn.length >= group) break;
      // One that is behind is still to be sent what it missed.
      if (isOver || (connection.behind === undefined && !connection.isLeaving)) turn.push(connection);
    }
    for (const connection of turn) {
      if (isOver || connection.isSettled) this.#leave(connection);
      else connection.onSettled = () => clock.soon(() => this.#settled(connection));
    }
    if (!this.pending) this.#begun = undefined;
  }

  /** Has the gate woken for the next group: also when a client has come back, maybe after all others had gone. */
  plan(): void {
    const { clock, wakeBy } = this.#parts;
    if (this.pending) wakeBy(clock.now() + DEPARTURE.every);
  }

  /** Operators have said something: who was about to go may stay. */
  changed(): void {
    const { audience, state, stay } = this.#parts;
    this.plan();
    if (state() === "draining") return;
    this.#begun = undefined;
    for (const connection of audience) {
      if (!connection.isLeaving) continue;
      connection.onSettled = undefined;
      if (connection.behind !== undefined) stay(connection);
    }
  }

  /** What it was answered is on its way by now. */
  #settled(connection: Connection): void {
    const { audience } = this.#parts;
    const isHere = audience.get(connection.session.client) === connection;
    if (isHere && this.pending && connection.isSettled) this.#leave(connection);
  }

  #leave(connection: Connection): void {
    const { counters, leave } = this.#parts;
    counters.add("sentAway");
    leave(connection);
  }
}
