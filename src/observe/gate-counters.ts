const NONE = {
  /** Connections that clients have opened, and those of them that went on with a session. */
  connections: 0,
  resumed: 0,
  /** Connections that were refused, since there was no room or the gate takes no new clients. */
  refused: 0,
  /** Messages that came, and those of them that no connected client was to get. */
  messages: 0,
  unheard: 0,
  /** Messages that were sent to clients: each as often as it was sent. */
  deliveries: 0,
  /** Clients that were told of a gap, each time. */
  gaps: 0,
  /** Calls that clients have made over connections. */
  calls: 0,
  /** Connections that were closed because their clients were silent, or took nothing. */
  silent: 0,
  /** Clients that were asked to go to another gate. */
  sentAway: 0,
};

/** What a gate has done since its process began. */
export type GateCounts = Readonly<typeof NONE>;

/** Counts what a gate does: in memory, from the start of the process on. */
export class GateCounters {
  readonly #counts = { ...NONE };

  add(what: keyof GateCounts, times = 1): void {
    this.#counts[what] += times;
  }

  get values(): GateCounts {
    return { ...this.#counts };
  }
}

/** Of a gate that has done nothing. */
export const NO_COUNTS: GateCounts = NONE;
