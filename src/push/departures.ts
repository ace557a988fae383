import type { GateState } from "../settings/gate-states.ts";
import type { Audience } from "./audience.ts";
import type { Connection } from "./connection.ts";

/** Ms in which the clients of a gate that is drained go, between two groups of them, and clients of a group at least. */
export const DEPARTURE = { within: 60_000, every: 1_000, group: 10 } as const;

interface Parts {
  readonly audience: Audience;
  readonly state: () => GateState;
}

/**
 * Which clients a gate that is drained sends to another one ([PUSH14]). They go in groups, so that they do not all come to the
 * other gates at once: first those that have acknowledged everything and wait for no call. After a minute the others go too.
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

  /** Those who go now. */
  next(now: number): Connection[] {
    const { audience } = this.#parts;
    if (!this.pending) {
      this.#begun = undefined;
      return [];
    }
    const { within, every, group: least } = DEPARTURE;
    this.#begun ??= { at: now, group: Math.max(least, Math.ceil((audience.size * every) / within)) };
    const { at, group } = this.#begun;
    const all = now - at >= within;
    const leaving: Connection[] = [];
    for (const connection of audience) {
      if (leaving.length >= group) break;
      if (all || connection.isSettled) leaving.push(connection);
    }
    return leaving;
  }
}
